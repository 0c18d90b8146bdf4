import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  MAX_TRANSCRIPT_BYTES,
  transcriptHash,
  writeTranscript,
} from '../../core/sessions/transcript.ts'
import { NOBODY, PartFiles } from '../../store/part-files.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { descriptorOf, holder, keysOf } from '../../testing/session-tables.ts'
import { PLAIN_RULES, PLAIN_RULES_HASH } from '../../testing/plain-rules.ts'
import { Parts } from './parts.ts'

const PROTOCOL = 'dharma/session-parts/1'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-parts-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function machine(name: string) {
  const network = new FakeNetwork(keysOf(name).key)
  const files = await PartFiles.open(join(folder, name))
  return { network, files, parts: new Parts(files, network) }
}

/** Lets messages arrive until the promise is settled. */
async function delivered<T>(promise: Promise<T>, ...networks: FakeNetwork[]): Promise<T> {
  let settled = false
  void promise.finally(() => (settled = true))
  while (!settled) {
    for (const network of networks) network.deliver()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return promise
}

/** Moves as far as parts are concerned: what the blocks say is not looked at. */
const transcript = Buffer.concat([
  writeTranscript(descriptorOf([holder('ann'), holder('bob')]), { actions: [], attestations: [] }),
  Buffer.from(`\n${'a move '.repeat(100)}`.repeat(500)),
])
const hash = transcriptHash(transcript)

/** One of exactly so many bytes. */
function longTranscript(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes, `${'a move '.repeat(1_000)}\n`)
  bytes.set(transcript)
  // No block is empty.
  bytes.write('x', bytes.length - 1)
  return bytes
}
const TOO_LONG = longTranscript(MAX_TRANSCRIPT_BYTES + 1)

/** Compared as bytes, not one by one as `toEqual` does. */
function expectSame(got: Uint8Array | null, bytes: Uint8Array): void {
  expect(got === null ? null : Buffer.compare(got, bytes)).toBe(0)
}

test('a long transcript comes piece by piece, and is kept', async () => {
  const [here, there] = [await machine('here'), await machine('there')]
  here.network.link(there.network)
  await there.parts.put(hash, transcript)
  const got = await delivered(here.parts.get('transcript', hash), here.network, there.network)
  expectSame(got, transcript)
  expectSame(await here.parts.get('transcript', hash), transcript)
})

/** A machine that answers whatever is wanted with this. */
function liar(data: Uint8Array, total = data.length): FakeNetwork {
  const network = new FakeNetwork(keysOf('liar').key)
  const protocol = network.openProtocol<object>({
    name: PROTOCOL,
    codec: {
      maxBytes: 1_000_000,
      encode: (message) => Buffer.from(JSON.stringify(message)),
      decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as object,
    },
    received: ({ machine: to }, message) => {
      const piece = { type: 'piece', total, data: Buffer.from(data).toString('base64') }
      protocol.send(to, { ...message, ...piece })
    },
  })
  return network
}

test.each([
  ['other bytes', liar(Buffer.from('another game'))],
  ['nothing at all', liar(new Uint8Array())],
  ['less than there is to come, for ever', liar(new Uint8Array(), 1_000)],
  ['a byte at a time', liar(Uint8Array.of(1), 8_000_000)],
])('a machine that answers with %s is not believed, and another is asked', async (_what, lying) => {
  const [here, there] = [await machine('here'), await machine('there')]
  here.network.link(lying)
  const nothing = await delivered(here.parts.get('transcript', hash), here.network, lying)
  expect(nothing).toBeNull()
  here.network.link(there.network)
  await there.parts.put(hash, transcript)
  const networks = [here.network, there.network, lying]
  const got = await delivered(here.parts.get('transcript', hash, [lying.machine]), ...networks)
  expectSame(got, transcript)
})

describe('a machine that is likely to have it, in a cloud in which not all are linked', () => {
  test('is linked with, while others are asked', async () => {
    const [here, near, far] = [await machine('here'), await machine('near'), await machine('far')]
    here.network.link(near.network)
    await far.parts.put(hash, transcript)
    const networks = [here.network, near.network, far.network]
    const fetching = delivered(
      here.parts.get('transcript', hash, [far.network.machine]),
      ...networks,
    )
    await vi.waitFor(() => expect([...here.network.reached]).toEqual([far.network.machine]))
    here.network.link(far.network)
    expectSame(await fetching, transcript)
  })

  test('is not waited for without an end, and of many only some are reached for', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const here = await machine('here')
      const gone = Array.from({ length: 9 }, (_, at) => keysOf(`gone ${at}`).key)
      const fetching = here.parts.get('transcript', hash, gone)
      await vi.waitFor(() => expect([...here.network.reached]).toEqual(gone.slice(0, 4)))
      vi.advanceTimersByTime(5_000)
      expect(await fetching).toBeNull()
    } finally {
      vi.useRealTimers()
    }
  })

  test('is waited for no more by a machine that closes', async () => {
    const here = await machine('here')
    const fetching = here.parts.get('transcript', hash, [keysOf('gone').key])
    await vi.waitFor(() => expect(here.network.reached.size).toBe(1))
    await here.parts.close()
    const later = new Promise((resolve) => setImmediate(resolve, 'it still waits'))
    expect(await Promise.race([fetching, later])).toBeNull()
  })
})

test('a file that was damaged is not believed, and fetched again', async () => {
  const [here, there] = [await machine('here'), await machine('there')]
  here.network.link(there.network)
  await here.files.put(hash, Buffer.from('damaged'), NOBODY)
  await there.parts.put(hash, transcript)
  const got = await delivered(here.parts.get('transcript', hash), here.network, there.network)
  expectSame(got, transcript)
})

describe.each([
  ['moves', 'transcript', hash, transcript, 'rules'],
  ['rules', 'rules', PLAIN_RULES_HASH, PLAIN_RULES, 'transcript'],
] as const)('%s that are asked for under the other kind', (_what, kind, hash, bytes, wrongKind) => {
  test('are none, and stay where they are', async () => {
    const [here, there] = [await machine('here'), await machine('there')]
    await here.parts.put(hash, bytes)
    here.network.link(there.network)
    // Nothing is delivered: who asked another machine would wait for its answer.
    expect(await here.parts.get(wrongKind, hash)).toBeNull()
    expectSame(await here.parts.get(kind, hash), bytes)
  })

  test('are fetched once, and kept for those who ask for what they are', async () => {
    const [here, there] = [await machine('here'), await machine('there')]
    here.network.link(there.network)
    await there.parts.put(hash, bytes)
    const both = Promise.all([here.parts.get(wrongKind, hash), here.parts.get(kind, hash)])
    const [wrong, right] = await delivered(both, here.network, there.network)
    expect(wrong).toBeNull()
    expectSame(right, bytes)
    // Nothing is delivered any more: whatever is here is not fetched.
    expect(await here.parts.get(wrongKind, hash)).toBeNull()
    expectSame(await here.parts.get(kind, hash), bytes)
  })
})

test('what is neither moves nor rules is not kept, though it has the hash', async () => {
  const [here, there] = [await machine('here'), await machine('there')]
  here.network.link(there.network)
  const filler = Buffer.from('filler')
  const named = transcriptHash(filler)
  await there.files.put(named, filler, NOBODY)
  const got = await delivered(here.parts.get('transcript', named), here.network, there.network)
  expect(got).toBeNull()
  expect(await readdir(join(folder, 'here'))).toEqual([])
})

test.each([
  ['other bytes than the hash names', hash, transcript.subarray(1)],
  ['what is no transcript', transcriptHash(Buffer.from('filler')), Buffer.from('filler')],
  ['rules under the hash of moves', transcriptHash(PLAIN_RULES), PLAIN_RULES],
  ['a transcript that is too long', transcriptHash(TOO_LONG), TOO_LONG],
])(
  'a machine keeps nothing of its own making that nobody takes: %s',
  async (_what, named, bytes) => {
    const { parts } = await machine('here')
    const refused = { code: 'INTERNAL', details: { hash: named, sizeBytes: bytes.length } }
    await expect(parts.put(named, bytes)).rejects.toMatchObject(refused)
    expect(await readdir(join(folder, 'here'))).toEqual([])
  },
)

test('it keeps the longest transcript that there may be', async () => {
  const { parts } = await machine('here')
  const longest = longTranscript(MAX_TRANSCRIPT_BYTES)
  await parts.put(transcriptHash(longest), longest)
  expectSame(await parts.get('transcript', transcriptHash(longest)), longest)
})
