import { once } from 'node:events'
import DHT from 'hyperdht'
import type { SwarmConnection } from 'hyperswarm'
import { expect, it } from 'vitest'
import { encodeKey, keyPair } from '../core/keys.ts'
import { startTestnet } from './testnet.ts'
import { TopicSwarm } from './topic-swarm.ts'

const topic = new Uint8Array(32).fill(9)

it('of those found by a topic only who is sought is dialled, and who was asked for in any case', async () => {
  const testnet = await startTestnet()
  const nodes = [1, 2, 3].map((seed) => {
    const options = { bootstrap: [...testnet.bootstrap], host: '127.0.0.1' }
    return { dht: new DHT(options), keys: keyPair(new Uint8Array(32).fill(seed)) }
  })
  const swarms = nodes.map(({ dht, keys }, at) => {
    const named: string[] = []
    // Only the last one dials; of the first two it seeks one.
    const seeks = (machine: string): boolean =>
      at === 2 && machine === encodeKey(nodes[0]!.keys.publicKey)
    const swarm = new TopicSwarm(
      { dht, keyPair: keys },
      { seeks, named: (machine) => named.push(machine) },
    )
    // Closing them all resets what is open.
    swarm.on('connection', (connection) => void connection.on('error', () => {}))
    return { swarm, named }
  })
  try {
    for (const { swarm } of swarms.slice(0, 2)) {
      await swarm.join(topic, { server: true, client: false }).flushed()
    }
    const { swarm, named } = swarms[2]!
    const connected = async (): Promise<string> => {
      const [connection] = (await once(swarm, 'connection')) as [SwarmConnection]
      return encodeKey(connection.remotePublicKey)
    }
    const first = connected()
    await swarm.join(topic, { server: false, client: true }).flushed()
    const [sought, other] = nodes.map(({ keys }) => encodeKey(keys.publicKey))
    expect(await first).toBe(sought)
    expect(new Set(named)).toEqual(new Set([sought, other]))
    // Who is announced finds itself, too, which is nobody.
    await swarms[0]!.swarm.join(topic, { server: true, client: true }).flushed()
    expect(swarms[0]!.named).not.toContain(sought)
    expect(swarm.stats.connects.client.attempted).toBe(1)
    // Nothing is kept of the one that is not dialled.
    expect([...swarm.peers.values()].map(({ publicKey }) => encodeKey(publicKey))).toEqual([sought])
    const second = connected()
    swarm.joinPeer(nodes[1]!.keys.publicKey)
    expect(await second).toBe(other)
  } finally {
    await Promise.all(swarms.map(({ swarm }) => swarm.destroy({ force: true })))
    await testnet.close()
  }
})
