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

const ASKED: Record<AdmissionReport['kind'], string> = {
  link: 'No machine has said yet how this cloud lets others in. Unless one does, whoever knows its key may come in.',
  open: 'Whoever knows the key of this cloud and does a moment of work may come in; this machine has done it.',
  invitation: 'Whom somebody of this cloud lets in may come in; this person was let in.',
  release: 'Builds of this cloud’s owner may come in; this machine runs one.',
  unknown: 'This cloud lets machines in by a way of a later version of Dharma.',
}

/** What the person of a machine is told that they have revoked. */
export const REVOKED =
  'Your recovery phrase was used to revoke this machine. The others give it no links, and do not show ' +
  'what it writes. If it is in your hands, attest it anew with the phrase, on the Settings page.'

const FAULTS: Record<string, string> = {
  MACHINE_REVOKED: REVOKED,
  INVITER_REVOKED:
    'The machine that gave the invitation by which this person came, or one by which that came, was revoked before. Ask somebody who is in the cloud for another invitation.',
  TOO_BUSY:
    'Where this machine is, too many showed what did not let them in. It is tried again after a while by itself.',
  KIND_UNKNOWN:
    'This cloud lets machines in by a way that this version of Dharma does not know. Install the newest one.',
  WORK_MISSING: 'This cloud asks machines for a moment of work, which is not done yet.',
  INVITATION_MISSING:
    'This cloud is by invitation. Ask somebody who is in it for a link or a code, and join with that.',
  INVITATION_INVALID:
    'The invitation by which this machine came does not hold for its person. Ask somebody who is in the cloud for another.',
  RELEASE_MISSING:
    'Only builds of this cloud’s owner come in, and this is none. Ask the owner for the app, or for a release file.',
  RELEASE_INVALID: 'The release that this machine runs is none of this cloud. Ask its owner.',
  RELEASE_EXPIRED:
    'The release that this machine runs has expired. Install the newest one of this cloud’s owner.',
  RELEASE_REVOKED:
    'The owner of this cloud took back the release that this machine runs. Install the newest one.',
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
    admission: { ...admission, message: describeAdmission(admission) },
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

function describeAdmission({ kind, state, fault }: AdmissionReport): string {
  if (state === 'working') return 'This cloud asks machines for a moment of work; it is being done.'
  if (fault === null) return ASKED[kind]
  return FAULTS[fault] ?? `Other machines do not let this one in (${fault}).`
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
