import DHT from 'hyperdht'
import { expect, test } from 'vitest'
import { startTestnet } from './testnet.ts'

test('a node that knows only the last node of the testnet gets into it', async () => {
  const testnet = await startTestnet()
  const last = testnet.bootstrap.at(-1)!
  const node = new DHT({ host: '127.0.0.1', bootstrap: [last] })
  try {
    await node.fullyBootstrapped()
    expect(node.bootstrapped).toBe(true)
    expect(new Set(testnet.bootstrap.map(({ port }) => port)).size).toBe(4)
    const ports = node.nodes.toArray().map(({ port }) => port)
    expect(ports).toContain(last.port)
  } finally {
    await node.destroy()
    await testnet.close()
  }
})
