// Sealed cores: blocks that can't change, under a key that is their hash. Whoever has the same blocks
// serves the same core; whoever fetches it takes what they get from all links at once, and every block
// is checked against the key as it comes in.
import { join } from 'node:path'
import type Corestore from 'corestore'
import { decodeKey, encodeKey, toHex } from '../core/keys.ts'
import type { LinkMux } from '../ports/link-mux.ts'
import type { Log } from '../ports/log.ts'
import { CorestoreSync, openCorestore } from './corestore-opening.ts'
import type { CorestoreOpening } from './corestore-opening.ts'
import { discoveryKeyOf } from './discovery-key.ts'
import { checkRoom, diskError } from './disk-errors.ts'
import { SealedCore } from './sealed-core.ts'
import type { SealedEntry } from './sealed-core.ts'
import { SealedList } from './sealed-list.ts'
import { deleteCore, isStaticCore, makeStaticCore } from './static-core.ts'

/** What the engine needs to open again after the disk was full. */
const REOPEN_BYTES = 4_000_000

export interface SealedCoresOptions {
  folder: string
  log: Log
}

export class SealedCores {
  readonly #opening: CorestoreOpening
  #corestore: Corestore
  #failed = false
  #recovering: Promise<void> | null = null
  readonly #sync: CorestoreSync
  readonly #list: SealedList
  readonly #links = new Set<LinkMux>()
  readonly #open = new Set<SealedCore>()

  private constructor(opening: CorestoreOpening, corestore: Corestore, list: SealedList) {
    this.#opening = opening
    this.#corestore = corestore
    this.#sync = new CorestoreSync(opening.folder)
    this.#list = list
  }

  /**
   * Opens or creates the store in a folder. What was begun and not finished when the process ended goes.
   * @returns with what happened to what was there, in words, if it could not be kept
   * @throws CloudError DISK_FULL, DISK_FAILED
   */
  static async open({
    folder,
    log,
  }: SealedCoresOptions): Promise<{ cores: SealedCores; words: string | null }> {
    const opening = { folder: join(folder, 'cores'), log, whenCopied: 'keep' } as const
    const { corestore, words } = await openCorestore(opening)
    const list = await SealedList.open(join(folder, 'list'), log)
    const cores = new SealedCores(opening, corestore, list)
    await cores.#tidy(log)
    return { cores, words }
  }

  /**
   * Seals blocks: the same blocks give the same key on every machine. On the disk when it resolves.
   * @throws CloudError DISK_FULL, DISK_FAILED
   */
  async seal(blocks: readonly Uint8Array[]): Promise<SealedCore> {
    if (blocks.length === 0) throw new TypeError('nothing to seal')
    await this.#recover()
    try {
      const core = await makeStaticCore(this.#corestore, blocks)
      await this.#sync.sync()
      const entry = {
        key: encodeKey(core.key),
        blocks: core.length,
        sizeBytes: core.byteLength,
        complete: true,
      }
      await this.#enter(entry)
      return this.#hold(core, entry.key)
    } catch (error) {
      this.#failed = true
      throw diskError(error, this.#opening.folder)
    }
  }

  /**
   * A sealed core by its key, whether its blocks are here or elsewhere. Null if the text is no key.
   * Whoever opens it closes it.
   */
  async open(key: string): Promise<SealedCore | null> {
    const publicKey = decodeKey(key)
    if (publicKey === null) return null
    const core = this.#corestore.get({ key: publicKey, allowFork: false })
    await core.ready()
    return this.#hold(core, key)
  }

  /**
   * Lets the other side of a link have every core that is complete here, now and later. A core is
   * opened when it is asked for, and closed when nobody has wanted it for some seconds.
   */
  serve(mux: LinkMux): void {
    if (this.#links.has(mux)) return
    this.#links.add(mux)
    mux.onClosed(() => this.#links.delete(mux))
    for (const entry of this.#list.entries()) if (entry.complete) allow(mux, entry)
    this.#corestore.replicate(mux)
  }

  /** Everything held, also in part. */
  list(): SealedEntry[] {
    return this.#list.entries()
  }

  get(key: string): SealedEntry | undefined {
    return this.#list.get(key)
  }

  /** What all that is held takes when it is complete. */
  get totalBytes(): number {
    return this.#list.totalBytes
  }

  /** Forgets a core; who has it open can't read on. */
  async remove(key: string): Promise<void> {
    const publicKey = decodeKey(key)
    if (publicKey === null || this.#list.get(key) === undefined) return
    for (const mux of this.#links) mux.forgetCore(discoveryKeyOf(publicKey))
    for (const open of this.#open) if (open.key === key) await open.close()
    const core = this.#corestore.get({ key: publicKey })
    await core.ready()
    await this.#list.remove(key)
    await deleteCore(this.#corestore, core)
  }

  async close(): Promise<void> {
    for (const core of [...this.#open]) await core.close()
    await this.#corestore.close()
    await this.#list.close()
  }

  /** After a failed write the engine takes no more until it is opened again; what is open is closed. */
  async #recover(): Promise<void> {
    if (!this.#failed) return
    this.#recovering ??= this.#openAgain().finally(() => {
      this.#recovering = null
    })
    await this.#recovering
  }

  async #openAgain(): Promise<void> {
    await checkRoom(`${this.#opening.folder}.room`, REOPEN_BYTES)
    for (const core of [...this.#open]) await core.close()
    await this.#corestore.close()
    this.#corestore = (await openCorestore(this.#opening)).corestore
    for (const mux of this.#links) this.#corestore.replicate(mux)
    this.#failed = false
  }

  async #enter(entry: SealedEntry): Promise<void> {
    await this.#list.put(entry)
    if (entry.complete) for (const mux of this.#links) allow(mux, entry)
  }

  #hold(core: ConstructorParameters<typeof SealedCore>[0], key: string): SealedCore {
    const held: SealedCore = new SealedCore(core, key, {
      sync: () => this.#sync.sync(),
      enter: (entry) => this.#enter(entry),
      closed: () => this.#open.delete(held),
    })
    this.#open.add(held)
    return held
  }

  /** Every core in the store is in the list: finished ones are entered, others go. */
  async #tidy(log: Log): Promise<void> {
    const known = new Set(
      this.#list.entries().map(({ key }) => toHex(discoveryKeyOf(decodeKey(key) as Uint8Array))),
    )
    for await (const discoveryKey of this.#corestore.list()) {
      if (known.has(toHex(discoveryKey))) {
        known.delete(toHex(discoveryKey))
        continue
      }
      const core = this.#corestore.get({ discoveryKey, createIfMissing: false })
      await core.ready()
      if (isStaticCore(core) && core.length > 0 && (await core.has(0, core.length))) {
        const { length: blocks, byteLength: sizeBytes } = core
        await this.#list.put({ key: encodeKey(core.key), blocks, sizeBytes, complete: true })
        await core.close()
      } else {
        log.info('a core that was never finished goes', { discoveryKey: toHex(discoveryKey) })
        await deleteCore(this.#corestore, core)
      }
    }
    // What the list has and the store has not was lost with the store.
    for (const { key } of this.#list.entries()) {
      if (known.has(toHex(discoveryKeyOf(decodeKey(key) as Uint8Array))))
        await this.#list.remove(key)
    }
  }
}

function allow(mux: LinkMux, { key, blocks }: SealedEntry): void {
  mux.allowCore(discoveryKeyOf(decodeKey(key) as Uint8Array), {
    maxBlocks: blocks,
    maxBlockBytes: SealedCore.MAX_BLOCK_BYTES,
  })
}
