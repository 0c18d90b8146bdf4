// A deleted record is taken out, and nothing says that it was deleted.
import type { PlantedBug } from './planted.ts'

export const noTombstones: PlantedBug = {
  name: 'no tombstones',
  plant: { forgetsDeleted: true },
  machines: 5,
  foundBy: ['deleted record came back', 'acknowledged record lost', 'older record won'],
}
