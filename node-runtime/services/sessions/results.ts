// The results of sessions in the database: co-signed by every seat, or they do not count.
import type { CloudRecord } from '../../contract/db.ts'
import { resultValueSchema } from '../../contract/sessions.ts'
import type { ResultValue, SessionDescriptor } from '../../contract/sessions.ts'
import type { Json } from '../../contract/values.ts'
import { canonicalJson } from '../../core/canonical.ts'
import { domainBytes } from '../../core/keys.ts'
import { resultValue } from '../../core/sessions/session-chain.ts'
import type { ChainHead } from '../../core/sessions/session-chain.ts'

/** What sessions need of the database. */
export interface SessionRecords {
  /** Writes a record of the runtime itself, in the person's name. */
  putBuiltIn(collection: string, id: string, value: Json): Promise<CloudRecord>
  get(
    place: { system: string; collection: string; id: string },
    whose: { author: string },
  ): Promise<CloudRecord | null>
  query(query: {
    system: string
    collection: string
    limit: number
    cursor?: string
  }): Promise<{ records: CloudRecord[]; cursor?: string }>
  onChange(listener: (record: CloudRecord) => void): () => void
}

function resultAddress(descriptor: SessionDescriptor, id: string, collection: string) {
  return { system: descriptor.system, collection, id }
}

/** What each seat signs when the session is over. */
export function resultBytes(head: ChainHead, collection: string): Uint8Array {
  const { outcome } = head.position
  if (outcome === null) throw new Error('a session without an outcome has no result')
  const address = resultAddress(head.descriptor, head.session, collection)
  return domainBytes('result', canonicalJson({ ...address, value: resultValue(head, outcome) }))
}

/** The result in a record, if every seat of the session has co-signed it. Its actions are unchecked. */
export function readResult(record: CloudRecord): ResultValue | null {
  const parsed = resultValueSchema.safeParse(record.value)
  if (!parsed.success || record.id !== parsed.data.session) return null
  const signers = [record.author]
  return parsed.data.descriptor.seats.every((person) => signers.includes(person))
    ? parsed.data
    : null
}

/** The stored result of a session; null if there is none. A seat's person is always its author. */
export async function findResult(
  records: SessionRecords,
  descriptor: SessionDescriptor,
  session: string,
  collection: string,
): Promise<ResultValue | null> {
  const address = resultAddress(descriptor, session, collection)
  for (const author of descriptor.seats) {
    const record = await records.get(address, { author })
    const result = record === null ? null : readResult(record)
    if (result !== null) return result
  }
  return null
}

/** Stores the result with every seat's signature. All who do it store the same. */
export async function storeResult(
  records: SessionRecords,
  head: ChainHead,
  collection: string,
  signatures: readonly string[],
): Promise<void> {
  await Promise.reject(
    new Error(`results come with the referee ${String([records, head, collection, signatures])}`),
  )
}
