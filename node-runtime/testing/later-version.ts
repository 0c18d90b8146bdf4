// A machine of a version that does not exist yet, for tests: today's parts, speaking a later protocol,
// with a field more in every form, a rule, a capability and a protocol that nobody knows today.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DhtAddress } from 'hyperdht'
import * as z from 'zod'
import { formatVersion } from '../core/db/hybrid-clock.ts'
import { signRecord } from '../core/db/signed-record.ts'
import type { HeldRecord, UnsignedRecord } from '../core/db/signed-record.ts'
import { signAttestation } from '../core/forms/attestation.ts'
import type { Attestation } from '../core/forms/attestation.ts'
import { genesisBody } from '../core/forms/genesis.ts'
import { signMachineForm } from '../core/forms/machine-form.ts'
import type { MachineEntry } from '../core/forms/machine-form.ts'
import { encodeKey } from '../core/keys.ts'
import { newKeyPair } from '../store/new-keys.ts'
import { ReplicationDriver } from '../machine/replication-driver.ts'
import { VerifyPool } from '../machine/verify-pool.ts'
import { Membership } from '../services/cloud/membership.ts'
import { IndexedRecords } from '../store/indexed-records.ts'
import { PROTOCOL } from '../swarm/capabilities.ts'
import { jsonCodec } from '../swarm/codec.ts'
import type { Protocol } from '../swarm/network.ts'
import { Swarm } from '../swarm/swarm.ts'
import { silentLog } from './silent-log.ts'

/** In every form that the later version signs. */
export const LATER_FIELD = { later: { since: '0.9', list: [1, 'two', null] } }
const LATER_PROTOCOL = {
  version: PROTOCOL.version + 1,
  capabilities: [...PROTOCOL.capabilities, 'placement/1'],
}
const ATTESTATION_MS = 365 * 24 * 3_600_000

/** The genesis of a cloud that a machine of the later version began. */
export function laterGenesis(): string {
  const key = encodeKey(newKeyPair().publicKey)
  const genesis = { name: 'Later', admission: { kind: 'link' }, keys: [key], nonce: key }
  return genesisBody({ ...genesis, ...LATER_FIELD })
}

export interface LaterMachineOptions {
  folder: string
  cloud: string
  genesis: string | null
  bootstrap: readonly DhtAddress[]
}

interface Parts {
  swarm: Swarm
  membership: Membership
  replication: ReplicationDriver
  store: IndexedRecords
  verifier: VerifyPool
}

export class LaterMachine {
  readonly person = newKeyPair()
  readonly keys = newKeyPair()
  readonly attestation: Attestation
  readonly #options: LaterMachineOptions
  readonly #parts: Parts
  readonly #laterMessages: Protocol<{ news: string }>

  private constructor(
    options: LaterMachineOptions,
    self: Pick<LaterMachine, 'person' | 'keys' | 'attestation'>,
    parts: Parts,
  ) {
    this.#options = options
    this.person = self.person
    this.keys = self.keys
    this.attestation = self.attestation
    this.#parts = parts
    this.#laterMessages = parts.swarm.openProtocol({
      name: 'dharma/placement/1',
      codec: jsonCodec(z.object({ news: z.string() }), 1_000),
      received: () => {},
    })
  }

  static async start(options: LaterMachineOptions): Promise<LaterMachine> {
    const { folder, cloud, genesis, bootstrap } = options
    const person = newKeyPair()
    const keys = newKeyPair()
    const machine = encodeKey(keys.publicKey)
    const statement = {
      person: encodeKey(person.publicKey),
      machine,
      cloud,
      sequence: 1,
      expiresMs: Date.now() + ATTESTATION_MS,
    }
    const attestation = signAttestation({ ...statement, ...LATER_FIELD }, person.secretKey)
    await mkdir(folder, { recursive: true })
    const { store } = await IndexedRecords.open({
      folder: join(folder, 'records'),
      cloud,
      log: silentLog,
      nowMs: Date.now,
    })
    let known = genesis
    const swarm: Swarm = new Swarm(
      {
        keyPair: keys,
        cloud,
        ownEntry: () => membership.ownEntry,
        genesis: () => known,
        log: silentLog,
        bootstrap,
        host: '127.0.0.1',
      },
      {
        linkOpened: (entry) => membership.linkOpened(entry),
        linkClosed: (entry) => membership.linkClosed(entry.machine),
        linkDoubted: () => {},
        heartbeat: () => {},
        waysChanged: () => {},
        genesisLearned: (body) => void (known = body),
      },
    )
    const membership = await Membership.open({
      folder,
      cloud,
      sign: (sequence): MachineEntry =>
        signMachineForm(
          {
            cloud,
            machine,
            attestation,
            name: 'Later',
            device: 'headless',
            appVersion: '0.9.0',
            protocol: LATER_PROTOCOL,
            sequence,
            ...LATER_FIELD,
          },
          keys.secretKey,
        ),
      network: swarm,
      log: silentLog,
      now: Date.now,
    })
    const verifier = new VerifyPool(1)
    const replication = await ReplicationDriver.open({
      machine,
      cloud,
      store,
      network: swarm,
      verifier,
      now: Date.now,
      random: Math.random,
      log: silentLog,
    })
    const parts = { swarm, membership, replication, store, verifier }
    const later = new LaterMachine(options, { person, keys, attestation }, parts)
    membership.announceKnown()
    swarm.start()
    return later
  }

  get machine(): string {
    return encodeKey(this.keys.publicKey)
  }

  get linkCount(): number {
    return this.#parts.swarm.linkCount
  }

  get store(): IndexedRecords {
    return this.#parts.store
  }

  /** What this machine and another agreed on. */
  agreementWith(machine: string): ReturnType<Swarm['agreementWith']> {
    return this.#parts.swarm.agreementWith(machine)
  }

  /** The entries of other machines, as they came. */
  onEntry(listener: (entry: MachineEntry) => void): void {
    this.#parts.membership.on('machineLearned', listener)
  }

  /** Signs a record with more in its header than is known today, and keeps it. */
  async put(
    fields: Pick<UnsignedRecord, 'system' | 'collection' | 'id' | 'rule' | 'value'>,
    more: object = {},
  ): Promise<HeldRecord> {
    const { cloud } = this.#options
    const record = signRecord(
      {
        ...fields,
        ...LATER_FIELD,
        author: encodeKey(this.person.publicKey),
        version: formatVersion({ timeMs: Date.now(), counter: 0 }),
        scope: 'set',
        partition: null,
        schema: null,
        ...more,
      },
      { cloud, attestation: this.attestation, machineSecretKey: this.keys.secretKey },
    )
    await this.store.accept({
      records: [{ record, verdict: '' }],
      attestations: [this.attestation],
    })
    return record
  }

  /** Says something in a protocol that today's machines have not, to all. */
  speakLater(): void {
    this.#laterMessages.broadcast({ news: 'of a later version' })
  }

  async close(): Promise<void> {
    const { swarm, membership, replication, store, verifier } = this.#parts
    replication.close()
    await verifier.close()
    await membership.close()
    await swarm.close()
    await store.close()
  }
}
