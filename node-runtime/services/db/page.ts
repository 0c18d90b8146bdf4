// How much of what was found goes into one answer, and how the next answer goes on from there.
import * as z from 'zod'
import { CloudError } from '../../contract/errors.ts'
import { keySchema, recordIdSchema } from '../../contract/values.ts'

/**
 * The bytes of records in one answer. A thousand small notes fit, and so do the largest four records;
 * a machine can hold the answers to all calls that it works on at once.
 */
export const MAX_PAGE_BYTES = 1024 * 1024

/** The record that an answer ended with. */
export interface Position {
  id: string
  author: string
}

const cursorSchema = z.tuple([recordIdSchema, keySchema])

export function formatCursor({ id, author }: Position): string {
  return Buffer.from(JSON.stringify([id, author]), 'utf8').toString('base64url')
}

/** @throws CloudError BAD_INPUT if it did not come with an answer */
export function parseCursor(cursor: string): Position {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    // No JSON: refused below like every other text that is no cursor.
    value = null
  }
  const parsed = cursorSchema.safeParse(value)
  if (!parsed.success) {
    throw new CloudError('BAD_INPUT', 'This cursor did not come with an answer of `db.query`.', {
      issues: [{ path: 'cursor', message: 'not a cursor' }],
    })
  }
  const [id, author] = parsed.data
  return { id, author }
}

/**
 * The first of `found`: until `limit` records are reached or `maxBytes` would be passed, but one at
 * least. `cursor` is there if more follow. Reads no further than it must.
 */
export async function takePage<R extends Position>(
  found: AsyncIterable<{ record: R; sizeBytes: number }>,
  limit: number,
  maxBytes: number,
): Promise<{ records: R[]; cursor?: string }> {
  const records: R[] = []
  let takenBytes = 0
  for await (const { record, sizeBytes } of found) {
    takenBytes += sizeBytes
    const last = records.at(-1)
    if (last !== undefined && (records.length >= limit || takenBytes > maxBytes)) {
      return { records, cursor: formatCursor(last) }
    }
    records.push(record)
  }
  return { records }
}
