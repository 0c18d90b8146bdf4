// Opens the LevelDB under the index in whatever state it is: as it is, or as a copy of what is whole. What could not be read is told as damage; other machines' records make it good.
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import * as z from 'zod'
import { CloudError } from '../contract/errors.ts'
import type { Log } from '../ports/log.ts'
import type { StoreDamage } from '../ports/record-store.ts'
import { diskError, isDiskFull } from './disk-errors.ts'
import { copyWholeRows, readRows, writeSynced } from './index-mending.ts'
import type { Change, Level, Mended } from './index-mending.ts'
import { kindRange, META_KEY, seal, unseal } from './index-rows.ts'
import { isJournalWhole } from './level-log.ts'
import { syncFolder } from './synced-files.ts'

/** What the index says of itself, in each batch. */
export const indexMetaSchema = z.object({
  records: z.number().int(),
  /** Grows with every batch. */
  batches: z.number().int(),
  newestVersion: z.string().optional(),
  /** The rules that all of it was held against; see `RECORD_RULES`. Older versions say none. */
  rules: z.number().int().optional(),
})
export type IndexMeta = z.infer<typeof indexMetaSchema>

export interface IndexOpening {
  folder: string
  log: Log
  /** Told while a damaged index is gone through, how many rows were looked at. */
  progress: (rows: number) => void
  /** For tests of a disk that fails. */
  openLevel: (folder: string) => Promise<Level>
}

export interface OpenedIndex {
  level: Level
  meta: IndexMeta
  damage: StoreDamage | null
}

const NEW_META: IndexMeta = { records: 0, batches: 0 }

export async function openClassicLevel(folder: string): Promise<Level> {
  const level = new ClassicLevel<Buffer, Buffer>(folder, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  })
  await level.open()
  return level
}

export function metaChange(meta: IndexMeta): Change {
  const value = seal(META_KEY, Buffer.from(JSON.stringify(meta), 'utf8'))
  return { type: 'put', key: META_KEY, value }
}

/** What is known of an index before it is opened. */
export interface Witness {
  /** There was one: it must be found. */
  existed: boolean
  /** What it held, if that is known. */
  held: IndexMeta | null
  /** Its journal may end in half a batch that nobody was told of. */
  torn: boolean
}

/** @throws CloudError FOLDER_IN_USE, DISK_FULL, DISK_FAILED */
export async function openIndex(
  opening: IndexOpening,
  { existed, held, torn }: Witness,
): Promise<OpenedIndex> {
  const { folder } = opening
  await mkdir(dirname(folder), { recursive: true, mode: 0o700 })
  if (!(await exists(folder)) && (await exists(mendingOf(folder)))) {
    // The process ended between the two renames.
    await rename(mendingOf(folder), folder)
  }
  const found = await exists(join(folder, 'CURRENT'))
  const whole = found ? torn || (await isJournalWhole(folder)) : !existed
  const level = await tryOpening(opening)
  if (level !== null && whole) {
    const meta = await readMeta(level)
    const asKnown = (held?.batches ?? meta?.batches ?? 0) === (meta?.batches ?? 0)
    if (asKnown && (meta !== null || !(await hasRecords(level)))) {
      await rm(damagedOf(folder), { recursive: true, force: true })
      return { level, meta: meta ?? NEW_META, damage: null }
    }
  }
  return mend(opening, level, held)
}

async function hasRecords(level: Level): Promise<boolean> {
  return (await readRows(level, kindRange('record'), 1)).length > 0
}

/**
 * Makes a new index of what is whole in one that is damaged, or may be. The old one stays beside it until
 * a start that finds nothing damaged.
 */
export async function mend(
  opening: IndexOpening,
  damaged: Level | null,
  known: IndexMeta | null,
): Promise<OpenedIndex> {
  const { folder, log, openLevel } = opening
  log.warn('the index of records is being mended', { folder })
  const mending = mendingOf(folder)
  const mended = await copyAsFarAsPossible(opening, damaged)
  const newest = newestOf(mended.newestVersion, known?.newestVersion)
  const meta: IndexMeta = {
    records: mended.records,
    batches: (known?.batches ?? 0) + 1,
    ...(newest === undefined ? {} : { newestVersion: newest }),
    ...(known?.rules === undefined ? {} : { rules: known.rules }),
  }
  try {
    const copy = await openLevel(mending)
    await writeSynced(copy, [metaChange(meta)])
    await copy.close()
    await rm(damagedOf(folder), { recursive: true, force: true })
    if (await exists(folder)) await rename(folder, damagedOf(folder))
    await rename(mending, folder)
    await syncFolder(dirname(folder))
    const level = await openLevel(folder)
    const lost = known === null ? null : Math.max(known.records - mended.records, 0)
    log.warn('the index of records is mended', { folder, ...mended })
    return { level, meta, damage: lost === 0 ? null : { lost } }
  } catch (error) {
    throw diskError(error, folder)
  }
}

/** Leaves the copy beside the index, closed, and the index closed. */
async function copyAsFarAsPossible(
  { folder, log, openLevel, progress }: IndexOpening,
  damaged: Level | null,
): Promise<Mended> {
  const mending = mendingOf(folder)
  let from = damaged
  for (const repaired of [false, true]) {
    try {
      if (repaired) await ClassicLevel.repair(folder)
      from ??= await openLevel(folder)
      await rm(mending, { recursive: true, force: true })
      const to = await openLevel(mending)
      try {
        return await copyWholeRows(from, to, progress)
      } finally {
        await to.close()
      }
    } catch (error) {
      if (isDiskFull(error)) throw diskError(error, folder)
      log.error('the index of records can not be read', { folder, repaired, error })
    } finally {
      await from?.close()
      from = null
    }
  }
  await rm(mending, { recursive: true, force: true })
  return { records: 0, lost: 0, newestVersion: undefined }
}

function newestOf(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one > other ? one : other
}

/** Null if it is damaged. */
async function tryOpening({ folder, log, openLevel }: IndexOpening): Promise<Level | null> {
  try {
    return await openLevel(folder)
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error
    if (isDiskFull(error)) throw diskError(error, folder)
    if ((cause as { code?: unknown }).code === 'LEVEL_LOCKED') {
      throw new CloudError('FOLDER_IN_USE', `${folder} is open in another process. Close that one.`)
    }
    log.error('the index of records does not open', { folder, error })
    return null
  }
}

function mendingOf(folder: string): string {
  return `${folder}.mending`
}

function damagedOf(folder: string): string {
  return `${folder}.damaged`
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

async function readMeta(level: Level): Promise<IndexMeta | null> {
  const sealed = await level.get(META_KEY)
  const value = sealed === undefined ? null : unseal(META_KEY, sealed)
  return value === null ? null : indexMetaSchema.parse(JSON.parse(value.toString('utf8')))
}
