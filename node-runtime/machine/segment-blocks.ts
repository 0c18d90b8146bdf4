// What is in a segment: frames of records, made so that all who hold the same records make the same
// blocks.
import { MAX_ENVELOPE_BYTES } from '../core/db/signed-record.ts'
import type { Item } from '../core/sync/item.ts'
import {
  decodeFrameBody,
  FRAME_BYTES,
  frameRecords,
  MOST_FRAME_RECORDS,
} from '../core/sync/messages.ts'
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
  let group: OutgoingRecord[] = []
  let sizeBytes = 0
  for (let from = 0; from < items.length; from += READ_AT_ONCE) {
    const some = items.slice(from, from + READ_AT_ONCE)
    const records = await read(some)
    for (let i = 0; i < some.length; i++) {
      const record = records[i]
      if (record === null || record === undefined) throw new Error('a record is gone')
      const isFull = sizeBytes + record.bytes.length > FRAME_BYTES
      if (group.length === MOST_FRAME_RECORDS || (group.length > 0 && isFull)) {
        yield blockOf(group)
        group = []
        sizeBytes = 0
      }
      group.push(record)
      sizeBytes += record.bytes.length
    }
  }
  if (group.length > 0) yield blockOf(group)
}

function blockOf(group: readonly OutgoingRecord[]): Uint8Array {
  const [frame, ...more] = frameRecords(group)
  if (frame === undefined || more.length > 0) throw new Error('a block is one frame')
  return frame.body
}

/**
 * Hands the frames of a segment over, a few at a time. Blocks that are none end it: what is missing is
 * found by comparing.
 */
export async function readBlocks(
  blocks: AsyncIterable<Uint8Array>,
  take: (frame: FrameBody) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>()
  for await (const block of blocks) {
    const frame = block.length > FRAME_BYTES + MAX_ENVELOPE_BYTES ? null : decodeFrameBody(block)
    if (frame === null) break
    const work = take(frame).finally(() => running.delete(work))
    running.add(work)
    if (running.size >= JUDGED_AT_ONCE) await Promise.race(running)
  }
  await Promise.all(running)
}
