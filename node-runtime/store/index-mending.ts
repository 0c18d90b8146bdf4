// Copies what is whole of a damaged index into a new one, row by row: records that are what they were,
// with the attestations they name, each with its place in the order.
import type { ClassicLevel } from 'classic-level'
import { addressKey } from '../core/db/signed-record.ts'
import { decodeRow, kindRange, orderChange, unseal } from './index-rows.ts'
import type { Row, RowKind } from './index-rows.ts'

export type Level = ClassicLevel<Buffer, Buffer>
export type Change = { type: 'put'; key: Buffer; value: Buffer } | { type: 'del'; key: Buffer }

/** Rows that are read, and changes that are written, at once. */
const CHUNK_ROWS = 500
/** About what the thread that reads, and who looks at it, do in a millisecond. */
const CHUNK_BYTES = 256 * 1024

export interface Mended {
  records: number
  /** Records that are known to have been there. */
  lost: number
  newestVersion: string | undefined
}

/**
 * @param to  empty
 * @param progress  told how many rows were looked at
 * @throws when rows can't be read at all, or not written
 */
export async function copyWholeRows(
  from: Level,
  to: Level,
  progress: (rows: number) => void,
): Promise<Mended> {
  const mended: Mended = { records: 0, lost: 0, newestVersion: undefined }
  const attestations = new Set<string>()
  let looked = 0

  async function pass(
    kind: RowKind,
    look: (row: Row, value: Buffer) => Change[] | Promise<Change[]>,
  ): Promise<void> {
    const range = kindRange(kind)
    for (;;) {
      const rows = await readWholeRows(from, range)
      const changes: Change[] = []
      for (const row of rows) {
        const value = unseal(row.key, row.value)
        if (value !== null) changes.push(...(await look(row, value)))
      }
      if (changes.length > 0) await writeSynced(to, changes)
      looked += rows.length
      progress(looked)
      const last = rows.at(-1)
      if (last === undefined) return
      range.gte = Buffer.concat([last.key, Buffer.alloc(1)])
    }
  }
  const copy = (row: Row): Change[] => [{ type: 'put', ...row }]

  await pass('attestation', (row) => {
    attestations.add(row.key.subarray(1).toString('latin1'))
    return copy(row)
  })
  await pass('early', copy)
  await pass('unfit', copy)
  await pass('record', (row, value) => {
    const { header, signatures, id32 } = decodeRow(value).record
    if (!signatures.every(({ attestation }) => attestations.has(attestation))) return []
    const { version } = header
    if (version > (mended.newestVersion ?? '')) mended.newestVersion = version
    mended.records++
    return [...copy(row), orderChange({ version, id32 }, addressKey(header))]
  })
  // A place that no record took again was that of a lost one.
  await pass('order', async ({ key }) => {
    if ((await to.get(key)) === undefined) mended.lost++
    return []
  })
  return mended
}

/**
 * All of it or nothing; on the disk when it resolves. Operation by operation, because a list of them
 * costs the library three times as much (`npm run bench -- store`).
 */
export async function writeSynced(level: Level, changes: readonly Change[]): Promise<void> {
  const batch = level.batch()
  for (const change of changes) {
    if (change.type === 'put') batch.put(change.key, change.value)
    else batch.del(change.key)
  }
  await batch.write({ sync: true })
}

/**
 * The first rows of a range: as many as are asked for and as fit into a chunk.
 * @throws LEVEL_CORRUPTION if there are rows among them that can't be read. LevelDB passes over them in
 *   silence, and says so only at the end of an iteration: so it is taken there.
 */
export async function readRows(
  level: Level,
  { gte, lt }: { gte: Buffer; lt: Buffer },
  limitRows: number,
): Promise<Row[]> {
  // No key is `lt` itself. It belongs to the range of the iteration, as nothing else can be sought.
  const iterator = level.iterator({ gte, lte: lt, highWaterMarkBytes: CHUNK_BYTES })
  try {
    const entries = await iterator.nextv(limitRows)
    iterator.seek(lt)
    await iterator.nextv(1)
    return entries.map(([key, value]) => ({ key, value }))
  } finally {
    await iterator.close()
  }
}

/** The same, without the rows that can't be read. Empty only at the end of the range. */
async function readWholeRows(level: Level, range: { gte: Buffer; lt: Buffer }): Promise<Row[]> {
  const rows: Row[] = []
  const iterator = level.iterator({ ...range, highWaterMarkBytes: 0 })
  try {
    while (rows.length < CHUNK_ROWS) {
      const [entry] = await iterator.nextv(1)
      if (entry === undefined) break
      rows.push({ key: entry[0], value: entry[1] })
    }
  } catch (error) {
    // The end, after rows that can't be read.
    if ((error as { code?: unknown }).code !== 'LEVEL_CORRUPTION') throw error
  } finally {
    await iterator.close()
  }
  return rows
}
