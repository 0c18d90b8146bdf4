// The machine: everything it holds and does, behind the contract. Runs in the desktop app's utility
// process and in the daemon alike.
import type { EventEmitter } from 'node:events'
import type { Router } from '@orpc/server'
import packageJson from '../../package.json' with { type: 'json' }
import { CloudBook, parseCloudKey } from './cloud-book.ts'
import type { CloudNode } from './cloud-node.ts'
import { openIdentity } from './data-folder.ts'
import { MachineSettings } from './machine-settings.ts'
import { PresentCloud } from './present-cloud.ts'
import type { PresentCloudEvents, PresentCloudOptions } from './present-cloud.ts'
import type { CloudInfo, CloudNotice, CloudStatus } from '../contract/cloud.ts'
import type { ConnectionReport } from '../contract/connection.ts'
import type { Contract } from '../contract/index.ts'
import { cloudIdOf } from '../core/forms/genesis.ts'
import { opening } from '../flow/disposal.ts'
import type { Disposal } from '../flow/disposal.ts'
import { createCallerCheck, createInputReader } from '../rpc/caller.ts'
import type { CallContext, Caller } from '../rpc/caller.ts'
import type { AnyPort } from '../rpc/port.ts'
import { createServer } from '../rpc/server.ts'
import type { Serve } from '../rpc/server.ts'
import { reportConnection } from '../services/cloud/connection-report.ts'
import { describeMachine } from '../services/cloud/machine-details.ts'
import type { MachineKnowledge } from '../services/cloud/machine-details.ts'
import { createCloudService } from '../services/cloud/cloud-service.ts'
import { createDbService } from '../services/db/db-service.ts'
import { createIdentityService } from '../services/identity/identity-service.ts'
import type { Identity } from '../services/identity/identity.ts'
import { createSessionsService } from '../services/sessions/sessions-service.ts'
import { openSystemStore } from '../services/systems/system-store.ts'
import type { SystemStore } from '../services/systems/system-store.ts'
import { createSystemsService } from '../services/systems/systems-service.ts'
import { claimDataFormat } from '../store/data-format.ts'
import { lockFolder } from '../store/folder-lock.ts'

export interface RuntimeOptions extends PresentCloudOptions {
  /** Join this cloud. Without it the folder's own is reopened, or a new one originated. */
  cloud?: string
  /** Look-up lists of the cloud of the start, beside those that it has already. */
  lists?: readonly string[]
  /** The folder of the modules that systems get from `/.dharma/`. */
  sdkDir: string
}

export class Runtime {
  readonly #options: RuntimeOptions
  readonly #identity: Identity
  readonly #clouds: CloudBook
  readonly #settings: MachineSettings
  readonly systems: SystemStore
  readonly #opened: Disposal
  readonly #startedMs = Date.now()
  readonly #cloud: PresentCloud
  readonly #serve: Serve<CallContext>
  /** Found when the folder was opened; they stay as long as this runs. */
  readonly #notices: readonly CloudNotice[]

  private constructor(
    options: RuntimeOptions,
    parts: {
      identity: Identity
      clouds: CloudBook
      settings: MachineSettings
      systems: SystemStore
      notices: readonly CloudNotice[]
      opened: Disposal
      cloud: PresentCloud
    },
  ) {
    this.#options = options
    this.#identity = parts.identity
    this.#clouds = parts.clouds
    this.#settings = parts.settings
    this.systems = parts.systems
    this.#notices = parts.notices
    this.#opened = parts.opened
    this.#cloud = parts.cloud
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
      const parts = { identity, clouds, settings, systems }
      const present = new PresentCloud(options, parts)
      const runtime = new Runtime(options, { ...parts, notices, opened, cloud: present })
      await present.open(options.lists ?? [])
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
    this.#cloud.awake()
  }

  async close(): Promise<void> {
    try {
      await this.#cloud.close()
    } finally {
      await this.#opened.close()
    }
  }

  /** The part that belongs to the present cloud. */
  #present(): CloudNode {
    return this.#cloud.node
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
    const behind = this.#cloud.recordsBehind
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
    const onEvent = <E extends keyof PresentCloudEvents>(
      event: E,
      listener: (...args: PresentCloudEvents[E]) => void,
    ): (() => void) => {
      const emitter = this.#cloud as EventEmitter
      // One that throws takes nobody along.
      const listen = (...args: PresentCloudEvents[E]): void => {
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
        join: (text, how) => this.#cloud.join(text, how),
        readInvitation: (text) => this.#cloud.readInvitation(text),
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
        create: (cloud) => this.#cloud.create(cloud),
        info: () => this.#info(),
        releases: () => this.#present().admission.releases,
        known: () => this.#clouds.known,
        lists: () => this.#present().lists,
        renameMachine: (name) => this.#identity.renameMachine(name),
        setPortMapping: (on) => this.#cloud.setPortMapping(on),
        showInvitations: (on) => this.#cloud.showInvitations(on),
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
