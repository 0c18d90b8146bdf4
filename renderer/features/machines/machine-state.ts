// How a machine is, in a word. One place, so that the map and the table say the same.
import type { MachineInfo } from '../../../node-runtime/contract/cloud.ts'

/** Own machine first, then those that are there. */
export const STATE_ORDER = { 'This machine': 0, Online: 1, Relayed: 2, Offline: 3, Revoked: 4 }

export function describeState({
  self,
  online,
  relayed,
  revoked,
}: MachineInfo): keyof typeof STATE_ORDER {
  if (self) return 'This machine'
  if (revoked) return 'Revoked'
  return relayed ? 'Relayed' : online ? 'Online' : 'Offline'
}
