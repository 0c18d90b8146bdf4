// This machine as a part of one cloud: its records, its links, what it knows of the others. Joining
// another cloud closes this and opens another.
import { EventEmitter } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DhtAddress } from 'hyperdht'
import type { CloudRecord } from '../contract/db.ts'
import type { Manifest } from '../contract/manifest.ts'
import type { Log } from '../ports/log.ts'
import { signMachineForm } from '../core/forms/machine-form.ts'
import type { MachineEntry } from '../core/forms/machine-form.ts'
import { PROTOCOL } from '../swarm/capabilities.ts'
import { Membership } from '../services/cloud/membership.ts'
import { Database } from '../services/db/database.ts'
import type { Identity } from '../services/identity/identity.ts'
import { Sessions } from '../services/sessions/sessions.ts'
import { RecordStore } from '../store/record-store.ts'
import { Swarm } from '../swarm/swarm.ts'

export interface CloudNodeOptions {
  /** Of this cloud alone. */
  folder: string
  cloud: string
  identity: Identity
  kind: 'desktop' | 'headless'
  appVersion: string
  /** What is installed on this machine. */
  systems: {
    get(id: string): { manifest: Manifest } | undefined
    /** A file of a system's repository. */
    readFile(id: string, path: string): Promise<Uint8Array>
  }
  log: Log
  bootstrap?: readonly DhtAddress[]
  host?: string
}

interface CloudNodeEvents {
  /** Something that the status or the list of machines shows. */
  changed: []
  recordMerged: [record: CloudRecord]
}

export class CloudNode extends EventEmitter<CloudNodeEvents> {
  readonly #options: CloudNodeOptions
  readonly #store: RecordStore
  readonly swarm: Swarm
  readonly membership: Membership
  readonly database: Database
  readonly sessions: Sessions
  readonly #onIdentityChanged: () => void

  private constructor(
    options: CloudNodeOptions,
    parts: {
      store: RecordStore
      swarm: Swarm
      membership: Membership
      database: Database
      sessions: Sessions
    },
    onIdentityChanged: () => void,
  ) {
    super()
    this.#options = options
    this.#store = parts.store
    this.swarm = parts.swarm
    this.membership = parts.membership
    this.database = parts.database
    this.sessions = parts.sessions
    this.#onIdentityChanged = onIdentityChanged
  }

  /** Opens the stores and starts looking for the other machines, without waiting for any. */
  static async open(options: CloudNodeOptions): Promise<CloudNode> {
    const { folder, cloud, identity, log, bootstrap, host } = options
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const now = Date.now
    const store = await RecordStore.open(folder, log, now)
    // The swarm reports to a node that is made from it; nothing is reported before `start`.
    let node: CloudNode | null = null
    const swarm = new Swarm(
      {
        keyPair: identity.machineKeys,
        cloud,
        ownEntry: () => membership.ownEntry,
        log,
        ...(bootstrap === undefined ? {} : { bootstrap }),
        ...(host === undefined ? {} : { host }),
      },
      {
        linkOpened: (entry) => node?.membership.linkOpened(entry),
        linkClosed: ({ machine }) => node?.membership.linkClosed(machine),
        heartbeat: () => node?.membership.heartbeat(),
        dhtChanged: () => node?.emit('changed'),
      },
    )
    const membership = await Membership.open({
      folder,
      cloud,
      sign: (sequence) => makeEntry(options, store.ownLog, sequence),
      network: swarm,
      log,
      now,
    })
    const database = new Database({
      store,
      author: () => ({ person: identity.person, secretKey: identity.personSecretKey }),
      manifestOf: (system) => options.systems.get(system)?.manifest,
    })
    const sessions = await Sessions.open({
      folder: join(folder, 'sessions'),
      identity,
      network: swarm,
      systems: options.systems,
      records: database,
      log,
      now,
    })
    const onIdentityChanged = (): void => membership.signAnew()
    node = new CloudNode(
      options,
      { store, swarm, membership, database, sessions },
      onIdentityChanged,
    )
    node.#start()
    return node
  }

  get cloud(): string {
    return this.#options.cloud
  }

  async close(): Promise<void> {
    this.#options.identity.off('changed', this.#onIdentityChanged)
    this.removeAllListeners()
    await this.sessions.close()
    await this.swarm.close()
    await this.membership.close()
    await this.#store.close()
  }

  #start(): void {
    const { identity, log } = this.#options
    identity.on('changed', this.#onIdentityChanged)
    this.#store.on('recordMerged', (record) => this.emit('recordMerged', record))
    this.membership.on('changed', () => this.emit('changed'))
    this.membership.on('machineLearned', (entry) => {
      const dbLog = dbLogOf(entry)
      this.#store.follow(dbLog).catch((error: unknown) => {
        log.error('a log could not be followed', { log: dbLog, error })
      })
    })
    this.membership.announceKnown()
    this.swarm.onLink((mux) => this.#store.replicate(mux))
    this.swarm.start()
  }
}

/** The key of the machine's log of records, which its entry names beside what the form knows. */
function dbLogOf({ form }: MachineEntry): string {
  return String((JSON.parse(form.body) as { dbLog?: unknown }).dbLog)
}

function makeEntry(
  { cloud, identity, kind, appVersion }: CloudNodeOptions,
  dbLog: string,
  sequence: number,
): MachineEntry {
  const statement = {
    cloud,
    machine: identity.machine,
    attestation: identity.attestationFor(cloud),
    name: identity.machineName,
    device: kind,
    appVersion,
    protocol: PROTOCOL,
    sequence,
    dbLog,
  }
  return signMachineForm(statement, identity.machineKeys.secretKey)
}
