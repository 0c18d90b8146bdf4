// How much of what was found goes into one answer, and how the next answer goes on from there.
import * as z from 'zod'
import { CloudError } from '../../contract/errors.ts'
import { keySchema, recordIdSchema } from '../../contract/values.ts'

/**
 * The bytes of records in one answer. Four hundred small notes fit, and so does the largest record.
 * Making an answer holds up all others for about 5 ms at most.
 */
export const MAX_PAGE_BYTES = 256 * 1024

/** The record that an answer ended with. */
export interface Position {
  id: string
  author: string
}

export interface PageRules<F> {
  limit: number
  maxBytes: number
  /** In an answer, bytes; a little more does no harm. */
  sizeOf: (one: F) => number
  positionOf: (one: F) => Position
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
 * The first of `found`: until `limit` of them are reached or `maxBytes` would be passed, but one at
 * least. `cursor` is there if more follow. Reads no further than it must.
 */
export async function takePage<F>(
  found: AsyncIterable<F>,
  { limit, maxBytes, sizeOf, positionOf }: PageRules<F>,
): Promise<{ taken: F[]; cursor?: string }> {
  const taken: F[] = []
  let takenBytes = 0
  for await (const one of found) {
    takenBytes += sizeOf(one)
    const last = taken.at(-1)
    if (last !== undefined && (taken.length >= limit || takenBytes > maxBytes)) {
      return { taken, cursor: formatCursor(positionOf(last)) }
    }
    taken.push(one)
  }
  return { taken }
}
