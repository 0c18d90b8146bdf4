// How this machine comes to the others of its cloud, and they to it: what lets it in, the ways of finding them,
// the links, who they are, and the ring. Wiring only: what decides is in `core/`.
import os from 'node:os'
import type { DhtAddress } from 'hyperdht'
import { WAY_NAMES } from '../contract/connection.ts'
import type { ReleaseFile } from '../contract/cloud.ts'
import type { WayName } from '../core/finding/ways-core.ts'
import { LISTED_MS } from '../core/finding/list-form.ts'
import { signMachineForm } from '../core/forms/machine-form.ts'
import type { MachineEntry } from '../core/forms/machine-form.ts'
import type { Disposal } from '../flow/disposal.ts'
import type { Log } from '../ports/log.ts'
import type { SecretStore } from '../ports/secret-store.ts'
import { protocolOf, saysThatItRelays } from '../swarm/capabilities.ts'
import { CloudAdmission } from '../services/cloud/admission.ts'
import type { GivenAdmission } from '../services/cloud/admission.ts'
import { Broadcasts } from '../services/cloud/broadcasts.ts'
import { Invitations } from '../services/cloud/invitations.ts'
import { Lists } from '../services/cloud/lists/lists.ts'
import type { ListToRead } from '../services/cloud/lists/lists.ts'
import { Membership } from '../services/cloud/membership.ts'
import { RememberedMachines } from '../services/cloud/remembered-machines.ts'
import type { Revocations } from '../services/cloud/revocations.ts'
import { RingLinks } from '../services/cloud/ring-links.ts'
import { ServerRing } from '../services/cloud/server-ring.ts'
import { WhoInvited } from '../services/cloud/who-invited.ts'
import type { Identity } from '../services/identity/identity.ts'
import { LocalNetwork } from '../swarm/lan/local-network.ts'
import { Swarm } from '../swarm/swarm.ts'
import type { OwnerKey } from './cloud-book.ts'

/** Where there is no key store, files that only their owner can read are all there is. */
const NO_KEY_STORE: SecretStore = { seal: async () => null, open: async () => null }

export interface JoiningOptions {
  /** Of this cloud alone. */
  folder: string
  cloud: string
  identity: Identity
  kind: 'desktop' | 'headless'
  appVersion: string
  /** How the cloud began, if that is known; and what to do when another machine tells. */
  genesis?: { body: () => string | null; learned: (body: string) => void }
  /** The key that speaks for the cloud, if this machine has it. */
  ownerKey?: OwnerKey | null
  /** Of the build, or given: what lets this machine in where releases do. */
  release?: ReleaseFile | null
  /** Look-up lists to read from now on, beside those that are kept in the folder. */
  lists?: readonly ListToRead[]
  /** Keeps who may write to lists; they are in a file of their owner alone if absent. */
  secrets?: SecretStore
  /** With which this machine's person has just been let in. */
  given?: GivenAdmission | null
  /** May all of the cloud see who invited its person, and whom it let in? No if absent. */
  showsInvitations?: () => boolean
  log: Log
  bootstrap?: readonly DhtAddress[]
  host?: string
  /** The ways of finding other machines that are gone; all if absent, but for `lan` with a `host`. */
  ways?: readonly WayName[]
  /** Is the router asked for a port, from the start? Never with a `host`. True if absent. */
  portMapping?: boolean
  /** Does anybody look at the machines now, and at how far they are? See `Membership`. */
  isWatched?: () => boolean
  /** UDP port on the local network; that of multicast DNS if absent. */
  lanPort?: number
  /** The time of day, ms since 1970; the computer's if absent. */
  now?: () => number
}

export interface JoiningParts {
  /** What persons have said of their machines. */
  revocations: Revocations
  /** Does something on this machine use the link with that one? */
  uses: (machine: string) => boolean
  /** What `cloud.connection` says has changed. */
  changed: () => void
  /** What the ways have come to, or where this machine is. */
  waysChanged: () => void
}

export interface Joining {
  admission: CloudAdmission
  invitations: Invitations
  whoInvited: WhoInvited
  swarm: Swarm
  lists: Lists
  membership: Membership
  ringLinks: RingLinks
  ring: ServerRing
}

/**
 * Opens all of it; nobody is looked for before `swarm.start`.
 * @param opened  closes what was opened
 */
export async function openJoining(
  options: JoiningOptions,
  events: JoiningParts,
  opened: Disposal,
): Promise<Joining> {
  const { folder, cloud, identity, genesis, log } = options
  const { bootstrap, host, lanPort, now = Date.now, ownerKey = null } = options
  const { secrets = NO_KEY_STORE } = options
  const { revocations } = events
  const isRevoked = ({ attestation }: MachineEntry): boolean => revocations.isRevoked(attestation)
  const ways = options.ways ?? WAY_NAMES.filter((way) => way !== 'lan' || host === undefined)
  // The parts report to each other; nothing is reported before all are there.
  let joined: Joining | null = null
  const remembered = await RememberedMachines.open({
    folder,
    network: () => ({ port: swarm.port, nodes: swarm.dhtNodes }),
    isLinked: (machine) => swarm.isOnline(machine),
    now,
    log,
  })
  const lists = await Lists.open({
    folder,
    cloud,
    ownEntry: () => membership.ownEntry,
    entriesSince: (wallMs) => membership.entriesSince(wallMs),
    entryOf: (machine) => membership.entryOf(machine),
    isLinked: (machine) => swarm.isOnline(machine),
    linkCount: () => swarm.linkCount,
    speaker: () => {
      const body = genesis?.body() ?? null
      return ownerKey === null || body === null ? null : { ...ownerKey, genesis: body }
    },
    secrets,
    genesisLearned: (body) => admission.told(body),
    added: () => joined?.swarm.askNow('list'),
    changed: () => events.changed(),
    now,
    log,
  })
  const local = new LocalNetwork({
    cloud,
    machine: identity.machine,
    ownPort: () => swarm.port,
    isLinked: () => swarm.linkCount > 0,
    log,
    ...(host === undefined ? {} : { host }),
    ...(lanPort === undefined ? {} : { port: lanPort }),
  })
  const admission = await CloudAdmission.open({
    folder,
    cloud,
    machine: identity.machine,
    person: () => identity.person,
    genesis: () => genesis?.body() ?? null,
    learned: (body) => genesis?.learned(body),
    release: options.release ?? null,
    given: options.given ?? null,
    ownerKey: ownerKey === null ? null : { ...ownerKey, attestation: null },
    revocations,
    member: () => ({
      publicKey: identity.machine,
      secretKey: identity.machineKeys.secretKey,
      attestation: identity.attestationFor(cloud),
    }),
    passChanged: () => joined?.swarm.passChanged(),
    askAllAgain: () => joined?.swarm.askAllAgain(),
    placed: () => joined?.membership.signAnew(),
    changed: () => events.changed(),
    now,
    log,
  })
  opened.add(admission, () => admission.close())
  const swarm = new Swarm(
    {
      keyPair: identity.machineKeys,
      cloud,
      ownEntry: () => membership.ownEntry,
      ...(remembered.port === null ? {} : { port: remembered.port }),
      nodes: remembered.nodes,
      admissions: admission,
      now,
      useDht: ways.includes('dht'),
      ways: {
        ...(ways.includes('memory')
          ? { memory: (heard, signal) => remembered.ask(heard, signal) }
          : {}),
        ...(ways.includes('lan') ? { lan: (heard, signal) => local.ask(heard, signal) } : {}),
        ...(ways.includes('list') ? { list: (heard, signal) => lists.ask(heard, signal) } : {}),
      },
      addressesOf: (machine) => joined?.membership.entryOf(machine)?.addresses ?? [],
      isMember: (machine) => {
        const entry = joined?.membership.entryOf(machine)
        return entry !== undefined && !isRevoked(entry)
      },
      isThere: (machine) => joined?.ringLinks.isThere(machine) ?? false,
      log,
      ...(host === undefined ? { ports: {} } : {}),
      ...(genesis === undefined ? {} : { genesis: genesis.body }),
      ...(bootstrap === undefined ? {} : { bootstrap }),
      ...(host === undefined ? {} : { host }),
    },
    {
      linkOpened: (entry, address) => {
        remembered.linked(entry, address)
        joined?.membership.linkOpened(entry)
        joined?.ringLinks.linkOpened(entry.machine)
      },
      linkClosed: ({ machine }, silent) => {
        joined?.ringLinks.linkClosed(machine, silent)
        joined?.membership.linkClosed(machine)
      },
      linkDoubted: (machine) => joined?.ringLinks.doubted(machine),
      heartbeat: (machine) => {
        admission.admitted()
        joined?.ringLinks.answered(machine)
        joined?.membership.heartbeat()
      },
      waysChanged: () => events.waysChanged(),
      ...(genesis === undefined ? {} : { genesisLearned: genesis.learned }),
    },
  )
  opened.add(swarm, () => swarm.close())
  opened.add(local, () => local.close())
  const broadcasts = new Broadcasts({ machine: identity.machine, network: swarm, log })
  opened.add(broadcasts, () => broadcasts.close())
  admission.attach(swarm, broadcasts)
  const invitations = await Invitations.open({
    folder,
    cloud,
    machine: identity.machine,
    swarm,
    genesis: () => genesis?.body() ?? null,
    inviter: () => ({ person: identity.person, name: identity.personName }),
    admit: (person) => admission.admit(person),
    now,
    log,
  })
  opened.add(invitations, () => invitations.close())
  opened.add(remembered, () => remembered.close())
  opened.add(lists, () => lists.close())
  for (const { url, ...kept } of options.lists ?? []) await lists.add(url, kept)
  const whoInvited = new WhoInvited({
    cloud,
    on: options.showsInvitations ?? (() => false),
    own: () => admission.invitation,
    membership: () => joined?.membership ?? null,
    revocations,
  })
  const membership = await Membership.open({
    folder,
    cloud,
    sign: (sequence) =>
      makeEntry(options, sequence, {
        protocol: protocolOf(swarm.relaysFor !== null),
        addresses: swarm.ownAddresses,
        listedUntilMs: now() + LISTED_MS,
        ...(admission.place === undefined ? {} : { place: admission.place }),
        ...whoInvited.said,
      }),
    network: swarm,
    isThere: (machine) => joined?.ringLinks.isThere(machine) ?? false,
    isSuspected: (machine) => joined?.ringLinks.isSuspected(machine) ?? false,
    ...(options.isWatched === undefined ? {} : { isWatched: options.isWatched }),
    placeOf: (machine) => joined?.ringLinks.placeOf(machine) ?? null,
    isRevoked,
    log,
    now,
  })
  opened.add(membership, () => membership.close())
  const ringLinks = new RingLinks({
    machine: identity.machine,
    network: swarm,
    entryOf: (machine) => membership.entryOf(machine),
    offered: (from, forms) => membership.offered(from, forms),
    workBits: () => admission.workBits,
    needs: (machine) => swarm.isNeeded(machine) || events.uses(machine),
    // Two behind such routers meet through a relay only; whoever relays is open.
    prefers: ({ protocol }) => swarm.nat === 'symmetric' && saysThatItRelays(protocol),
    log,
    random: Math.random,
  })
  opened.add(ringLinks, () => ringLinks.close())
  const ring = new ServerRing({
    machine: identity.machine,
    network: swarm,
    entryOf: (machine) => membership.entryOf(machine),
    workBits: () => admission.workBits,
    machines: () => ringLinks.machines,
    log,
    random: Math.random,
  })
  opened.add(ring, () => ring.close())
  joined = { admission, invitations, whoInvited, swarm, lists, membership, ringLinks, ring }
  return joined
}

function makeEntry(
  { cloud, identity, kind, appVersion }: JoiningOptions,
  sequence: number,
  said: Pick<
    MachineEntry,
    'protocol' | 'addresses' | 'listedUntilMs' | 'place' | 'invitation' | 'showsInvited'
  >,
): MachineEntry {
  return signMachineForm(
    {
      cloud,
      machine: identity.machine,
      attestation: identity.attestationFor(cloud),
      name: identity.machineName,
      device: kind,
      appVersion,
      resources: { cores: os.availableParallelism(), memoryBytes: os.totalmem() },
      ...said,
      sequence,
    },
    identity.machineKeys.secretKey,
  )
}
