// What is in a segment: frames of records, made so that all who hold the same records make the same
// blocks.
import type { Item } from '../core/sync/item.ts'
import { decodeFrameBody, Gathered, MOST_BYTES } from '../core/sync/messages.ts'
import type { FrameBody } from '../core/sync/messages.ts'
import type { OutgoingRecord } from '../core/sync/replication-events.ts'

/** Records that are read at a time. */
const READ_AT_ONCE = 512
/** Blocks that are judged at a time, so that the threads that do it are never without work. */
const JUDGED_AT_ONCE = 8

/** @throws Error if a record is no longer held: then there is nothing to seal */
export async function* writeBlocks(
  items: readonly Item[],
  read: (items: readonly Item[]) => Promise<(OutgoingRecord | null)[]>,
): AsyncGenerator<Uint8Array> {
  let block = new Gathered()
  for (let from = 0; from < items.length; from += READ_AT_ONCE) {
    const some = items.slice(from, from + READ_AT_ONCE)
    const records = await read(some)
    for (let i = 0; i < some.length; i++) {
      const record = records[i]
      if (record === null || record === undefined) throw new Error('a record is gone')
      if (block.add(record)) continue
      yield block.encode()
      block = new Gathered()
      block.add(record)
    }
  }
  if (block.records.length > 0) yield block.encode()
}

/**
 * Hands the frames of a segment over, a few at a time, up to the first block that is none.
 * @throws Error if there was one; what is missing is found by comparing
 */
export async function readBlocks(
  blocks: AsyncIterable<Uint8Array>,
  take: (frame: FrameBody) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>()
  let isWhole = true
  for await (const block of blocks) {
    const frame = block.length > MOST_BYTES ? null : decodeFrameBody(block)
    if (frame === null) {
      isWhole = false
      break
    }
    const work = take(frame).finally(() => running.delete(work))
    running.add(work)
    if (running.size >= JUDGED_AT_ONCE) await Promise.race(running)
  }
  await Promise.all(running)
  if (!isWhole) throw new Error('a block of a segment is no frame')
}
