import { Duplex } from 'node:stream'
import DHT from 'hyperdht'
import type { DhtServer } from 'hyperdht'
import type { SwarmConnection } from 'hyperswarm'
import { afterEach, expect, it, vi } from 'vitest'
import { encodeKey } from '../core/keys.ts'
import { newKeyPair } from '../store/new-keys.ts'
import { silentLog, until } from '../testing/cloud-nodes.ts'
import { HintedDht } from './hinted-dht.ts'
import { MAX_DIALS, Stack } from './stack.ts'
import type { StackOptions } from './stack.ts'
import { startTestnet } from './testnet.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(() => {
  vi.restoreAllMocks()
  return Promise.all(closers.splice(0).map((close) => close()))
})

function newStack(more: Partial<StackOptions>): Stack {
  return new Stack({
    keyPair: newKeyPair(),
    cloud: encodeKey(newKeyPair().publicKey),
    host: '127.0.0.1',
    routes: {
      through: () => null,
      hasFresh: () => false,
      addressOf: () => null,
      isKnown: () => false,
      isMember: () => true,
      served: () => {},
      failed: () => {},
      dialAgain: () => {},
    },
    seeks: () => true,
    onConnection: () => {},
    onNews: () => {},
    log: silentLog,
    ...more,
  })
}

it('machines that are gone, which are dialled for long, keep nobody who is there waiting unless they are many', async () => {
  const testnet = await startTestnet()
  const stack = newStack({ bootstrap: testnet.bootstrap })
  closers.push(async () => {
    await stack.close(undefined)
    await testnet.close()
  })
  const dialled = new Set<string>()
  vi.spyOn(stack.dht, 'connect').mockImplementation((publicKey) => {
    dialled.add(encodeKey(publicKey))
    // It never opens.
    const connection = new Duplex({ read: () => {}, write: () => {} })
    return Object.assign(connection, { remotePublicKey: publicKey }) as unknown as SwarmConnection
  })
  stack.start()
  const machines = Array.from({ length: MAX_DIALS + 1 }, () => encodeKey(newKeyPair().publicKey))
  for (const machine of machines) stack.dial(machine)
  await until(() => dialled.size >= MAX_DIALS)
  expect([...dialled]).toEqual(machines.slice(0, MAX_DIALS))
})

it('its node ends after what is to end before', async () => {
  const servers = vi.spyOn(HintedDht.prototype, 'createServer')
  const ending = vi.spyOn(DHT.prototype, 'destroy')
  const ends: string[] = []
  const stack = newStack({ useDht: false })
  stack.start()
  const server: DhtServer = servers.mock.results[0]!.value
  const before = new Promise<void>((resolve) => {
    // The stack has nothing more to wait for then.
    server.once('close', () => {
      setImmediate(() => {
        ends.push(ending.mock.calls.length === 0 ? 'before' : 'after')
        resolve()
      })
    })
  })
  await stack.close(before)
  await until(() => stack.dht.destroyed)
  expect(ends).toEqual(['before'])
})
