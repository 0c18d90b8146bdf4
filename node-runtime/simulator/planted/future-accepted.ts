// Nobody looks whether a version is from the future.
import type { PlantedBug } from './planted.ts'

export const futureAccepted: PlantedBug = {
  name: 'future clock accepted',
  plant: { acceptsFuture: true },
  machines: 5,
  foundBy: ['record from the future'],
}
