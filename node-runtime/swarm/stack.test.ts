import { Duplex } from 'node:stream'
import type { SwarmConnection } from 'hyperswarm'
import { afterEach, expect, it, vi } from 'vitest'
import { encodeKey } from '../core/keys.ts'
import { newKeyPair } from '../store/new-keys.ts'
import { silentLog, until } from '../testing/cloud-nodes.ts'
import { MAX_DIALS, Stack } from './stack.ts'
import { startTestnet } from './testnet.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(() => Promise.all(closers.splice(0).map((close) => close())))

it('machines that are gone, which are dialled for long, keep nobody who is there waiting unless they are many', async () => {
  const testnet = await startTestnet()
  const stack = new Stack({
    keyPair: newKeyPair(),
    cloud: encodeKey(newKeyPair().publicKey),
    bootstrap: testnet.bootstrap,
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
  })
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
