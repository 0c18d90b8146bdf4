// Signatures are not looked at.
import type { PlantedBug } from './planted.ts'

export const unsignedAccepted: PlantedBug = {
  name: 'unsigned record accepted',
  plant: { acceptsUnsigned: true },
  machines: 5,
  foundBy: ['forged record'],
}
