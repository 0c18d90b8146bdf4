// The LevelDB under the index, as the index uses it: every write is synced, a disk that was full is
// written again once there is room, and rows that turn out to be damaged are mended on the spot.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { CloudError } from '../contract/errors.ts'
import type { StoreDamage } from '../ports/record-store.ts'
import { checkRoom, diskError } from './disk-errors.ts'
import { readRows, writeSynced } from './index-mending.ts'
import type { Change, Level } from './index-mending.ts'
import { indexMetaSchema, mend, metaChange, openClassicLevel, openIndex } from './index-opening.ts'
import type { IndexMeta, IndexOpening, OpenedIndex } from './index-opening.ts'
import { unseal } from './index-rows.ts'
import type { Row } from './index-rows.ts'
import { readJsonFile, writeJsonFile } from './json-file.ts'
import { trimJournals } from './level-log.ts'

/** What LevelDB needs to open beside a copy of its journal: a manifest, a new journal, its own log. */
const REOPEN_MARGIN_BYTES = 1_000_000
/** How often a read goes on after mending. Mended rows are whole; more says that the disk is failing. */
const MENDINGS_PER_READ = 2
/** What is read in place: a block of a table or two. Asking one of the threads that read takes longer. */
export const FEW_KEYS = 4

/** Beside the index: what it held when it was closed; null while it is open. */
const witnessSchema = z.object({ closed: indexMetaSchema.nullable() })

export type IndexLevelOptions = Pick<IndexOpening, 'folder' | 'log'> &
  Partial<Pick<IndexOpening, 'progress' | 'openLevel'>>

/** A row whose checksum does not hold. */
class RowDamaged extends Error {}

export class IndexLevel {
  readonly #opening: IndexOpening
  #level: Level | null = null
  #meta: IndexMeta = { records: 0, batches: 0 }
  /** While it is being opened again. */
  #reopening: Promise<void> | null = null
  #recovering: Promise<void> | null = null
  /** A write failed: the journal may end in half a batch, behind which nothing may be written. */
  #failure: CloudError | null = null
  #closed = false
  /** How often something of it was found to be lost. */
  #mendings = 0
  /** Told of damage that was found after the start, when it has been mended. */
  onDamage: (damage: StoreDamage) => void = () => {}

  private constructor(opening: IndexOpening) {
    this.#opening = opening
  }

  /**
   * Opens or creates it, whatever state it is in; what can't be mended is put beside it.
   * @throws CloudError FOLDER_IN_USE, DISK_FULL, DISK_FAILED
   */
  static async open(
    options: IndexLevelOptions,
  ): Promise<{ index: IndexLevel; damage: StoreDamage | null }> {
    const index = new IndexLevel({ progress: () => {}, openLevel: openClassicLevel, ...options })
    const witness = await readJsonFile(index.#witnessPath, witnessSchema)
    const opened = await openIndex(index.#opening, {
      existed: witness !== null,
      held: witness?.closed ?? null,
      torn: false,
    })
    index.#use(opened)
    await writeJsonFile(index.#witnessPath, { closed: null })
    return { index, damage: opened.damage }
  }

  get meta(): Readonly<IndexMeta> {
    return this.#meta
  }

  /** All of it was held against these rules; kept with the next batch. */
  set rules(rules: number) {
    this.#meta = { ...this.#meta, rules }
  }

  /** A value, without its checksum. */
  async get(key: Buffer): Promise<Buffer | undefined> {
    return (await this.getMany([key]))[0]
  }

  getMany(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
    return this.#read(async (level) => {
      const found =
        keys.length > FEW_KEYS
          ? await level.getMany([...keys])
          : keys.map((key) => level.getSync(key))
      return keys.map((key, at) => {
        const sealed = found[at]
        return sealed === undefined ? undefined : unsealOrThrow(key, sealed)
      })
    })
  }

  /** The first rows of a range, as many as are asked for and as fit into 256 kB; one at least. */
  rows(range: { gte: Buffer; lt: Buffer }, limitRows: number): Promise<Row[]> {
    return this.#read(async (level) => {
      const rows = await readRows(level, range, limitRows)
      return rows.map(({ key, value }) => ({ key, value: unsealOrThrow(key, value) }))
    })
  }

  /**
   * Makes it fit to be written after a write has failed. What was read before may have changed.
   * @throws CloudError DISK_FULL, DISK_FAILED while that is not possible
   */
  async recover(): Promise<void> {
    await this.#usable()
    if (this.#failure === null) return
    this.#recovering ??= this.#openWithRoom().finally(() => {
      this.#recovering = null
    })
    await this.#recovering
  }

  /**
   * All of it or nothing; on the disk when it resolves. After a failure `recover` comes first. Nothing
   * of it if the index was mended before it came to the disk: what it was decided by may be lost.
   * @param added  by how many records it grows
   * @throws CloudError DISK_FULL, DISK_FAILED
   */
  async write(
    changes: readonly Change[],
    { added, newestVersion }: { added: number; newestVersion: string | undefined },
  ): Promise<void> {
    const mendings = this.#mendings
    const level = await this.#usable()
    if (this.#failure !== null) throw this.#failure
    if (mendings !== this.#mendings) throw mendedMeanwhile()
    const meta: IndexMeta = {
      ...this.#meta,
      records: this.#meta.records + added,
      batches: this.#meta.batches + 1,
      ...(newestVersion === undefined ? {} : { newestVersion }),
    }
    try {
      await writeSynced(level, [...changes, metaChange(meta)])
      this.#meta = meta
    } catch (error) {
      this.#failure = diskError(error, this.#opening.folder)
      throw this.#failure
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#reopening?.catch(() => {
      // Who asked for it has the error.
    })
    const level = this.#level
    this.#level = null
    if (level === null) return
    await level.close()
    // After a failure the disk may take nothing, and what it holds is known only when it is read again.
    if (this.#failure === null) await writeJsonFile(this.#witnessPath, { closed: this.#meta })
    else await trimJournals(this.#opening.folder)
  }

  async #openWithRoom(): Promise<void> {
    const { folder } = this.#opening
    await checkRoom(`${folder}.room`, (await journalBytes(folder)) + REOPEN_MARGIN_BYTES)
    await this.#reopen(openAsLeft)
  }

  get #witnessPath(): string {
    return `${this.#opening.folder}.json`
  }

  #use({ level, meta }: OpenedIndex): void {
    this.#level = level
    this.#meta = meta
  }

  /** The level; nothing may be awaited between this and its use. */
  async #usable(): Promise<Level> {
    while (this.#reopening !== null) await this.#reopening
    if (this.#closed) throw new CloudError('UNAVAILABLE', 'The records are closed already.')
    if (this.#level === null) {
      // It could not be opened again the last time.
      await this.#reopen(openAsLeft)
      return this.#usable()
    }
    return this.#level
  }

  async #read<T>(read: (level: Level) => Promise<T>): Promise<T> {
    for (let mendings = 0; ; mendings++) {
      const level = await this.#usable()
      try {
        return await read(level)
      } catch (error) {
        if (level !== this.#level) continue
        if (!isDamage(error) || mendings === MENDINGS_PER_READ) throw error
        const known = this.#meta
        await this.#reopen(async (opening) => {
          const opened = await mend(opening, await opening.openLevel(opening.folder), known)
          const { damage } = opened
          if (damage !== null) {
            queueMicrotask(() => {
              this.#mendings++
              this.onDamage(damage)
            })
          }
          return opened
        })
      }
    }
  }

  #reopen(open: (opening: IndexOpening) => Promise<OpenedIndex>): Promise<void> {
    this.#reopening ??= this.#openAgain(open).finally(() => {
      this.#reopening = null
    })
    return this.#reopening
  }

  async #openAgain(open: (opening: IndexOpening) => Promise<OpenedIndex>): Promise<void> {
    const level = this.#level
    this.#level = null
    await level?.close()
    this.#use(await open(this.#opening))
    this.#failure = null
  }
}

/** Opens an index that this process had open. */
function openAsLeft(opening: IndexOpening): Promise<OpenedIndex> {
  return openIndex(opening, { existed: true, held: null, torn: true })
}

/** For who was about to write when something was found to be lost. */
export function mendedMeanwhile(): CloudError {
  return new CloudError(
    'DISK_FAILED',
    'The records on this disk were damaged, and were mended meanwhile. Nothing was changed; try again.',
  )
}

function unsealOrThrow(key: Buffer, sealed: Buffer): Buffer {
  const value = unseal(key, sealed)
  if (value === null) throw new RowDamaged('a row of the index is damaged')
  return value
}

function isDamage(error: unknown): boolean {
  if (error instanceof RowDamaged) return true
  return (error as { code?: unknown }).code === 'LEVEL_CORRUPTION'
}

async function journalBytes(folder: string): Promise<number> {
  let sizeBytes = 0
  for (const name of await readdir(folder)) {
    if (name.endsWith('.log')) sizeBytes += (await stat(join(folder, name))).size
  }
  return sizeBytes
}
