// What a segment is said to hold is taken for held, although it was sealed of another set.
import type { PlantedBug } from './planted.ts'

export const trustedSegment: PlantedBug = {
  name: 'segment from unequal sets',
  plant: { trustsSegments: true },
  machines: 5,
  // Somebody has to lack much.
  change: (scenario) => ({ ...scenario, initialRecords: 300, joiners: 2 }),
  foundBy: ['tree is wrong', 'not equal after healing', 'in step without being equal'],
}
