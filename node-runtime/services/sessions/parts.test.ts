import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { transcriptHash } from '../../core/sessions/transcript.ts'
import { PartFiles } from '../../store/part-files.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { keysOf } from '../../testing/session-tables.ts'
import { Parts } from './parts.ts'

const PROTOCOL = 'dharma/session-parts/1'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-parts-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function machine(name: string) {
  const network = new FakeNetwork(keysOf(name).key)
  const parts = new Parts(await PartFiles.open(join(folder, name)), network)
  return { network, parts }
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

const transcript = Buffer.from('a game '.repeat(50_000))
const hash = transcriptHash(transcript)

test('a long transcript comes piece by piece, and is kept', async () => {
  const [here, there] = [await machine('here'), await machine('there')]
  here.network.link(there.network)
  await there.parts.put(hash, transcript)
  const got = await delivered(here.parts.get('transcript', hash), here.network, there.network)
  expect(got).toEqual(transcript)
  expect(await here.parts.get('transcript', hash)).toEqual(transcript)
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
  expect(got).toEqual(transcript)
})

test('a file that was damaged is not believed, and fetched again', async () => {
  const [here, there] = [await machine('here'), await machine('there')]
  here.network.link(there.network)
  await here.parts.put(hash, Buffer.from('damaged'))
  await there.parts.put(hash, transcript)
  const got = await delivered(here.parts.get('transcript', hash), here.network, there.network)
  expect(got).toEqual(transcript)
})

test('bytes of another kind than wanted are none', async () => {
  const [here, there] = [await machine('here'), await machine('there')]
  here.network.link(there.network)
  await there.parts.put(hash, transcript)
  expect(await delivered(here.parts.get('rules', hash), here.network, there.network)).toBeNull()
})
