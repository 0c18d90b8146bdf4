// How much of what was found goes into one answer: so many ids, and so many bytes.

/**
 * The bytes of records in one answer. A thousand small notes fit, and so do the largest four records;
 * a machine can hold the answers to all calls that it works on at once.
 */
export const MAX_PAGE_BYTES = 1024 * 1024

interface Found {
  id: string
}

function sizeBytesOf(records: readonly unknown[]): number {
  return records.reduce<number>((sum, record) => sum + JSON.stringify(record).length, 0)
}

/**
 * The first of `groups`, each all that was found under one id, in the order of the ids: until `limit`
 * records are reached or `maxBytes` would be passed, but never less than one group. `cursor`, the last
 * id, is there if more follow. Reads no group further than it must.
 */
export async function takePage<R extends Found>(
  groups: AsyncIterable<readonly R[]>,
  limit: number,
  maxBytes: number,
): Promise<{ records: R[]; cursor?: string }> {
  const records: R[] = []
  let sizeBytes = 0
  for await (const group of groups) {
    if (group.length === 0) continue
    sizeBytes += sizeBytesOf(group)
    const last = records.at(-1)
    if (last !== undefined && (records.length >= limit || sizeBytes > maxBytes)) {
      return { records, cursor: last.id }
    }
    records.push(...group)
  }
  return { records }
}
