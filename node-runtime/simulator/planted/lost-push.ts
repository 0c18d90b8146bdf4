// What got lost on the way is never looked for.
import type { PlantedBug } from './planted.ts'

export const lostPush: PlantedBug = {
  name: 'lost push not healed',
  plant: { neverCompares: true },
  machines: 5,
  foundBy: ['not equal after healing', 'not in step'],
}
