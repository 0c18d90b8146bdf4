// Nodes of a DHT at several addresses of this computer, in a process of their own. Says `ready` once they know
// each other. Usage: nat-dht.ts <port> <address>...
import DHT from 'hyperdht'
import type { DhtAddress } from 'hyperdht'

const [word = '', ...hosts] = process.argv.slice(2)
const port = Number(word)
const bootstrap: DhtAddress[] = []
for (const host of hosts) {
  const node = new DHT({ bootstrap, host, port, ephemeral: false, firewalled: false })
  await node.fullyBootstrapped()
  if (bootstrap.length === 0) bootstrap.push({ host, port })
}
process.stdout.write('ready\n')
