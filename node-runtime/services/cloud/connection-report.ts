// By which ways this machine looks for the others, in words.
import type {
  AdmissionReport,
  ClockReport,
  ConnectionReport,
  PortsReport,
  WayReport,
} from '../../contract/connection.ts'
import type { ListReport } from '../../contract/lists.ts'
import type { MachineAddress } from '../../core/finding/dial-list.ts'
import type { MappingStatus, MappingWay } from '../../core/port-mapping/mapping-core.ts'
import type { WayName, WayStatus } from '../../core/finding/ways-core.ts'
import { reportAdmission } from './admission-words.ts'

/** Where each way looks. */
const PLACES: Record<WayName, string> = {
  memory: 'where they were the last time',
  lan: 'on the local network',
  list: 'on the lists',
  dht: 'in the DHT',
}

const OFF: Record<WayName, string> = {
  memory: 'This machine was told not to try machines of the last time.',
  lan: 'This machine was told not to look on the local network, or to begin in a DHT of this computer alone.',
  list: 'This machine was told not to read lists.',
  dht: 'This machine was told not to use the DHT.',
}

export interface ConnectionFacts {
  admission: AdmissionReport
  state: ConnectionReport['state']
  ways: readonly WayStatus[]
  lists: readonly ListReport[]
  links: ConnectionReport['links']
  relaying: number | null
  nat: ConnectionReport['nat']
  addresses: readonly MachineAddress[]
  clock: ClockReport
  ports: PortFacts
}

export interface PortFacts {
  /** As the person has set it. */
  on: boolean
  /** Null where the router is not asked, whatever the person has set. */
  status: MappingStatus | null
  /** Monotonic ms, and the time of day at the same moment. */
  nowMs: number
  wallMs: number
}

export function reportConnection(facts: ConnectionFacts): ConnectionReport {
  const { state, admission, ways, lists, links, relaying, nat, addresses, clock, ports } = facts
  return {
    state,
    admission: reportAdmission(admission),
    ways: ways.map((way) => reportWay(way, lists.length)),
    lists: [...lists],
    links,
    relaying,
    nat,
    addresses: addresses.map(textOf),
    clock,
    ports: reportPorts(ports),
  }
}

function textOf({ host, port }: MachineAddress): string {
  return `${host}:${port}`
}

const PROTOCOLS: Record<MappingWay, string> = { pcp: 'PCP', 'nat-pmp': 'NAT-PMP', upnp: 'UPnP' }

function reportPorts({ on, status, nowMs, wallMs }: PortFacts): PortsReport {
  const nothing = { on, by: null, address: null, untilMs: null, step: null }
  switch (status?.state) {
    case undefined:
    case 'off': {
      const message = on
        ? 'This machine was told not to ask the router for a port, or is in a cloud of this computer alone.'
        : 'The router is not asked for a port. That can be changed in the settings.'
      return { ...nothing, state: 'off', message }
    }
    case 'asking':
      return { ...nothing, state: 'asking', message: 'The router is asked for a port.' }
    case 'failed':
      return { ...nothing, state: 'failed', ...status.fault }
    case 'mapped': {
      const { by, address } = status
      const untilMs = status.untilMs === null ? null : Math.round(wallMs + status.untilMs - nowMs)
      return {
        ...nothing,
        state: 'mapped',
        by,
        address: textOf(address),
        untilMs,
        message: `The router sends on what comes for ${textOf(address)} (by ${PROTOCOLS[by]}).`,
      }
    }
  }
}

function reportWay(status: WayStatus, lists: number): WayReport {
  const { way, state, tookMs, found, reached, fault } = status
  return {
    way,
    state,
    tookMs: tookMs === null ? null : Math.round(tookMs),
    found,
    reached,
    step: fault?.step ?? null,
    message: fault?.message ?? describe(status, lists),
  }
}

function describe({ way, state, tookMs, found, reached }: WayStatus, lists: number): string {
  if (state === 'off') return OFF[way]
  if (way === 'list' && lists === 0) {
    return 'This machine knows no list of this cloud. One can be added in the settings, or with --list.'
  }
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
