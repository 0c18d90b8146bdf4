// The machine: everything it holds and does, behind the contract. Runs in the desktop app's utility
// process and in the daemon alike.
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import type { Router } from '@orpc/server'
import type { DhtAddress } from 'hyperdht'
import packageJson from '../../package.json' with { type: 'json' }
import { CloudBook, parseCloudKey } from './cloud-book.ts'
import { CloudNode } from './cloud-node.ts'
import { findRecordsBehind, openIdentity } from './data-folder.ts'
import { MachineSettings } from './machine-settings.ts'
import type { CloudNodeOptions } from './cloud-node.ts'
import type {
  CloudInfo,
  CloudNotice,
  CloudStatus,
  InvitationOffer,
  ReleaseFile,
} from '../contract/cloud.ts'
import type { ConnectionReport } from '../contract/connection.ts'
import type { CloudRecord } from '../contract/db.ts'
import type { Contract } from '../contract/index.ts'
import { CloudError } from '../contract/errors.ts'
import type { BuiltLists } from '../contract/lists.ts'
import type { JoinText } from '../contract/join-text.ts'
import { cloudIdOf } from '../core/forms/genesis.ts'
import type { Log } from '../ports/log.ts'
import type { SecretStore } from '../ports/secret-store.ts'
import { opening } from '../flow/disposal.ts'
import type { Disposal } from '../flow/disposal.ts'
import { SerialQueue } from '../flow/serial-queue.ts'
import { createCallerCheck, createInputReader } from '../rpc/caller.ts'
import type { CallContext, Caller } from '../rpc/caller.ts'
import type { AnyPort } from '../rpc/port.ts'
import { createServer } from '../rpc/server.ts'
import type { Serve } from '../rpc/server.ts'
import type { WayName } from '../core/finding/ways-core.ts'
import { reportConnection } from '../services/cloud/connection-report.ts'
import { describeMachine } from '../services/cloud/machine-details.ts'
import type { MachineKnowledge } from '../services/cloud/machine-details.ts'
import type { GivenAdmission } from '../services/cloud/admission.ts'
import { createCloudService } from '../services/cloud/cloud-service.ts'
import type { HowToJoin, NewCloud } from '../services/cloud/cloud-service.ts'
import { readWanted, secretOf } from '../services/cloud/invited.ts'
import { acceptOffer, readOffer } from '../services/cloud/meeting.ts'
import type { MeetingOptions } from '../services/cloud/meeting.ts'
import { createDbService } from '../services/db/db-service.ts'
import { createIdentityService } from '../services/identity/identity-service.ts'
import type { Identity } from '../services/identity/identity.ts'
import { createSessionsService } from '../services/sessions/sessions-service.ts'
import { openSystemStore } from '../services/systems/system-store.ts'
import type { SystemStore } from '../services/systems/system-store.ts'
import { createSystemsService } from '../services/systems/systems-service.ts'
import { sharedJudge } from '../sandbox/schema-judge.ts'
import { claimDataFormat } from '../store/data-format.ts'
import { lockFolder } from '../store/folder-lock.ts'

export interface RuntimeOptions {
  dataDir: string
  /** Join this cloud. Without it the folder's own is reopened, or a new one originated. */
  cloud?: string
  /** What lets this machine into a cloud of releases. A new folder goes there if `cloud` does not say otherwise. */
  release?: ReleaseFile
  /** DHT nodes to begin with; the public ones if absent. */
  bootstrap?: readonly DhtAddress[]
  /** Address for the DHT to bind to; all if absent. */
  host?: string
  /** The ways of finding other machines that are gone; all if absent. */
  ways?: readonly WayName[]
  /** False: the router is asked for no port as long as this runs, whatever the person has set. */
  portMapping?: false
  /** Look-up lists of the cloud of the start, beside those that it has already. */
  lists?: readonly string[]
  /** Lists that the build carries, for their cloud alone. */
  builtLists?: BuiltLists
  /** See `CloudNodeOptions`. */
  secrets?: SecretStore
  kind: 'desktop' | 'headless'
  /** The folder of the modules that systems get from `/.dharma/`. */
  sdkDir: string
  log: Log
}

interface RuntimeEvents {
  cloudChanged: []
  connectionChanged: []
  ringChanged: []
  recordMerged: [record: CloudRecord]
}

export class Runtime {
  readonly #options: RuntimeOptions
  readonly #identity: Identity
  readonly #clouds: CloudBook
  readonly #settings: MachineSettings
  readonly systems: SystemStore
  readonly #opened: Disposal
  readonly #startedMs = Date.now()
  readonly #events = new EventEmitter<RuntimeEvents>()
  readonly #moves = new SerialQueue()
  readonly #serve: Serve<CallContext>
  /** Found when the folder was opened; they stay as long as this runs. */
  readonly #notices: readonly CloudNotice[]
  /** Of the present cloud's folder. */
  #recordsBehind: CloudNotice | null = null
  #node: CloudNode | null = null

  private constructor(
    options: RuntimeOptions,
    parts: {
      identity: Identity
      clouds: CloudBook
      settings: MachineSettings
      systems: SystemStore
      notices: readonly CloudNotice[]
      opened: Disposal
    },
  ) {
    this.#options = options
    this.#identity = parts.identity
    this.#clouds = parts.clouds
    this.#settings = parts.settings
    this.systems = parts.systems
    this.#notices = parts.notices
    this.#opened = parts.opened
    this.#events.setMaxListeners(0)
    this.#serve = createServer<CallContext>(this.#createRouter(), {
      access: createCallerCheck({
        systemOfSession: (session) => this.#present().sessions.systemOf(session),
        ownerOf: (system) => this.systems.ownerOf(system)?.key ?? null,
      }),
      readInput: createInputReader((name) => this.systems.resolve(name)),
      onInternalError: (error, path) => {
        options.log.error('a call failed through our own fault', { call: path.join('.'), error })
      },
    })
  }

  /**
   * Starts the machine of a data folder. Returns when it can answer calls; finding other machines
   * goes on.
   * @throws CloudError FOLDER_IN_USE, FOLDER_UNUSABLE, CLOUD_KEY_INVALID, DATA_DAMAGED, DATA_TOO_NEW,
   *   IDENTITY_PHRASE_NEEDED
   */
  static async start(options: RuntimeOptions): Promise<Runtime> {
    return opening(async (opened) => {
      const { dataDir, sdkDir, log } = options
      opened.add(await lockFolder(dataDir), (unlock) => unlock())
      const notices: CloudNotice[] = []
      const say = (notice: CloudNotice): void => {
        log.warn(notice.message, { code: notice.code })
        notices.push(notice)
      }
      await claimDataFormat(dataDir)
      const identity = await openIdentity(dataDir, say)
      const { cloud, release } = options
      // Before the folder takes the cloud for its own.
      if (cloud !== undefined) identity.attestationFor(parseCloudKey(cloud))
      const clouds = await CloudBook.open(dataDir, {
        say,
        ...(cloud === undefined ? {} : { cloud }),
        ...(release === undefined ? {} : { home: cloudIdOf(release.genesis) }),
      })
      if (release !== undefined) {
        await clouds.learnGenesis(cloudIdOf(release.genesis), release.genesis)
      }
      const settings = await MachineSettings.open(dataDir, (message) =>
        say({ code: 'FILE_MENDED', message }),
      )
      const { machine } = identity
      const systems = await openSystemStore({ dataDir, machine, sdkDir, log })
      const runtime = new Runtime(options, {
        identity,
        clouds,
        settings,
        systems,
        notices,
        opened,
      })
      const { lists = [] } = options
      await runtime.#enter(clouds.current, { lists })
      return runtime
    })
  }

  get machine(): string {
    return this.#identity.machine
  }

  get cloud(): string {
    return this.#clouds.current
  }

  get originated(): boolean {
    return this.#clouds.originated
  }

  /** By which ways it looks for the others, and how far each has come. */
  get connection(): ConnectionReport {
    const { swarm, lists, admission, clock } = this.#present()
    const { ways, linkCount, relayedCount, relaysFor, nat, ownAddresses: addresses } = swarm
    const { report } = admission
    return reportConnection({
      state: this.#state(),
      admission: report,
      ways,
      lists: lists.reports,
      links: { direct: linkCount - relayedCount, relayed: relayedCount },
      relaying: relaysFor,
      nat,
      addresses,
      clock,
      ports: {
        on: this.#settings.portMapping,
        status: swarm.ports,
        nowMs: performance.now(),
        wallMs: Date.now(),
      },
    })
  }

  /** Answers calls on a port, in the name of `caller`, until it closes. */
  serve(port: AnyPort, caller: Caller): void {
    this.#serve(port, { caller })
  }

  /** This computer has woken from sleep: as good as another network. */
  awake(): void {
    this.#options.log.info('the system says that this computer has woken')
    this.#node?.swarm.awake()
  }

  async close(): Promise<void> {
    try {
      await this.#moves.run(() => this.#leave())
    } finally {
      await this.#opened.close()
    }
  }

  /** The part that belongs to the present cloud. */
  #present(): CloudNode {
    if (this.#node !== null) return this.#node
    throw new CloudError(
      'UNAVAILABLE',
      'This machine is between two clouds. Try again in a moment.',
    )
  }

  async #enter(
    cloud: string,
    { lists = [], given = null }: { lists?: readonly string[]; given?: GivenAdmission | null } = {},
  ): Promise<void> {
    const { dataDir, kind, log, bootstrap, host, ways, release, secrets, builtLists } =
      this.#options
    const options: CloudNodeOptions = {
      folder: join(dataDir, 'clouds', cloud),
      cloud,
      identity: this.#identity,
      kind,
      appVersion: packageJson.version,
      systems: this.systems,
      judge: sharedJudge(),
      originated: this.#clouds.isOriginated(cloud),
      ownerKey: this.#clouds.ownerKeyOf(cloud),
      given,
      release: release === undefined || cloudIdOf(release.genesis) !== cloud ? null : release,
      genesis: {
        body: () => this.#clouds.genesisOf(cloud) ?? null,
        learned: (body) => this.#learnGenesis(cloud, body),
      },
      lists: [
        ...(builtLists?.cloud === cloud ? builtLists.lists : []),
        ...lists.map((url) => ({ url })),
      ],
      portMapping: this.#mapsPorts,
      showsInvitations: () => this.#settings.showsInvitations,
      isWatched: () => this.#events.listenerCount('cloudChanged') > 0,
      log,
      ...(bootstrap === undefined ? {} : { bootstrap }),
      ...(host === undefined ? {} : { host }),
      ...(ways === undefined ? {} : { ways }),
      ...(secrets === undefined ? {} : { secrets }),
    }
    this.#recordsBehind = await findRecordsBehind(options.folder)
    const node = await CloudNode.open(options)
    node.on('changed', () => this.#events.emit('cloudChanged'))
    node.on('connectionChanged', () => this.#events.emit('connectionChanged'))
    node.on('ringChanged', () => this.#events.emit('ringChanged'))
    node.on('recordMerged', (record) => this.#events.emit('recordMerged', record))
    this.#node = node
    this.#events.emit('cloudChanged')
  }

  get #mapsPorts(): boolean {
    return this.#settings.portMapping && this.#options.portMapping !== false
  }

  async #setPortMapping(on: boolean): Promise<void> {
    await this.#settings.set({ portMapping: on })
    this.#node?.swarm.mapPorts(this.#mapsPorts)
    this.#events.emit('connectionChanged')
  }

  async #showInvitations(on: boolean): Promise<void> {
    await this.#settings.set({ showsInvitations: on })
    this.#node?.membership.signAnew()
  }

  #learnGenesis(cloud: string, body: string): void {
    this.#clouds.learnGenesis(cloud, body).catch((error: unknown) => {
      // It is heard again from the next machine.
      this.#options.log.warn('how the cloud began could not be kept', { error })
    })
  }

  async #leave(): Promise<void> {
    const node = this.#node
    this.#node = null
    await node?.close()
  }

  #join(text: string, { phrase, expected }: HowToJoin): Promise<void> {
    const wanted = readWanted(text)
    if (wanted.kind === 'cloud') return this.#moves.run(() => this.#move(wanted.cloud, { phrase }))
    return this.#moves.run(async () => {
      const options = await this.#meeting(wanted)
      const admitted = await acceptOffer(options, async (cloud) => {
        if (expected !== undefined && cloud !== expected) {
          throw new CloudError(
            'INVITATION_INVALID',
            'This invitation leads to another cloud than it did when you looked. Do not trust who gave it to you.',
            { cloud, expected },
          )
        }
        await this.#attest(cloud, phrase)
        return this.#identity.attestationFor(cloud)
      })
      const { offer, genesis, machine, addresses } = admitted
      await this.#clouds.learnGenesis(offer.cloud, genesis)
      await this.#move(offer.cloud, { given: admitted })
      this.#present().swarm.reach(machine, addresses)
    })
  }

  async #readInvitation(text: string): Promise<InvitationOffer> {
    const wanted = readWanted(text)
    if (wanted.kind !== 'cloud') return readOffer(await this.#meeting(wanted))
    throw new CloudError('INVITATION_INVALID', 'This is the key of a cloud, and no invitation.')
  }

  async #meeting(wanted: Exclude<JoinText, { kind: 'cloud' }>): Promise<MeetingOptions> {
    const { swarm } = this.#present()
    return { swarm, machine: this.#identity.machine, secret: await secretOf(wanted) }
  }

  #create({ phrase, ...cloud }: NewCloud & { phrase?: string | undefined }): Promise<void> {
    return this.#moves.run(async () => {
      // Nothing is begun before it is known that this machine may enter.
      this.#identity.ownKeysOf(phrase)
      await this.#move(await this.#clouds.create(cloud), { phrase })
    })
  }

  /** The person's word that this machine is theirs in a cloud, by the phrase where it is not kept here. */
  async #attest(cloud: string, phrase: string | undefined): Promise<void> {
    const { machine } = this.#identity
    if (phrase !== undefined) await this.#identity.attest({ machine, cloud, phrase })
  }

  async #move(
    cloud: string,
    { phrase, given = null }: { phrase?: string | undefined; given?: GivenAdmission | null },
  ): Promise<void> {
    const before = this.#clouds.current
    if (cloud === before) {
      if (given !== null) await this.#present().admission.keep(given)
      return
    }
    await this.#attest(cloud, phrase)
    // Nothing is left before it is known that this machine may enter.
    this.#identity.attestationFor(cloud)
    await this.#leave()
    try {
      await this.#enter(cloud, { given })
      await this.#clouds.choose(cloud)
    } catch (error) {
      await this.#leave()
      await this.#enter(before)
      throw error
    }
    this.#events.emit('cloudChanged')
  }

  #info(): CloudInfo {
    const { genesis, report, revokedReleases } = this.#present().admission
    const cloud = this.#clouds.current
    return {
      cloud,
      name: genesis?.name ?? null,
      admission: report.kind,
      owner: this.#clouds.ownerKeyOf(cloud) !== null,
      keys: genesis?.keys ?? [],
      revokedReleases: [...revokedReleases],
    }
  }

  #state(): CloudStatus['state'] {
    const { swarm, membership } = this.#present()
    if (swarm.linkCount > 0) return 'joined'
    return membership.list().length === 1 && this.#clouds.originated ? 'alone' : 'looking'
  }

  #knowledge(): MachineKnowledge {
    const { membership, swarm, ringLinks } = this.#present()
    return { membership, swarm, ringLinks, now: Date.now }
  }

  #status(): CloudStatus {
    const { swarm, membership, ringLinks, notices } = this.#present()
    const behind = this.#recordsBehind
    const machines = membership.list()
    const machinesOnline = machines.filter(({ online }) => online).length
    const connections = swarm.linkCount
    return {
      machine: this.#identity.machine,
      cloud: this.#clouds.current,
      originated: this.#clouds.originated,
      connections,
      state: this.#state(),
      machineName: this.#identity.machineName,
      machinesKnown: machines.length,
      machinesOnline,
      machinesEstimated: Math.max(ringLinks.machines, machinesOnline),
      dhtOnline: swarm.dhtOnline,
      startedMs: this.#startedMs,
      dataDir: this.#options.dataDir,
      appVersion: packageJson.version,
      notices: [
        // Once the recovery phrase was put in, it is not true any more.
        ...this.#notices.filter(({ code }) => code !== 'IDENTITY_LOST' || this.#identity.isBegun),
        ...(behind === null ? [] : [behind]),
        ...notices,
      ],
    }
  }

  /** Every call of the contract: one that nobody implements does not compile. */
  #createRouter(): Router<Contract, CallContext> {
    const onEvent = <E extends keyof RuntimeEvents>(
      event: E,
      listener: (...args: RuntimeEvents[E]) => void,
    ): (() => void) => {
      const emitter = this.#events as EventEmitter
      // One that throws takes nobody along.
      const listen = (...args: RuntimeEvents[E]): void => {
        try {
          listener(...args)
        } catch (error) {
          this.#options.log.error('who listens to the machine failed', { event, error })
        }
      }
      emitter.on(event, listen)
      return () => emitter.off(event, listen)
    }
    return {
      identity: createIdentityService(this.#identity, {
        current: () => this.#clouds.current,
        known: () => this.#clouds.known.map(({ cloud }) => cloud),
        sequencesOf: (whose) => this.#present().sequencesOf(whose),
        ownerOf: (machine) => this.#present().membership.entryOf(machine)?.person ?? null,
        spread: (revocation) => this.#present().revoke(revocation),
        chain: () => this.#present().admission.chain,
        keepChain: (chain, person) => this.#present().admission.keepChain(chain, person),
      }),
      cloud: createCloudService({
        status: () => this.#status(),
        machines: () => this.#present().membership.list(),
        machine: (machine) => describeMachine(machine, this.#knowledge()),
        connection: () => this.connection,
        ring: () => this.#present().ring.report,
        onChange: (listener) => onEvent('cloudChanged', listener),
        onRingChange: (listener) => {
          const stops = [onEvent('cloudChanged', listener), onEvent('ringChanged', listener)]
          return () => {
            for (const stop of stops) stop()
          }
        },
        onConnectionChange: (listener) => {
          const stops = [onEvent('cloudChanged', listener), onEvent('connectionChanged', listener)]
          return () => {
            for (const stop of stops) stop()
          }
        },
        join: (text, how) => this.#join(text, how),
        readInvitation: (text) => this.#readInvitation(text),
        invitations: () => {
          const { admission, invitations, whoInvited } = this.#present()
          return {
            given: invitations.given,
            invitedBy: admission.invitedBy,
            showing: this.#settings.showsInvitations,
            shown: whoInvited.shown,
          }
        },
        invite: (uses, lastsMs) => this.#present().invitations.create(uses, lastsMs),
        withdrawInvitation: (id) => this.#present().invitations.withdraw(id),
        create: (cloud) => this.#create(cloud),
        info: () => this.#info(),
        releases: () => this.#present().admission.releases,
        known: () => this.#clouds.known,
        lists: () => this.#present().lists,
        renameMachine: (name) => this.#identity.renameMachine(name),
        setPortMapping: (on) => this.#setPortMapping(on),
        showInvitations: (on) => this.#showInvitations(on),
      }),
      db: createDbService({
        database: () => this.#present().database,
        onChange: (listener) => onEvent('recordMerged', listener),
      }),
      systems: createSystemsService({
        store: this.systems,
        deleteOwnRecords: (system) => this.#present().database.deleteOwnRecords(system),
      }),
      sessions: createSessionsService({ sessions: () => this.#present().sessions }),
    }
  }
}
