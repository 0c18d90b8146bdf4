// By which ways this machine looks for the others, in words.
import type { ConnectionReport, WayReport } from '../../contract/cloud.ts'
import type { MachineAddress } from '../../core/finding/dial-list.ts'
import type { WayName, WayStatus } from '../../core/finding/ways-core.ts'

/** Where each way looks. */
const PLACES: Record<WayName, string> = {
  memory: 'where they were the last time',
  lan: 'on the local network',
  list: 'on the lists',
  dht: 'in the DHT',
}

const OFF: Record<WayName, string> = {
  memory: 'This machine was told not to try machines of the last time.',
  lan: 'This machine was told not to look on the local network, or to stay on this computer.',
  list: 'This version of Dharma does not read lists yet.',
  dht: 'This machine was told not to use the DHT.',
}

export interface ConnectionFacts {
  state: ConnectionReport['state']
  ways: readonly WayStatus[]
  links: number
  nat: ConnectionReport['nat']
  addresses: readonly MachineAddress[]
}

export function reportConnection(facts: ConnectionFacts): ConnectionReport {
  const { state, ways, links, nat, addresses } = facts
  return {
    state,
    ways: ways.map(reportWay),
    links: { direct: links },
    nat,
    addresses: addresses.map(({ host, port }) => `${host}:${port}`),
  }
}

function reportWay({ way, state, tookMs, found, reached, fault }: WayStatus): WayReport {
  return {
    way,
    state,
    tookMs: tookMs === null ? null : Math.round(tookMs),
    found,
    reached,
    step: fault?.step ?? null,
    message: fault?.message ?? describe(way, state, { tookMs, found, reached }),
  }
}

function describe(
  way: WayName,
  state: WayStatus['state'],
  { tookMs, found, reached }: Pick<WayStatus, 'tookMs' | 'found' | 'reached'>,
): string {
  if (state === 'off') return OFF[way]
  if (state === 'waiting') return 'Its turn comes in a moment.'
  if (tookMs === null) return `Machines are looked for ${PLACES[way]}.`
  if (found === 0) {
    return way === 'memory'
      ? 'No machine is remembered from the last time.'
      : `No machine of this cloud was found ${PLACES[way]}. It is tried again.`
  }
  const linked =
    reached === 0 ? '' : ` ${reached === 1 ? 'One was' : `${reached} were`} linked for it.`
  return `${found === 1 ? 'One machine was' : `${found} machines were`} named ${PLACES[way]}.${linked}`
}
