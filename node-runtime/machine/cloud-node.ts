// This machine as a part of one cloud: its records, its links, what it knows of the others. Joining
// another cloud closes this and opens another. Wiring only: what decides is in `core/`.
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import type { CloudNotice } from '../contract/cloud.ts'
import type { ClockReport } from '../contract/connection.ts'
import type { CloudRecord } from '../contract/db.ts'
import { CloudError } from '../contract/errors.ts'
import { namesInviter } from '../core/admission/pass.ts'
import { HybridClock } from '../core/db/hybrid-clock.ts'
import type { Attested, Revocation } from '../core/forms/revocation.ts'
import { decodeKey } from '../core/keys.ts'
import { opening } from '../flow/disposal.ts'
import type { Disposal } from '../flow/disposal.ts'
import { Pace } from '../flow/pace.ts'
import type { Log } from '../ports/log.ts'
import type { StoreDamage } from '../ports/record-store.ts'
import { protocolOf } from '../swarm/capabilities.ts'
import { CloudAdmission } from '../services/cloud/admission.ts'
import { noticesOfClock, reportClock } from '../services/cloud/clock-report.ts'
import { REVOKED as REVOKED_WORDS } from '../services/cloud/admission-words.ts'
import { Lists } from '../services/cloud/lists/lists.ts'
import { Invitations } from '../services/cloud/invitations.ts'
import { Membership } from '../services/cloud/membership.ts'
import { Revocations, REVOCATIONS_COLLECTION } from '../services/cloud/revocations.ts'
import type { RevocationValue } from '../services/cloud/revocations.ts'
import type { WhoInvited } from '../services/cloud/who-invited.ts'
import type { RingLinks } from '../services/cloud/ring-links.ts'
import { ServerRing } from '../services/cloud/server-ring.ts'
import { Database } from '../services/db/database.ts'
import type { NamedSystem } from '../services/db/database.ts'
import { declaredCollection, Judgement } from '../services/db/judgement.ts'
import type { JudgesValues } from '../services/db/judgement.ts'
import { Sessions } from '../services/sessions/sessions.ts'
import type { OwningSystem } from '../services/systems/system-store.ts'
import { makeFolder } from '../store/folder-place.ts'
import { IndexedRecords } from '../store/indexed-records.ts'
import { SealedCores } from '../store/sealed-cores.ts'
import { Swarm } from '../swarm/swarm.ts'
import { measureCompleteness } from './completeness.ts'
import { openJoining } from './joining.ts'
import type { Joining, JoiningOptions } from './joining.ts'
import { damageNotice, joinDamage, putAsideNotice } from './record-notices.ts'
import { ReplicationDriver } from './replication-driver.ts'
import { SealedSegments } from './sealed-segments.ts'
import { VerifyPool } from './verify-pool.ts'

/** Taking in a whole cloud leaves the rest of the machine to what it is for. */
const VERIFY_THREADS = 2
/** How often records that were ahead of the clock are tried again. */
const RELEASE_MS = 30_000
/** Nodes of the DHT say where a machine is, and may say something else each time; all hear of each change. */
const SIGN_EVERY_MS = 30_000
/** Whoever invited this machine's person may change their mind all the time. */
const AGREE_EVERY_MS = 5_000
const SAY_PROGRESS_MS = 5_000
/** A machine that runs stays on look-up lists, which keep what was signed for some days. */
const SIGN_FOR_LISTS_MS = 24 * 3_600_000
/** While a copy of this machine runs, there is news of it about once a minute. */
const TWIN_SHOWN_MS = 300_000

export interface CloudNodeOptions extends JoiningOptions {
  /** What is installed on this machine, by the key of the system. */
  systems: {
    /** The key of the installed system that a name means; null if none. */
    resolve(name: string): string | null
    /** The one whose records and sessions are those under this key; see `SystemStore.ownerOf`. */
    ownerOf(key: string): OwningSystem | undefined
    /** A file of a system's repository. */
    readFile(key: string, path: string): Promise<Uint8Array>
  }
  /** Holds values against the schemas of systems. */
  judge: JudgesValues
  /** Did this machine begin the cloud? */
  originated: boolean
}

interface CloudNodeEvents {
  /** Something that the status or the list of machines shows. */
  changed: []
  /** What the ways of finding machines have come to. */
  connectionChanged: []
  ringChanged: []
  recordMerged: [record: CloudRecord]
}

interface Parts extends Joining {
  replication: ReplicationDriver
  database: Database
  sessions: Sessions
  revocations: Revocations
  /** How many records do not hold by the rules of this version. */
  putAside: number
}

export class CloudNode extends EventEmitter<CloudNodeEvents> {
  readonly #options: CloudNodeOptions
  readonly #opened: Disposal
  readonly admission: CloudAdmission
  readonly invitations: Invitations
  readonly whoInvited: WhoInvited
  readonly swarm: Swarm
  readonly lists: Lists
  readonly membership: Membership
  readonly ringLinks: RingLinks
  readonly ring: ServerRing
  readonly replication: ReplicationDriver
  readonly database: Database
  readonly sessions: Sessions
  readonly revocations: Revocations
  /** Of the records, found so far. */
  #damage: StoreDamage | null = null
  readonly #putAside: number
  #twinSeenMs: number | null = null
  #dhtOnline: boolean | null = null
  readonly #addresses: Pace
  readonly #agreements: Pace

  private constructor(options: CloudNodeOptions, parts: Parts, opened: Disposal) {
    super()
    this.#options = options
    this.#opened = opened
    this.admission = parts.admission
    this.invitations = parts.invitations
    this.whoInvited = parts.whoInvited
    this.swarm = parts.swarm
    this.lists = parts.lists
    this.membership = parts.membership
    this.ringLinks = parts.ringLinks
    this.ring = parts.ring
    this.replication = parts.replication
    this.database = parts.database
    this.sessions = parts.sessions
    this.revocations = parts.revocations
    this.#putAside = parts.putAside
    this.#addresses = new Pace(SIGN_EVERY_MS, () => parts.membership.signAnew())
    opened.add(this.#addresses, (pace) => pace.stop())
    this.#agreements = new Pace(AGREE_EVERY_MS, () => parts.membership.signAnew())
    opened.add(this.#agreements, (pace) => pace.stop())
  }

  /**
   * Opens the stores and starts looking for the other machines, without waiting for any. If one part
   * can't be opened, none stays open.
   */
  static open(options: CloudNodeOptions): Promise<CloudNode> {
    return opening((opened) => CloudNode.#open(options, opened))
  }

  static async #open(options: CloudNodeOptions, opened: Disposal): Promise<CloudNode> {
    const { folder, cloud, identity, systems, judge, originated, log } = options
    const { now = Date.now } = options
    await makeFolder(folder)
    const { store, damage, putAside } = await IndexedRecords.open({
      folder: join(folder, 'records'),
      cloud,
      log,
      nowMs: now,
      progress: sayProgress(log),
    })
    opened.add(store, () => store.close())
    const clock = new HybridClock(now)
    const revocations = await Revocations.open(cloud, store)
    opened.add(revocations, () => revocations.close())
    // What joining reports goes to a node that is made from it; nothing is reported before `start`.
    let node: CloudNode | null = null
    const joining = await openJoining(
      options,
      {
        revocations,
        uses: (machine) => node?.sessions.uses(machine) ?? false,
        changed: () => node?.emit('connectionChanged'),
        waysChanged: () => node?.noteWays(),
      },
      opened,
    )
    const { swarm, membership } = joining
    const judgement = new Judgement(judge, (system, collection) => {
      const manifest = systems.ownerOf(system)?.manifest
      return manifest === undefined ? undefined : declaredCollection(manifest, collection)
    })
    const verifier = opened.add(new VerifyPool(VERIFY_THREADS), (pool) => pool.close())
    const sealed = await SealedCores.open({ folder: join(folder, 'segments'), log })
    opened.add(sealed.cores, (cores) => cores.close())
    const segments = new SealedSegments(sealed.cores)
    opened.add(
      swarm.onLink((mux) => segments.attach(mux)),
      (stop) => stop(),
    )
    const replication = await ReplicationDriver.open({
      machine: identity.machine,
      cloud,
      store,
      network: swarm,
      verifier,
      segments,
      judge: (records) => judgement.verdictsOf(records),
      now,
      random: Math.random,
      log,
    })
    opened.add(replication, () => replication.close())
    const database = new Database({
      cloud,
      store,
      clock,
      judgement,
      author: () => ({
        cloud,
        attestation: identity.attestationFor(cloud),
        machineSecretKey: identity.machineKeys.secretKey,
      }),
      resolveSystem: (name) => resolveSystem(systems, name),
      revocations,
      completeness: () =>
        measureCompleteness(
          { linked: swarm.linkCount, alone: originated && membership.list().length === 1 },
          replication.inStepMs,
          performance.now(),
        ),
      log,
    })
    const sessions = await Sessions.open({
      cloud,
      folder: join(folder, 'sessions'),
      identity,
      network: swarm,
      systems,
      records: database,
      revokes: (attested, version) => revocations.revokes(attested, version),
      log,
      now,
    })
    opened.add(sessions, () => sessions.close())
    const parts = { ...joining, replication, database, sessions, revocations, putAside }
    node = new CloudNode(options, parts, opened)
    if (damage !== null) node.#noteDamage(damage)
    node.#start(store)
    return node
  }

  get cloud(): string {
    return this.#options.cloud
  }

  /** What the person should know of this machine in this cloud. */
  get notices(): CloudNotice[] {
    const twin = this.#twinSeenMs
    const isTwice = twin !== null && performance.now() - twin <= TWIN_SHOWN_MS
    const isRevoked = this.admission.report.fault === 'MACHINE_REVOKED'
    return [
      ...(this.#damage === null ? [] : [damageNotice(this.#damage)]),
      ...(this.#putAside === 0 ? [] : [putAsideNotice(this.#putAside)]),
      ...(isTwice ? [TWICE] : []),
      ...(isRevoked ? [REVOKED] : []),
      ...noticesOfClock(this.clock),
    ]
  }

  /** How the clock of this computer stands to those of others. */
  get clock(): ClockReport {
    return reportClock(this.swarm.clockSkew, this.ring.report.lap?.skewMs ?? null)
  }

  async close(): Promise<void> {
    this.removeAllListeners()
    await this.#opened.close()
  }

  /** The sequences of what is known here of a person's machine: its attestation, its revocation. */
  sequencesOf(whose: Pick<Attested, 'person' | 'machine'>): number[] {
    const attestation = this.membership.entryOf(whose.machine)?.attestation
    const known = attestation?.person === whose.person ? [attestation.sequence] : []
    const revoked = this.revocations.get(whose)
    return revoked === undefined ? known : [...known, revoked.sequence]
  }

  /** Has all machines of the cloud hear of a revocation; it is on this disk when the promise resolves. */
  async revoke({ form }: Revocation): Promise<void> {
    const value: RevocationValue = { revocation: form }
    await this.database.putBuiltInContent(REVOCATIONS_COLLECTION, value)
  }

  /** What the ways say has changed, or where this machine is. */
  noteWays(): void {
    const { addresses = [], protocol } = this.membership.ownEntry
    const { ownAddresses, relaysFor } = this.swarm
    // Unchanged ones are written the same way.
    const said = JSON.stringify([addresses, protocol])
    const isSo = JSON.stringify([ownAddresses, protocolOf(relaysFor !== null)])
    if (said !== isSo) this.#addresses.request()
    this.emit('connectionChanged')
    const { dhtOnline } = this.swarm
    if (dhtOnline === this.#dhtOnline) return
    this.#dhtOnline = dhtOnline
    this.emit('changed')
  }

  /** Whoever invited this machine's person may want that seen now, or no more. */
  #noteInvitations(): void {
    if (this.whoInvited.isOutdated) this.#agreements.request()
  }

  #start(store: IndexedRecords): void {
    const { identity, log } = this.#options
    const { membership, replication } = this
    const signAnew = (): void => membership.signAnew()
    const identityChanged = (): void => {
      const before = membership.ownEntry.attestation.hash
      signAnew()
      if (membership.ownEntry.attestation.hash !== before) this.admission.attestedAnew()
    }
    identity.on('changed', identityChanged)
    this.#opened.add(identity, () => void identity.off('changed', identityChanged))
    this.#opened.add(
      this.database.onChange((record) => this.emit('recordMerged', record)),
      (stop) => stop(),
    )
    const changed = (): void => void this.emit('changed')
    replication.on('inStep', changed)
    membership.on('changed', () => {
      replication.countMachines(membership.list().length - 1)
      changed()
    })
    this.revocations.on('revoked', ({ machine }) => {
      this.#letGo(machine)
      this.#noteInvitations()
      changed()
      this.emit('connectionChanged')
    })
    membership.on('machineLearned', ({ machine, attestation }) => {
      if (this.revocations.isRevoked(attestation)) this.#letGo(machine)
      this.ringLinks.learned(machine)
      this.#noteInvitations()
    })
    membership.on('latenciesChanged', changed)
    this.ringLinks.on('changed', changed)
    // The work may have been done before there was anybody to tell.
    if (this.admission.place?.proof !== membership.ownEntry.place?.proof) signAnew()
    // Entries say where machines stand, and are newer now; or what the cloud asks for a place is known.
    const look = (): void => {
      this.ringLinks.look()
      this.ring.look()
    }
    membership.on('changed', look)
    this.on('connectionChanged', look)
    this.ring.on('changed', () => void this.emit('ringChanged'))
    membership.on('twinSeen', () => this.#noteTwin())
    this.#opened.add(
      store.onDamage((damage) => this.#noteDamage(damage)),
      (stop) => stop(),
    )
    membership.announceKnown()
    const release = setInterval(() => {
      store.releaseDue().catch((error: unknown) => {
        log.warn('records whose time has come could not be taken', { error })
      })
    }, RELEASE_MS)
    this.#opened.add(release, (timer) => clearInterval(timer))
    const listing = setInterval(signAnew, SIGN_FOR_LISTS_MS)
    this.#opened.add(listing, (timer) => clearInterval(timer))
    this.swarm.start()
    this.swarm.mapPorts(this.#options.portMapping ?? true)
  }

  /** A machine was revoked: it has to go, and so does whom it let in since. */
  #letGo(revoked: string): void {
    this.swarm.closeThose((entry, pass) => {
      // It may have become another person's since the link opened.
      const { attestation } = this.membership.entryOf(entry.machine) ?? entry
      const isLost = entry.machine === revoked && this.revocations.isRevoked(attestation)
      return (
        isLost || (namesInviter(pass, revoked) && !this.admission.stillHolds(pass, attestation))
      )
    })
  }

  #noteTwin(): void {
    const isNews = this.#twinSeenMs === null
    this.#twinSeenMs = performance.now()
    if (!isNews) return
    const { identity, log } = this.#options
    log.error(TWICE.message, { code: TWICE.code, machine: identity.machine })
    this.emit('changed')
  }

  #noteDamage(damage: StoreDamage): void {
    this.#options.log.warn('the index of records was damaged', { ...damage })
    this.#damage = joinDamage(this.#damage, damage)
    this.emit('changed')
  }
}

/** Says in the log how far a long look through all records has come. */
function sayProgress(log: Log): (rows: number) => void {
  let saidMs = performance.now()
  return (rows) => {
    if (performance.now() - saidMs < SAY_PROGRESS_MS) return
    saidMs = performance.now()
    log.info('the records on this disk are gone through', { rows })
  }
}

const REVOKED: CloudNotice = {
  code: 'MACHINE_REVOKED',
  message: REVOKED_WORDS,
}

const TWICE: CloudNotice = {
  code: 'MACHINE_TWICE',
  message:
    'A copy of this machine is running somewhere: another computer signs with its key. Nothing that ' +
    'is written is lost, but both disturb each other’s links. Stop one of the two.',
}

function resolveSystem(systems: CloudNodeOptions['systems'], name: string): NamedSystem {
  const key = systems.resolve(name) ?? (decodeKey(name) === null ? null : name)
  if (key === null) {
    throw new CloudError(
      'SYSTEM_NOT_INSTALLED',
      `"${name}" is not installed on this machine. Install it, or name it by its key.`,
      { system: name },
    )
  }
  return systems.ownerOf(key) ?? { key, formerKeys: [], manifest: undefined }
}
