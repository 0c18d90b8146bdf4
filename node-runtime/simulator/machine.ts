// A simulated machine: the production core of replication, the production rules of merging, and a
// store and a clock that can go wrong.
import { HybridClock, isTooFarAhead } from '../core/db/hybrid-clock.ts'
import { addressKey, replaces } from '../core/db/signed-record.ts'
import type { HeldRecord } from '../core/db/signed-record.ts'
import { FingerprintTree } from '../core/sync/fingerprint-tree.ts'
import type { Item } from '../core/sync/item.ts'
import { Gathered } from '../core/sync/messages.ts'
import { ReplicationCore } from '../core/sync/replication-core.ts'
import type {
  Happening,
  MergedItem,
  OutgoingRecord,
  RecordStatus,
  ReplicationEffect,
} from '../core/sync/replication-events.ts'
import type { BulkSizes } from '../core/sync/segments.ts'
import type { SimulatedDisk } from './disk.ts'
import type { SimulatedNetwork, Station } from './network.ts'
import type { Random } from './random.ts'
import type { JudgedRecord, SharedVerifier } from './verifier.ts'
import type { World } from './world.ts'

/** Segments among few records. */
const BULK: BulkSizes = { muchMissing: 60, runs: { least: 24, endZeroBits: 3, most: 64 } }

/** What a planted bug changes; nothing in honest machines. */
export interface Plant {
  /** Of two records at one address, does the first win, at this machine? */
  replaces?: (challenger: HeldRecord, held: HeldRecord, machine: number) => boolean
  forgetsDeleted?: boolean
  acceptsFuture?: boolean
  acceptsUnsigned?: boolean
  neverCompares?: boolean
  /** Takes what a segment is said to hold for held. */
  trustsSegments?: boolean
  tree?: () => FingerprintTree
}

/** Who watches a machine: the checks. */
export interface Observer {
  /** @param isOwn  it was written at this machine */
  merged(machine: SimulatedMachine, record: JudgedRecord, isOwn: boolean): void
  acknowledged(record: JudgedRecord): void
  lost(machine: SimulatedMachine, records: readonly JudgedRecord[]): void
  inStep(machine: SimulatedMachine, peer: string): void
  stepped(machine: SimulatedMachine): void
}

/** Segments of the whole cloud, by key in hex: their records, as they were sealed. */
export type SegmentShelf = Map<string, { records: JudgedRecord[]; items: readonly Item[] }>

export interface MachineParts {
  world: World
  network: SimulatedNetwork
  verifier: SharedVerifier
  disk: SimulatedDisk<JudgedRecord>
  random: Random
  observer: Observer
  shelf: SegmentShelf
  plant: Plant
  startMs: number
}

export class SimulatedMachine implements Station {
  readonly key: string
  readonly number: number
  readonly parts: MachineParts
  /** How far its clock is off, ms. */
  skewMs = 0
  /** When it last merged something. */
  mergedMs = 0
  /** How many other machines it knows of. */
  machines = 0
  readonly #byId = new Map<string, JudgedRecord>()
  readonly #timers = new Map<string, number>()
  #core: ReplicationCore | null = null
  #clock: HybridClock | null = null
  #timer = 0
  /** The disk is ahead of the core. */
  #merging = false

  constructor(number: number, parts: MachineParts) {
    this.number = number
    this.key = `m${String(number).padStart(4, '0')}`
    this.parts = parts
  }

  get isUp(): boolean {
    return this.#core !== null
  }

  /** What is on its disk is what its core knows of. */
  get isSettled(): boolean {
    return !this.#merging
  }

  get core(): ReplicationCore | null {
    return this.#core
  }

  /** What it holds, by address. */
  get held(): ReadonlyMap<string, JudgedRecord> {
    return this.parts.disk.values
  }

  /** The time of day as this machine sees it. */
  wallMs(): number {
    return Math.floor(this.parts.startMs + this.parts.world.nowMs + this.skewMs)
  }

  holds(item: Item): boolean {
    return this.#byId.has(item.id)
  }

  /** Puts a record on its disk before it starts. */
  give(judged: JudgedRecord): void {
    this.parts.disk.put(addressKey(judged.record.header), judged)
  }

  /** Starts with what is on its disk. */
  start(): void {
    const { disk, network, random, plant } = this.parts
    this.#byId.clear()
    const tree = plant.tree?.() ?? new FingerprintTree()
    this.#clock = new HybridClock(() => this.wallMs())
    for (const judged of disk.values.values()) {
      this.#byId.set(judged.item.id, judged)
      tree.insert(judged.item)
      this.#clock.see(judged.item.version)
    }
    const stream = random.fork()
    this.#core = new ReplicationCore({
      self: this.key,
      tree,
      random: () => stream.next(),
      bulk: BULK,
    })
    this.mergedMs = this.parts.world.nowMs
    this.happen({ type: 'machinesCounted', count: this.machines })
    network.up(this.key)
  }

  /** Stops without a word; what is being written is lost. */
  crash(): void {
    const { disk, network, observer } = this.parts
    this.#core = null
    this.#timers.clear()
    const lost = disk.crash()
    network.down(this.key)
    observer.lost(this, lost)
  }

  /** A version for a record that is written now. */
  nextVersion(): string {
    return this.#clock?.next() ?? ''
  }

  /** Writes a record of this machine's person. */
  write(judged: JudgedRecord): void {
    this.#store([judged], null, false, (statuses) => {
      if (statuses[0] === 'held') this.parts.observer.acknowledged(judged)
    })
  }

  opened(peer: string): void {
    this.happen({ type: 'peerOpened', peer })
  }

  closed(peer: string): void {
    this.happen({ type: 'peerClosed', peer })
  }

  received(peer: string, bytes: Uint8Array): void {
    this.happen({ type: 'received', peer, bytes })
  }

  happen(event: Happening): void {
    const core = this.#core
    if (core === null) return
    const { world } = this.parts
    const effects = core.step({ ...event, wallMs: this.wallMs() }, world.nowMs)
    world.note(this.number, event.type.length, Math.round(world.nowMs * 1000), effects.length)
    for (const effect of effects) if (this.#core === core) this.#perform(effect)
    if (this.#core === core) this.parts.observer.stepped(this)
  }

  #perform(effect: ReplicationEffect): void {
    const { network, observer, plant, world } = this.parts
    switch (effect.type) {
      case 'send':
        world.note(effect.bytes.length, effect.bytes[0] ?? 0)
        if (plant.neverCompares === true && effect.bytes[0] === QUESTION) return
        network.send(this.key, effect.peer, effect.bytes)
        break
      case 'acceptRecords':
        this.#accept(effect)
        break
      case 'readRecords':
        this.#read(effect)
        break
      case 'sealSegment':
        this.#seal(effect)
        break
      case 'fetchSegment':
        this.#fetch(effect)
        break
      case 'setTimer':
        this.#setTimer(effect.id, effect.afterMs)
        break
      case 'refuse':
        // The link ends; whether it comes back is up to the network.
        network.reset(this.key, effect.peer)
        break
      case 'inStep':
        observer.inStep(this, effect.peer)
        break
    }
  }

  #setTimer(id: string, afterMs: number): void {
    const number = (this.#timer += 1)
    const { life } = this.parts.disk
    this.#timers.set(id, number)
    this.parts.world.after(afterMs, () => {
      if (this.#timers.get(id) !== number || this.parts.disk.life !== life) return
      this.#timers.delete(id)
      this.happen({ type: 'timer', id })
    })
  }

  #accept(effect: Extract<ReplicationEffect, { type: 'acceptRecords' }>): void {
    const { verifier, plant } = this.parts
    for (const form of effect.attestations) verifier.open(form)
    const statuses: RecordStatus[] = effect.records.map(() => 'forged')
    const good: { number: number; judged: JudgedRecord }[] = []
    effect.records.forEach((bytes, number) => {
      const judged = verifier.judge(bytes)
      if (judged === null || (!judged.holds && plant.acceptsUnsigned !== true)) return
      const early = isTooFarAhead(judged.item.version, this.wallMs())
      if (early && plant.acceptsFuture !== true) statuses[number] = 'future'
      else good.push({ number, judged })
    })
    this.#store(
      good.map(({ judged }) => judged),
      effect.peer,
      effect.healed,
      (written) => {
        good.forEach(({ number }, i) => (statuses[number] = written[i] ?? 'unavailable'))
        this.happen({ type: 'accepted', token: effect.token, statuses })
      },
    )
  }

  /** Writes to the disk, one batch at a time, and merges when that is done. */
  #store(
    records: readonly JudgedRecord[],
    from: string | null,
    healed: boolean,
    done: (statuses: RecordStatus[]) => void,
  ): void {
    const { disk, world } = this.parts
    const { life } = disk
    world.after(disk.writeMs(), () => {
      if (disk.life !== life || this.#core === null) return
      if (records.length > 0 && disk.fails()) {
        done(records.map(() => 'unavailable'))
        return
      }
      this.#merging = true
      const merged = records.flatMap((judged) => this.#merge(judged, from, healed))
      this.#merging = false
      if (merged.length > 0) {
        this.mergedMs = world.nowMs
        this.happen({ type: 'merged', records: merged })
      }
      done(records.map(() => 'held'))
    })
  }

  #merge(judged: JudgedRecord, from: string | null, healed: boolean): MergedItem[] {
    const { disk, observer, plant } = this.parts
    this.#clock?.see(judged.item.version)
    const address = addressKey(judged.record.header)
    const before = disk.values.get(address)
    const wins = plant.replaces ?? replaces
    if (before !== undefined && !wins(judged.record, before.record, this.number)) return []
    observer.merged(this, judged, from === null)
    const forgotten = plant.forgetsDeleted === true && judged.record.header.deleted === true
    disk.put(address, forgotten ? undefined : judged)
    if (before !== undefined) this.#byId.delete(before.item.id)
    if (!forgotten) this.#byId.set(judged.item.id, judged)
    if (forgotten && before === undefined) return []
    if (forgotten && before !== undefined) {
      this.happen({ type: 'lost', items: [before.item] })
      return []
    }
    return [
      {
        item: judged.item,
        from,
        healed,
        outgoing: this.#outgoing(judged),
        ...(before === undefined ? {} : { superseded: before.item }),
      },
    ]
  }

  #outgoing({ item, bytes, record }: JudgedRecord): OutgoingRecord {
    const attestations = record.signatures.flatMap(({ attestation }) => {
      const form = this.parts.verifier.formOf(attestation)
      return form === undefined ? [] : [form]
    })
    return { item, bytes, attestations }
  }

  #read(effect: Extract<ReplicationEffect, { type: 'readRecords' }>): void {
    const { disk, world } = this.parts
    const { life } = disk
    world.after(disk.writeMs(), () => {
      if (disk.life !== life) return
      const records: (OutgoingRecord | null)[] = []
      const gathered = new Gathered({ bytes: effect.mostBytes, records: effect.items.length })
      for (const { id } of effect.items) {
        const judged = this.#byId.get(id)
        const outgoing = judged === undefined ? null : this.#outgoing(judged)
        if (outgoing !== null && !gathered.add(outgoing)) break
        records.push(outgoing)
      }
      this.happen({ type: 'recordsRead', token: effect.token, records })
    })
  }

  #seal(effect: Extract<ReplicationEffect, { type: 'sealSegment' }>): void {
    const { disk, world, shelf } = this.parts
    const { life } = disk
    world.after(10 * disk.writeMs(), () => {
      if (disk.life !== life) return
      const records = effect.items.flatMap(({ id }) => this.#byId.get(id) ?? [])
      // As with static cores, the key is of what is in it; here its first bytes are enough.
      const key = Buffer.from(
        effect.items
          .map(({ id }) => id)
          .join('')
          .slice(0, 64),
        'hex',
      )
      const whole = records.length === effect.items.length
      if (whole) shelf.set(key.toString('hex'), { records, items: effect.items })
      this.happen({ type: 'segmentSealed', token: effect.token, key: whole ? key : null })
    })
  }

  #fetch(effect: Extract<ReplicationEffect, { type: 'fetchSegment' }>): void {
    const { shelf, random, plant } = this.parts
    const segment = shelf.get(Buffer.from(effect.key).toString('hex'))
    // It may have been made of a set that was no longer, or never, equal: that must not matter.
    const records = (segment?.records ?? []).filter(() => !random.chance(0.1))
    if (plant.trustsSegments === true && segment !== undefined) {
      this.happen({
        type: 'merged',
        records: segment.items.map((item) => ({ item, from: 'segment', healed: true })),
      })
    }
    this.#store(records, 'segment', true, () => {
      this.happen({ type: 'segmentFetched', token: effect.token })
    })
  }
}

/** The first byte of a question about ranges. */
const QUESTION = 4
