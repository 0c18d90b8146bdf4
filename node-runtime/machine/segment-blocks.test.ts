import { expect, it } from 'vitest'
import { MAX_ENVELOPE_BYTES } from '../core/db/signed-record.ts'
import { MAX_ATTESTATION_BODY_BYTES } from '../core/forms/attestation.ts'
import { FRAME_BYTES, MOST_BYTES } from '../core/sync/messages.ts'
import type { FrameBody } from '../core/sync/messages.ts'
import type { OutgoingRecord } from '../core/sync/replication-events.ts'
import { readBlocks, writeBlocks } from './segment-blocks.ts'

function record(sizeBytes: number, name: number, forms: number): OutgoingRecord {
  const id = `${name}`.padStart(64, '0')
  return {
    item: { version: '018bcfe56800-0000', id },
    bytes: Buffer.alloc(sizeBytes, id.slice(-4)),
    attestations: Array.from({ length: forms }, (_, i) => ({
      body: `${name} ${i}`.padStart(MAX_ATTESTATION_BODY_BYTES, '-'),
      signature: 'ab'.repeat(64),
    })),
  }
}

async function blocksOf(records: readonly OutgoingRecord[]): Promise<Uint8Array[]> {
  const byId = new Map(records.map((one) => [one.item.id, one]))
  const items = records.map(({ item }) => item)
  const read = (some: readonly { id: string }[]) =>
    Promise.resolve(some.map(({ id }) => byId.get(id) ?? null))
  const blocks: Uint8Array[] = []
  for await (const block of writeBlocks(items, read)) blocks.push(block)
  return blocks
}

async function* each(blocks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const block of blocks) yield await Promise.resolve(block)
}

const collect = (frames: FrameBody[]) => (frame: FrameBody) => {
  frames.push(frame)
  return Promise.resolve()
}

it('blocks are as long as frames, however much the attestations in them take', async () => {
  const records = Array.from({ length: 600 }, (_, i) => record(200, i, 1))
  const blocks = await blocksOf(records)
  for (const block of blocks) expect(block.length).toBeLessThan(FRAME_BYTES + 1_000)
  const frames: FrameBody[] = []
  await readBlocks(each(blocks), collect(frames))
  const read = Buffer.concat(frames.flatMap(({ records }) => records))
  expect(read.equals(Buffer.concat(records.map(({ bytes }) => bytes)))).toBe(true)
})

it('the longest record is read with all its attestations', async () => {
  const blocks = await blocksOf([
    record(1, 0, 1),
    record(MAX_ENVELOPE_BYTES, 1, 64),
    record(1, 2, 1),
  ])
  expect(blocks).toHaveLength(3)
  const frames: FrameBody[] = []
  await readBlocks(each(blocks), collect(frames))
  expect(frames.map(({ attestations }) => attestations.length)).toEqual([1, 64, 1])
})

it.each([
  ['no frame', Uint8Array.of(9, 9)],
  ['longer than any', new Uint8Array(MOST_BYTES + 1)],
])('a block that is %s ends the segment, once what came before it is taken', async (_, wrong) => {
  const [first] = await blocksOf([record(1, 0, 1)])
  const frames: FrameBody[] = []
  await expect(readBlocks(each([first!, wrong, first!]), collect(frames))).rejects.toThrow(
    'no frame',
  )
  expect(frames).toHaveLength(1)
})
