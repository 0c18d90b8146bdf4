import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { expect, it } from 'vitest'
import { whyNoNode } from './no-node.ts'

const LOCAL = '127.0.0.1'
const loopback = {
  address: LOCAL,
  netmask: '255.0.0.0',
  family: 'IPv4' as const,
  mac: '00:00:00:00:00:00',
  internal: true,
  cidr: '127.0.0.1/8',
}
const alone: typeof networkInterfaces = () => ({ lo: [loopback] })
const connected: typeof networkInterfaces = () => ({
  lo: [loopback],
  e0: [{ ...loopback, address: '10.0.0.2', internal: false }],
})

async function listen(): Promise<{ port: number; close: () => void }> {
  const server = createServer((socket) => socket.destroy()).listen(0, LOCAL)
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

it('without an address in any network, this computer is offline', async () => {
  expect((await whyNoNode([], alone)).step).toBe('OFFLINE')
})

it('a node’s computer that takes or refuses a connection shows that only UDP is missing', async () => {
  const { port, close } = await listen()
  const node = { host: LOCAL, port }
  expect((await whyNoNode([node], connected)).step).toBe('UDP_BLOCKED')
  close()
  expect((await whyNoNode([node], connected)).step).toBe('UDP_BLOCKED')
})

it('if none can be reached by any way, the cause stays open', async () => {
  expect((await whyNoNode([], connected)).step).toBe('NO_NODE')
  // A port that nobody can have.
  const nowhere = { host: '255.255.255.255', port: 9 }
  expect((await whyNoNode([nowhere], connected)).step).toBe('NO_NODE')
})

it('asks a few at most', async () => {
  const { port, close } = await listen()
  const nowhere = { host: '255.255.255.255', port: 9 }
  const nodes = [nowhere, nowhere, nowhere, { host: LOCAL, port }]
  expect((await whyNoNode(nodes, connected)).step).toBe('NO_NODE')
  close()
})
