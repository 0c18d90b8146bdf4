import { expect, test } from 'vitest'
import { descriptorOf, holder } from '../../testing/session-tables.ts'
import { canonicalJson } from '../canonical.ts'
import { MAX_BLOCK_CHARS, MAX_LOG_BLOCKS, readBlock } from './block.ts'
import { MAX_DESCRIPTOR_CHARS } from './seats.ts'
import {
  MAX_ACTION_BYTES,
  MAX_ATTESTATION_BYTES,
  MAX_TRANSCRIPT_BYTES,
  readTranscript,
  transcriptHash,
  writeTranscript,
} from './transcript.ts'

const [ANN, BOB] = [holder('ann'), holder('bob')]
const descriptor = descriptorOf([ANN, BOB])
const actions = [0, 1].map((seq) =>
  ANN.sign({
    session: 'a'.repeat(64),
    seat: 0,
    seq,
    heads: [null, null],
    type: 'move',
    body: 'ü',
    machine: ANN.machine,
    attestation: ANN.attestation.hash,
    atMs: 1,
  }),
)
const attestations = [ANN.attestation, BOB.attestation]

test('a transcript is the same text for all who have the same end', () => {
  const bytes = writeTranscript(descriptor, { actions, attestations })
  const again = writeTranscript(descriptor, { actions, attestations: attestations.toReversed() })
  expect(Buffer.from(bytes).equals(again)).toBe(true)
  const [head, ...blocks] = Buffer.from(bytes).toString('utf8').split('\n')
  expect(head).toBe(canonicalJson({ descriptor, kind: 'transcript', v: 1 }))
  expect(blocks.map((block) => readBlock(block))).toEqual([
    ...attestations
      .toSorted((a, b) => (a.hash < b.hash ? -1 : 1))
      .map(({ form }) => ({ type: 'attestation', form })),
    ...actions.map(({ form }) => ({ type: 'action', form })),
  ])
  expect(readTranscript(bytes)).toEqual({ descriptor, blocks })
})

test('its name is frozen', () => {
  expect(transcriptHash(Buffer.from('x'))).toBe(
    '6521e68d175babc250a99aa05b8475b93f7fb84ff8cc073ab3f1c6fa897d9278',
  )
})

test('what is no transcript is none', () => {
  const text = (head: unknown, ...blocks: string[]): Uint8Array =>
    Buffer.from([canonicalJson(head as object), ...blocks].join('\n'))
  const head = { descriptor, kind: 'transcript', v: 1 }
  expect(readTranscript(text(head))).toEqual({ descriptor, blocks: [] })
  // Fields of later versions are none of its business.
  expect(readTranscript(text({ ...head, mood: 'good' }))).not.toBeNull()
  for (const wrong of [
    new Uint8Array(0),
    Buffer.from('null'),
    Buffer.from('1'),
    Buffer.from('[]'),
    Buffer.from('{"kind":"transcript"'),
    Uint8Array.of(0xff),
    text({ ...head, kind: 'other' }),
    text({ kind: 'transcript', v: 1 }),
    text({ ...head, descriptor: { ...descriptor, seats: 'two' } }),
  ]) {
    expect(readTranscript(wrong), Buffer.from(wrong).toString()).toBeNull()
  }
})

test('a block of it, and all of it, is only so long', () => {
  const head = canonicalJson({ descriptor, kind: 'transcript', v: 1 })
  const withBlock = (chars: number): Uint8Array => Buffer.from(`${head}\n${'x'.repeat(chars)}`)
  expect(readTranscript(withBlock(MAX_BLOCK_CHARS))).not.toBeNull()
  expect(readTranscript(withBlock(MAX_BLOCK_CHARS + 1))).toBeNull()
  const whole = (sizeBytes: number): Uint8Array =>
    Buffer.from(`${head}\n`.padEnd(sizeBytes, `${'x'.repeat(999)}\n`))
  expect(readTranscript(whole(MAX_TRANSCRIPT_BYTES))).not.toBeNull()
  expect(readTranscript(whole(MAX_TRANSCRIPT_BYTES + 1))).toBeNull()
})

test('it has no empty blocks, and no more than a log may have', () => {
  const head = canonicalJson({ descriptor, kind: 'transcript', v: 1 })
  const withBlocks = (count: number, block = 'x'): Uint8Array =>
    Buffer.from(head + `\n${block}`.repeat(count))
  expect(readTranscript(withBlocks(MAX_LOG_BLOCKS))?.blocks).toHaveLength(MAX_LOG_BLOCKS)
  expect(readTranscript(withBlocks(MAX_LOG_BLOCKS + 1))).toBeNull()
  expect(readTranscript(withBlocks(1, ''))).toBeNull()
  expect(readTranscript(withBlocks(500_000, ''))).toBeNull()
  expect(readTranscript(Buffer.from(`${head}\nx\n\nx`))).toBeNull()
})

test('its head, of the longest descriptor, has room beside what actions and attestations may take', () => {
  const around = canonicalJson(descriptorOf([ANN, BOB], { text: '' })).length
  const text = '\u20ac'.repeat(MAX_DESCRIPTOR_CHARS - around)
  const longest = descriptorOf([ANN, BOB], { text })
  const head = writeTranscript(longest, { actions: [], attestations: [] }).length + 1
  const left = MAX_TRANSCRIPT_BYTES - MAX_ACTION_BYTES - MAX_ATTESTATION_BYTES - head
  expect(left).toBeGreaterThanOrEqual(0)
  expect(left).toBeLessThan(2 * 1024)
})
