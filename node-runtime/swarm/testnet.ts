// A small DHT on this computer alone, for trying Dharma out and for tests of several machines.
import DHT from 'hyperdht'
import type { DhtAddress } from 'hyperdht'

const HOST = '127.0.0.1'
/** Enough for look-ups to go through more than one node. */
const NODE_COUNT = 4

export interface Testnet {
  /** All nodes, so that one may go and the others still answer. */
  bootstrap: DhtAddress[]
  close(): Promise<void>
}

/** Starts DHT nodes on free ports of 127.0.0.1 that know only each other. */
export async function startTestnet(nodeCount = NODE_COUNT): Promise<Testnet> {
  const nodes: DHT[] = []
  const close = async (): Promise<void> => {
    for (const node of nodes.splice(0).reverse()) await node.destroy()
  }
  try {
    const bootstrap: DhtAddress[] = []
    while (nodes.length < nodeCount) {
      const node = new DHT({ host: HOST, bootstrap, port: 0, ephemeral: false, firewalled: false })
      nodes.push(node)
      await node.fullyBootstrapped()
      // The first is the one that the others begin with.
      if (bootstrap.length === 0) bootstrap.push({ host: HOST, port: node.address().port })
    }
    return { bootstrap: nodes.map((node) => ({ host: HOST, port: node.address().port })), close }
  } catch (error) {
    await close()
    throw error
  }
}
