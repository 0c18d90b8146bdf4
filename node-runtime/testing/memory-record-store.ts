// A store of records in memory, and links between machines of one process: for tests of what stands on
// them.
import { isTooFarAhead } from '../core/db/hybrid-clock.ts'
import { addressKey, replaces } from '../core/db/signed-record.ts'
import type { SignedForm } from '../core/forms/signed-form.ts'
import { toHex } from '../core/keys.ts'
import type {
  Acceptance,
  MergedRecord,
  OrderItem,
  RecordBatch,
  RecordStore,
  StoreDamage,
  StoredRecord,
} from '../ports/record-store.ts'
import type { Network, PeerInfo, ProtocolDefinition } from '../swarm/network.ts'
import { PeerFault } from '../swarm/peer-fault.ts'

/** The parts of a store that replication uses; the others say that they are not there. */
export class MemoryRecordStore implements RecordStore {
  readonly #byAddress = new Map<string, StoredRecord>()
  readonly #byId = new Map<string, StoredRecord>()
  readonly #attestations = new Map<string, SignedForm>()
  readonly #merged = new Set<(records: readonly MergedRecord[]) => void>()
  readonly #damage = new Set<(damage: StoreDamage) => void>()
  /** What the next writes fail with. */
  failure: Error | null = null
  /** How many writes have failed with it. */
  failed = 0
  /** What the next reading of the order fails with, once. */
  orderFailure: Error | null = null
  /** Called when the order was read, and before that is given. */
  orderRead: () => Promise<void> = () => Promise.resolve()
  now: () => number = () => Date.now()

  get count(): number {
    return this.#byId.size
  }

  get newestVersion(): string | undefined {
    return this.#sorted().at(-1)?.version
  }

  async accept({ records, attestations = [] }: RecordBatch): Promise<Acceptance> {
    if (this.failure !== null) {
      this.failed += 1
      throw this.failure
    }
    for (const { hash, form } of attestations) this.#attestations.set(hash, form)
    const merged: MergedRecord[] = []
    let [known, outdated, early] = [0, 0, 0]
    for (const stored of records) {
      const { record } = stored
      if (isTooFarAhead(record.header.version, this.now())) {
        early++
        continue
      }
      const address = addressKey(record.header)
      const held = this.#byAddress.get(address)
      if (held !== undefined && !replaces(record, held.record)) {
        if (Buffer.compare(record.id32, held.record.id32) === 0) known++
        else outdated++
        continue
      }
      this.#byAddress.set(address, stored)
      this.#byId.set(toHex(record.id32), stored)
      if (held === undefined) {
        merged.push(stored)
        continue
      }
      this.#byId.delete(toHex(held.record.id32))
      const superseded = { version: held.record.header.version, id32: held.record.id32 }
      merged.push({ ...stored, superseded })
    }
    if (merged.length > 0) for (const listener of this.#merged) listener(merged)
    return { merged, known, outdated, early, refused: 0 }
  }

  byId32(items: readonly OrderItem[]): Promise<(StoredRecord | undefined)[]> {
    return Promise.resolve(items.map(({ id32 }) => this.#byId.get(toHex(id32))))
  }

  async *order(): AsyncGenerator<OrderItem[], void> {
    const items = this.#sorted()
    const failure = this.orderFailure
    this.orderFailure = null
    if (failure !== null) throw failure
    await this.orderRead()
    for (let at = 0; at < items.length; at += 1000) yield items.slice(at, at + 1000)
  }

  attestation(hash: string): Promise<SignedForm | undefined> {
    return Promise.resolve(this.#attestations.get(hash))
  }

  onMerged(listener: (records: readonly MergedRecord[]) => void): () => void {
    this.#merged.add(listener)
    return () => void this.#merged.delete(listener)
  }

  onDamage(listener: (damage: StoreDamage) => void): () => void {
    this.#damage.add(listener)
    return () => void this.#damage.delete(listener)
  }

  /** Loses records, as a damaged disk does. */
  lose(ids: readonly string[]): void {
    for (const id of ids) {
      const stored = this.#byId.get(id)
      if (stored === undefined) continue
      this.#byId.delete(id)
      this.#byAddress.delete(addressKey(stored.record.header))
    }
    for (const listener of this.#damage) listener({ lost: ids.length })
  }

  write(): Promise<Acceptance> {
    return notHere()
  }

  setVerdicts(): Promise<number> {
    return notHere()
  }

  releaseDue(): Promise<Acceptance> {
    return notHere()
  }

  get(): Promise<StoredRecord | undefined> {
    return notHere()
  }

  ofId(): Promise<StoredRecord[]> {
    return notHere()
  }

  scan(): never {
    throw new Error('not a part of this store')
  }

  ofSystem(): never {
    throw new Error('not a part of this store')
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #sorted(): OrderItem[] {
    return [...this.#byId.values()]
      .map(({ record }) => ({ version: record.header.version, id32: record.id32 }))
      .sort((a, b) =>
        a.version === b.version ? Buffer.compare(a.id32, b.id32) : a.version < b.version ? -1 : 1,
      )
  }
}

function notHere(): Promise<never> {
  return Promise.reject(new Error('not a part of this store'))
}

type Definition = ProtocolDefinition<Uint8Array>

/** Machines of one process, all linked, with one protocol open between them. */
export class MemoryLinks {
  readonly #ends = new Map<string, Definition>()
  readonly #open = new Set<string>()

  /** The network as one machine sees it. */
  join(machine: string): Network {
    return {
      openProtocol: (definition) => {
        this.#ends.set(machine, definition as unknown as Definition)
        return {
          send: (to, message) => this.#send(machine, to, message as Uint8Array),
          writable: (to) => this.#isOpen(machine, to),
          broadcast: () => {},
          peers: () => [],
          close: () => void this.#ends.delete(machine),
        }
      },
      isOnline: (other) => this.#isOpen(machine, other),
      reach: () => {},
      onLink: () => () => {},
    }
  }

  link(a: string, b: string): void {
    this.#open.add(nameOf(a, b))
    this.#ends.get(a)?.opened?.(peerOf(b))
    this.#ends.get(b)?.opened?.(peerOf(a))
  }

  unlink(a: string, b: string): void {
    if (!this.#open.delete(nameOf(a, b))) return
    this.#ends.get(a)?.closed?.(peerOf(b))
    this.#ends.get(b)?.closed?.(peerOf(a))
  }

  isLinked(a: string, b: string): boolean {
    return this.#isOpen(a, b)
  }

  #isOpen(a: string, b: string): boolean {
    return this.#open.has(nameOf(a, b))
  }

  #send(from: string, to: string, message: Uint8Array): boolean {
    const sender = this.#ends.get(from)
    if (sender === undefined || !this.#isOpen(from, to)) return false
    const bytes = sender.codec.encode(message)
    setImmediate(() => {
      const receiver = this.#ends.get(to)
      if (receiver === undefined || !this.#isOpen(from, to)) return
      try {
        const decoded = receiver.codec.decode(bytes)
        if (decoded === null) throw new PeerFault('what it says can not be read')
        receiver.received(peerOf(from), decoded)
      } catch {
        // As the network promises: a handler that throws ends the link.
        this.unlink(from, to)
      }
    })
    return true
  }
}

function nameOf(a: string, b: string): string {
  return [a, b].sort().join(' ')
}

function peerOf(machine: string): PeerInfo {
  return { machine, person: machine }
}
