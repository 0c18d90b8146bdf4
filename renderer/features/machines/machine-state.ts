// How a machine is, in a word. One place, so that the map, the table and the panel say the same.
import type { MachineInfo } from '../../../node-runtime/contract/machines.ts'
import { describeLatency } from './latency.ts'

/** Own machine first, then those that are there. */
export const STATE_ORDER = {
  'This machine': 0,
  Online: 1,
  Relayed: 2,
  Suspected: 3,
  Offline: 4,
  Revoked: 5,
}

export function describeState(machine: MachineInfo): keyof typeof STATE_ORDER {
  const { self, online, suspected, relayed, revoked } = machine
  if (self) return 'This machine'
  if (revoked) return 'Revoked'
  if (suspected) return 'Suspected'
  return relayed ? 'Relayed' : online ? 'Online' : 'Offline'
}

/** What it does for the others, beside being there. */
export function describeRoles({ kind, relays }: MachineInfo): string {
  const body = kind === 'desktop' ? 'Desktop' : 'Headless'
  return relays ? `${body}, relay` : body
}

/** Name, state and latency, in one line. */
export function describeMachine(machine: MachineInfo): string {
  const { name, latencyMs } = machine
  const latency = latencyMs === null ? '' : `, ${describeLatency(latencyMs)}`
  return `${name}, ${describeState(machine).toLowerCase()}${latency}`
}
