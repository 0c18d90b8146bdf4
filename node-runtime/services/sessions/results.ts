// Results in the database: an ordinary record of a seat, under the session's id. What it says is worth
// what its transcript proves; see `verdicts.ts`.
import type { CloudRecord } from '../../contract/db.ts'
import { resultValueSchema } from '../../contract/sessions.ts'
import type { ResultValue, SessionDescriptor } from '../../contract/sessions.ts'
import { isHash } from '../../contract/values.ts'
import type { Json } from '../../contract/values.ts'
import { canonicalJson } from '../../core/canonical.ts'
import { sessionId } from '../../core/sessions/position.ts'

/** What sessions need of the database. */
export interface SessionRecords {
  /** Writes a record of the runtime itself, in the person's name. */
  putBuiltIn(collection: string, id: string, value: Json): Promise<unknown>
  /** Writes a record of a system, in the person's name. */
  put(place: { system: string; collection: string; id: string }, value: Json): Promise<unknown>
  /** That author's record. */
  get(
    place: { system: string; collection: string; id: string },
    whose: { author: string },
  ): Promise<CloudRecord | null>
  query(query: {
    system: string
    collection: string
    prefix?: string
    author?: string
    limit: number
    cursor?: string
  }): Promise<{ records: CloudRecord[]; cursor?: string }>
  onChange(listener: (record: CloudRecord) => void): () => void
}

/** A result as one seat has written it. */
export interface SeatResult {
  author: string
  value: ResultValue
}

/** The result in a record, if it is by a seat and says of itself what it is. Unverified. */
export function readResult(record: CloudRecord): SeatResult | null {
  // Most records are no results: their ids say so, and their values need not be read.
  if (!isHash(record.id)) return null
  const { id, author, value } = record
  const parsed = resultValueSchema.safeParse(value)
  if (!parsed.success) return null
  const { session, descriptor, kind, context } = parsed.data
  const consistent =
    id === session &&
    session === sessionId(descriptor) &&
    descriptor.seats.includes(author) &&
    kind === descriptor.kind &&
    canonicalJson(context) === canonicalJson(descriptor.context)
  return consistent ? { author, value: parsed.data } : null
}

/** What the seats have written of a session's end, by seat. */
export async function findResults(
  records: SessionRecords,
  descriptor: SessionDescriptor,
  collection: string,
): Promise<SeatResult[]> {
  const place = { system: descriptor.system, collection, id: sessionId(descriptor) }
  const found = await Promise.all(descriptor.seats.map((author) => records.get(place, { author })))
  return found.flatMap((record) => (record === null ? [] : (readResult(record) ?? [])))
}

/** Do these results say different things? */
export function areDisputed(results: readonly SeatResult[]): boolean {
  const outcomes = results.map(({ value }) => canonicalJson(value.outcome.scores))
  return new Set(outcomes).size > 1
}
