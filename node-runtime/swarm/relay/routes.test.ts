import type { SwarmConnection } from 'hyperswarm'
import { expect, it } from 'vitest'
import { encodeKey } from '../../core/keys.ts'
import { keyOf, keysOf, signTestEntry } from '../../testing/entries.ts'
import { Routes } from './routes.ts'

it('a link with a relay is direct although others go through it, also before it says again that it relays', () => {
  const relayKey = keysOf('key of the relay').publicKey
  const address = { host: '192.0.2.1', port: 9 }
  const routes = new Routes({
    links: { get: () => undefined, values: () => [] },
    dht: {
      meetings: {
        relaysAt: (host, port) => (host === address.host && port === 9 ? [relayKey] : []),
      },
    },
    relaying: { isOf: (_, machine) => machine === keyOf('relay'), ownerOf: () => null },
    changed: () => {},
  })
  const linkWith = (name: string, port = address.port) => ({
    entry: signTestEntry({ keys: keysOf(name), cloud: keyOf('cloud') }),
    connection: { rawStream: { remoteHost: address.host, remotePort: port } } as SwarmConnection,
  })
  expect(routes.addressOf(linkWith('relay'))).toEqual(address)
  expect(routes.relayKeyOf(linkWith('relay'))).toBeNull()
  expect(routes.addressOf(linkWith('other'))).toBeNull()
  expect(routes.relayKeyOf(linkWith('other'))).toBe(encodeKey(relayKey))
  expect(routes.isThroughRelay(linkWith('other', 10))).toBe(false)
})
