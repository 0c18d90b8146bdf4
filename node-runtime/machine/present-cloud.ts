// In which cloud this machine is, and how it moves into another: what belongs to one is built when it enters, and closed
// when it leaves. One move comes after the other, and nothing is left before it is known that the machine may enter.
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import type { DhtAddress } from 'hyperdht'
import packageJson from '../../package.json' with { type: 'json' }
import type { CloudNotice, InvitationOffer, ReleaseFile } from '../contract/cloud.ts'
import type { CloudRecord } from '../contract/db.ts'
import { CloudError } from '../contract/errors.ts'
import type { JoinText } from '../contract/join-text.ts'
import type { BuiltLists } from '../contract/lists.ts'
import type { WayName } from '../core/finding/ways-core.ts'
import { cloudIdOf } from '../core/forms/genesis.ts'
import { SerialQueue } from '../flow/serial-queue.ts'
import type { Log } from '../ports/log.ts'
import type { SecretStore } from '../ports/secret-store.ts'
import { sharedJudge } from '../sandbox/schema-judge.ts'
import type { GivenAdmission } from '../services/cloud/admission.ts'
import type { HowToJoin, NewCloud } from '../services/cloud/cloud-service.ts'
import { readWanted, secretOf } from '../services/cloud/invited.ts'
import { acceptOffer, readOffer } from '../services/cloud/meeting.ts'
import type { MeetingOptions } from '../services/cloud/meeting.ts'
import type { Identity } from '../services/identity/identity.ts'
import type { SystemStore } from '../services/systems/system-store.ts'
import type { CloudBook } from './cloud-book.ts'
import { CloudNode } from './cloud-node.ts'
import type { CloudNodeOptions } from './cloud-node.ts'
import { findRecordsBehind } from './data-folder.ts'
import type { MachineSettings } from './machine-settings.ts'

export interface PresentCloudOptions {
  dataDir: string
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
  /** Lists that the build carries, for their cloud alone. */
  builtLists?: BuiltLists
  /** See `CloudNodeOptions`. */
  secrets?: SecretStore
  kind: 'desktop' | 'headless'
  log: Log
}

export interface PresentCloudEvents {
  cloudChanged: []
  connectionChanged: []
  ringChanged: []
  recordMerged: [record: CloudRecord]
}

interface Parts {
  identity: Identity
  clouds: CloudBook
  settings: MachineSettings
  systems: SystemStore
}

export class PresentCloud extends EventEmitter<PresentCloudEvents> {
  readonly #options: PresentCloudOptions
  readonly #identity: Identity
  readonly #clouds: CloudBook
  readonly #settings: MachineSettings
  readonly #systems: SystemStore
  readonly #moves = new SerialQueue()
  #recordsBehind: CloudNotice | null = null
  #node: CloudNode | null = null

  constructor(options: PresentCloudOptions, { identity, clouds, settings, systems }: Parts) {
    super()
    this.setMaxListeners(0)
    this.#options = options
    this.#identity = identity
    this.#clouds = clouds
    this.#settings = settings
    this.#systems = systems
  }

  /** The machine in the present cloud. @throws CloudError UNAVAILABLE between two of them */
  get node(): CloudNode {
    if (this.#node !== null) return this.#node
    throw new CloudError(
      'UNAVAILABLE',
      'This machine is between two clouds. Try again in a moment.',
    )
  }

  /** Records in the present cloud's folder that this version does not show. */
  get recordsBehind(): CloudNotice | null {
    return this.#recordsBehind
  }

  /** Enters the cloud that the folder is in. */
  async open(lists: readonly string[]): Promise<void> {
    await this.#enter(this.#clouds.current, { lists })
  }

  /** This computer has woken from sleep. */
  awake(): void {
    this.#node?.swarm.awake()
  }

  /**
   * Moves into another cloud: by its key, or by what somebody of it gave out.
   * @throws CloudError as `cloud.join` of the contract says
   */
  join(text: string, { phrase, expected }: HowToJoin): Promise<void> {
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
      this.node.swarm.reach(machine, addresses)
    })
  }

  /** What an invitation leads to: asks who gave it out, and changes nothing. */
  async readInvitation(text: string): Promise<InvitationOffer> {
    const wanted = readWanted(text)
    if (wanted.kind !== 'cloud') return readOffer(await this.#meeting(wanted))
    throw new CloudError('INVITATION_INVALID', 'This is the key of a cloud, and no invitation.')
  }

  /** Begins a cloud, and moves into it. */
  create({ phrase, ...cloud }: NewCloud & { phrase?: string | undefined }): Promise<void> {
    return this.#moves.run(async () => {
      // Nothing is begun before it is known that this machine may enter.
      this.#identity.ownKeysOf(phrase)
      await this.#move(await this.#clouds.create(cloud), { phrase })
    })
  }

  /** For this cloud and later ones. */
  async setPortMapping(on: boolean): Promise<void> {
    await this.#settings.set({ portMapping: on })
    this.#node?.swarm.mapPorts(this.#mapsPorts)
    this.emit('connectionChanged')
  }

  /** For this cloud and later ones. */
  async showInvitations(on: boolean): Promise<void> {
    await this.#settings.set({ showsInvitations: on })
    this.#node?.membership.signAnew()
  }

  async close(): Promise<void> {
    await this.#moves.run(() => this.#leave())
  }

  async #move(
    cloud: string,
    { phrase, given = null }: { phrase?: string | undefined; given?: GivenAdmission | null },
  ): Promise<void> {
    const before = this.#clouds.current
    if (cloud === before) {
      if (given !== null) await this.node.admission.keep(given)
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
    this.emit('cloudChanged')
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
      systems: this.#systems,
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
      isWatched: () => this.listenerCount('cloudChanged') > 0,
      log,
      ...(bootstrap === undefined ? {} : { bootstrap }),
      ...(host === undefined ? {} : { host }),
      ...(ways === undefined ? {} : { ways }),
      ...(secrets === undefined ? {} : { secrets }),
    }
    this.#recordsBehind = await findRecordsBehind(options.folder)
    const node = await CloudNode.open(options)
    node.on('changed', () => this.emit('cloudChanged'))
    node.on('connectionChanged', () => this.emit('connectionChanged'))
    node.on('ringChanged', () => this.emit('ringChanged'))
    node.on('recordMerged', (record) => this.emit('recordMerged', record))
    this.#node = node
    this.emit('cloudChanged')
  }

  async #leave(): Promise<void> {
    const node = this.#node
    this.#node = null
    await node?.close()
  }

  #learnGenesis(cloud: string, body: string): void {
    this.#clouds.learnGenesis(cloud, body).catch((error: unknown) => {
      // It is heard again from the next machine.
      this.#options.log.warn('how the cloud began could not be kept', { error })
    })
  }

  async #meeting(wanted: Exclude<JoinText, { kind: 'cloud' }>): Promise<MeetingOptions> {
    const { swarm } = this.node
    return { swarm, machine: this.#identity.machine, secret: await secretOf(wanted) }
  }

  /** The person's word that this machine is theirs in a cloud, by the phrase where it is not kept here. */
  async #attest(cloud: string, phrase: string | undefined): Promise<void> {
    const { machine } = this.#identity
    if (phrase !== undefined) await this.#identity.attest({ machine, cloud, phrase })
  }

  get #mapsPorts(): boolean {
    return this.#settings.portMapping && this.#options.portMapping !== false
  }
}
