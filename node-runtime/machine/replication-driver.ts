// Drives the replication core over the network, the store and real time.
import { EventEmitter } from 'node:events'
import { encodeRecord } from '../core/db/signed-record.ts'
import type { HeldRecord } from '../core/db/signed-record.ts'
import type { SignedForm } from '../core/forms/signed-form.ts'
import { fromHex, toHex } from '../core/keys.ts'
import { FingerprintTree } from '../core/sync/fingerprint-tree.ts'
import type { Item } from '../core/sync/item.ts'
import { Gathered, MOST_BYTES } from '../core/sync/messages.ts'
import { ReplicationCore } from '../core/sync/replication-core.ts'
import type {
  Happening,
  OutgoingRecord,
  ReplicationEffect,
} from '../core/sync/replication-events.ts'
import { Driver } from '../flow/driver.ts'
import { SerialQueue } from '../flow/serial-queue.ts'
import type { Log } from '../ports/log.ts'
import type { MergedRecord, OrderItem, RecordStore } from '../ports/record-store.ts'
import type { SegmentStore } from '../ports/segment-store.ts'
import type { Verifier } from '../ports/verifier.ts'
import type { Codec } from '../swarm/codec.ts'
import type { Network, Protocol } from '../swarm/network.ts'
import { PeerFault } from '../swarm/peer-fault.ts'
import { itemOf, RecordIntake } from './record-intake.ts'
import { readBlocks, writeBlocks } from './segment-blocks.ts'

const PROTOCOL = 'dharma/records/2'
/** A damaged store that could not be read through is read again after so long. */
const FIND_LOST_AGAIN_MS = 5_000

const framesCodec: Codec<Uint8Array> = {
  maxBytes: MOST_BYTES,
  encode: (bytes) => {
    // Whoever gets it would end the link for it.
    if (bytes.length > MOST_BYTES) throw new RangeError(`a message of ${bytes.length} bytes`)
    return bytes
  },
  decode: (bytes) => (bytes.length > MOST_BYTES ? null : bytes),
}

export interface ReplicationDriverOptions {
  /** This machine's key. */
  machine: string
  cloud: string
  store: RecordStore
  network: Network
  verifier: Verifier
  /** Without one, everything travels in frames. */
  segments?: SegmentStore
  /** What this machine thinks of records; see `StoredRecord.verdict`. */
  judge?: (records: readonly HeldRecord[]) => Promise<string[]>
  /** The time of day, ms. */
  now: () => number
  random: () => number
  log: Log
}

interface ReplicationDriverEvents {
  /** All that both machines hold is equal, up to the time of the comparison. */
  inStep: [machine: string]
}

/** Where a record on its way into the store came from. */
interface Origin {
  from: string
  healed: boolean
}

export class ReplicationDriver extends EventEmitter<ReplicationDriverEvents> {
  readonly #options: ReplicationDriverOptions
  readonly #core: ReplicationCore
  readonly #intake: RecordIntake
  readonly #protocol: Protocol<Uint8Array>
  readonly #driver: Driver<Happening, Exclude<ReplicationEffect, { type: 'setTimer' }>>
  readonly #origins = new Map<string, Origin>()
  readonly #refused = new Map<string, string>()
  readonly #inStepMs = new Map<string, number>()
  readonly #unsubscribe: (() => void)[]
  readonly #losses = new SerialQueue()
  #findLostTimer: NodeJS.Timeout | null = null
  #closed = false

  private constructor(options: ReplicationDriverOptions, tree: FingerprintTree) {
    super()
    const { machine, random, segments, network, store } = options
    this.#options = options
    this.#core = new ReplicationCore({
      self: machine,
      tree,
      random,
      ...(segments === undefined ? { capabilities: [] } : {}),
    })
    this.#driver = new Driver({
      core: {
        step: (event, nowMs) => this.#core.step({ ...event, wallMs: options.now() }, nowMs),
      },
      perform: (effect) => this.#perform(effect),
      onFault: (error) => options.log.error('a fault in the replication of records', { error }),
      // Only what machines send comes in any number; what is lost of that is found by comparing.
      mustKeep: ({ type }) => type !== 'received',
    })
    this.#intake = new RecordIntake({ ...options, isHeld: (item) => tree.has(item) })
    this.#unsubscribe = [
      store.onMerged((records) => this.#merged(records)),
      store.onDamage(() => void this.#losses.run(() => this.#findLost())),
    ]
    this.#protocol = network.openProtocol({
      name: PROTOCOL,
      codec: framesCodec,
      opened: ({ machine }) => this.#happen({ type: 'peerOpened', peer: machine }),
      closed: ({ machine }) => {
        this.#refused.delete(machine)
        this.#inStepMs.delete(machine)
        this.#happen({ type: 'peerClosed', peer: machine })
      },
      received: ({ machine }, bytes) => {
        if (!this.#refused.has(machine)) {
          this.#happen({ type: 'received', peer: machine, bytes })
        }
        const reason = this.#refused.get(machine)
        // Whoever handles the link ends it for that.
        if (reason !== undefined) throw new PeerFault(reason)
      },
    })
  }

  /** Reads the order of what is held, and begins. */
  static async open(options: ReplicationDriverOptions): Promise<ReplicationDriver> {
    const { store } = options
    const changes: (readonly MergedRecord[])[] = []
    const unsubscribe = store.onMerged((records) => void changes.push(records))
    const tree = new FingerprintTree()
    for await (const items of store.order()) for (const item of items) tree.insert(asItem(item))
    unsubscribe()
    // What was merged meanwhile may have been read before, after, or not at all.
    for (const { record, superseded } of changes.flat()) {
      if (superseded !== undefined) tree.remove(asItem(superseded))
      tree.insert(itemOf(record))
    }
    return new ReplicationDriver(options, tree)
  }

  /** How many other machines there are, linked or not. */
  countMachines(count: number): void {
    this.#happen({ type: 'machinesCounted', count })
  }

  /** When each linked machine was last equal to this one, in ms of `performance.now()`. */
  get inStepMs(): ReadonlyMap<string, number> {
    return this.#inStepMs
  }

  close(): void {
    this.#closed = true
    if (this.#findLostTimer !== null) clearTimeout(this.#findLostTimer)
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#driver.close()
    this.#intake.close()
    this.#protocol.close()
    this.removeAllListeners()
  }

  #happen(event: Happening): void {
    this.#driver.post(event)
  }

  #perform(effect: Exclude<ReplicationEffect, { type: 'setTimer' }>): void {
    switch (effect.type) {
      case 'send':
        this.#protocol.send(effect.peer, effect.bytes)
        break
      case 'acceptRecords':
        void this.#accept(effect)
        break
      case 'readRecords':
        void this.#read(effect)
        break
      case 'sealSegment':
        void this.#seal(effect)
        break
      case 'fetchSegment':
        void this.#fetch(effect)
        break
      case 'refuse':
        this.#refused.set(effect.peer, effect.reason)
        this.#options.log.warn('a machine is turned away', {
          machine: effect.peer,
          reason: effect.reason,
        })
        break
      case 'inStep':
        this.#inStepMs.set(effect.peer, effect.atMs)
        this.emit('inStep', effect.peer)
        break
    }
  }

  #merged(records: readonly MergedRecord[]): void {
    this.#happen({
      type: 'merged',
      records: records.map(({ record, superseded }) => {
        const item = itemOf(record)
        const origin = this.#origins.get(item.id)
        const outgoing = origin?.healed === true ? null : this.#outgoing(record, item)
        return {
          item,
          from: origin?.from ?? null,
          healed: origin?.healed ?? false,
          ...(superseded === undefined ? {} : { superseded: asItem(superseded) }),
          ...(outgoing === null ? {} : { outgoing }),
        }
      }),
    })
  }

  /** The record with its attestations, if they are at hand. */
  #outgoing(record: HeldRecord, item: Item): OutgoingRecord | null {
    const attestations: SignedForm[] = []
    for (const { attestation } of record.signatures) {
      const form = this.#intake.formOf(attestation)
      if (form === undefined) return null
      attestations.push(form)
    }
    return { item, bytes: encodeRecord(record), attestations }
  }

  async #accept({
    token,
    peer,
    healed,
    attestations,
    records,
  }: Extract<ReplicationEffect, { type: 'acceptRecords' }>): Promise<void> {
    const statuses = await this.#take({ from: peer, healed }, attestations, records)
    this.#happen({ type: 'accepted', token, statuses })
  }

  async #take(
    origin: Origin,
    attestations: readonly SignedForm[],
    records: readonly Uint8Array[],
  ): ReturnType<RecordIntake['take']> {
    const announced: string[] = []
    try {
      return await this.#intake.take(attestations, records, (items) => {
        for (const { id } of items) {
          announced.push(id)
          this.#origins.set(id, origin)
        }
      })
    } finally {
      for (const id of announced) {
        if (this.#origins.get(id) === origin) this.#origins.delete(id)
      }
    }
  }

  async #read({
    token,
    items,
    mostBytes,
  }: Extract<ReplicationEffect, { type: 'readRecords' }>): Promise<void> {
    let records: (OutgoingRecord | null)[] = []
    try {
      records = await this.#readAll(items, mostBytes)
    } catch (error) {
      // What can't be read is not sent; comparing finds out whether it is held elsewhere.
      this.#options.log.warn('records could not be read', { error })
    }
    this.#happen({ type: 'recordsRead', token, records })
  }

  async #readAll(items: readonly Item[], mostBytes: number): Promise<(OutgoingRecord | null)[]> {
    const stored = await this.#options.store.byId32(items.map(asOrderItem))
    const read: (OutgoingRecord | null)[] = []
    const gathered = new Gathered({ bytes: mostBytes, records: items.length })
    for (const [i, item] of items.entries()) {
      const record = stored[i]?.record
      for (const { attestation } of record?.signatures ?? []) {
        await this.#intake.readForm(attestation)
      }
      const outgoing = record === undefined ? null : this.#outgoing(record, item)
      if (outgoing !== null && !gathered.add(outgoing)) break
      read.push(outgoing)
    }
    return read
  }

  async #seal({
    token,
    items,
  }: Extract<ReplicationEffect, { type: 'sealSegment' }>): Promise<void> {
    let key: Uint8Array | null = null
    try {
      const blocks = writeBlocks(items, (some) => this.#readAll(some, Number.POSITIVE_INFINITY))
      key = (await this.#options.segments?.seal(blocks)) ?? null
    } catch (error) {
      this.#options.log.warn('a segment could not be sealed', { error })
    }
    this.#happen({ type: 'segmentSealed', token, key })
  }

  async #fetch({
    token,
    key,
  }: Extract<ReplicationEffect, { type: 'fetchSegment' }>): Promise<void> {
    try {
      const { segments } = this.#options
      if (segments !== undefined) {
        await readBlocks(segments.read(key), async ({ attestations, records }) => {
          await this.#take({ from: 'segment', healed: true }, attestations, records)
        })
      }
    } catch (error) {
      // Frames bring what is missing.
      this.#options.log.warn('a segment could not be read', { segment: toHex(key), error })
    }
    this.#happen({ type: 'segmentFetched', token })
  }

  /**
   * Compares what is in the tree with what the store still has. It is read while it is known to be
   * damaged, so that may fail; until it does not, nobody would be asked for what is lost.
   */
  async #findLost(): Promise<void> {
    if (this.#closed) return
    const { store, log } = this.#options
    const left = new FingerprintTree()
    // What is merged meanwhile may have its place where was read already.
    const unsubscribe = store.onMerged((records) => {
      for (const { record } of records) left.insert(itemOf(record))
    })
    try {
      for await (const items of store.order()) {
        for (const item of items) left.insert(asItem(item))
      }
    } catch (error) {
      if (this.#closed) return
      log.error('what a damaged store has lost could not be found out; it is read again', { error })
      this.#findLostLater()
      return
    } finally {
      unsubscribe()
    }
    const items = this.#core.tree.items().filter((item) => !left.has(item))
    this.#happen({ type: 'lost', items })
  }

  #findLostLater(): void {
    if (this.#findLostTimer !== null) clearTimeout(this.#findLostTimer)
    this.#findLostTimer = setTimeout(
      () => void this.#losses.run(() => this.#findLost()),
      FIND_LOST_AGAIN_MS,
    )
    this.#findLostTimer.unref()
  }
}

function asItem({ version, id32 }: OrderItem): Item {
  return { version, id: toHex(id32) }
}

function asOrderItem({ version, id }: Item): OrderItem {
  return { version, id32: fromHex(id) }
}
