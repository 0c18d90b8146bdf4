import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import DHT from 'hyperdht'
import { expect, it } from 'vitest'
import { Namespaces } from '../testing/namespaces.ts'
import { natWorldFault } from '../testing/nat-world.ts'
import { probePort } from './port-probe.ts'

const HOST = '127.0.0.1'
const fault = await natWorldFault()
if (fault !== null) console.warn(`What routers say of ports is not tested here: ${fault}.`)

/** What is said there. A process of a busy computer may stand still for as long as a word is waited for. */
async function wordOf(probe: () => Promise<unknown>): Promise<unknown> {
  for (let tries = 1; ; tries++) {
    const word = await probe()
    if (word !== 'nothing' || tries === 10) return word
  }
}

it('hears a machine that lives, whoever asks, and knows that its port is closed when it has ended', async () => {
  // It dials with one socket, and is dialled at the other one.
  for (const firewalled of [true, false]) {
    const node = new DHT({ host: HOST, bootstrap: [], firewalled })
    await node.fullyBootstrapped()
    const { port } = node.socket.address()
    const probe = () => probePort({ host: HOST, port })
    expect(await wordOf(probe)).toBe('open')
    await node.destroy()
    expect(await wordOf(probe)).toBe('closed')
  }
})

it('asks several times, and says of who says nothing that nothing is known', async () => {
  const socket = createSocket('udp4')
  socket.bind(0, HOST)
  await once(socket, 'listening')
  const got: number[] = []
  socket.on('message', (bytes) => got.push(bytes.length))
  expect(await probePort({ host: HOST, port: socket.address().port })).toBe('nothing')
  expect(got.length).toBeGreaterThan(1)
  expect(new Set(got)).toEqual(new Set([11]))
  socket.close()
})

it('says of an address to which no way leads that nothing is known', async () => {
  // Systems let no socket send to all that did not ask for it: as without a network, it can't even be connected.
  expect(await probePort({ host: '255.255.255.255', port: 9 })).toBe('nothing')
})

/** A program in a namespace that says a line for each line that it hears, and one at its start. */
async function runOn(
  world: Namespaces,
  computer: string,
  script: string,
  options: readonly string[] = [],
) {
  const [program = '', ...prefix] = world.on(computer)
  const words = [process.execPath, ...options, '--input-type=module', '--eval', script]
  const child = spawn(program, [...prefix, ...words], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<string> => String((await lines.next()).value)
  const first = await next()
  return {
    first,
    ask: (line: string) => {
      child.stdin.write(`${line}\n`)
      return next()
    },
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    },
  }
}

it.skipIf(fault !== null)(
  'hears of a router that turns away who comes unasked the same as of a port that is closed, whatever lives behind it',
  async () => {
    const world = new Namespaces()
    const programs: Awaited<ReturnType<typeof runOn>>[] = []
    try {
      for (const name of ['asker', 'router', 'machine']) await world.makeComputer(name)
      for (const name of ['out', 'in']) await world.makeSwitch(name)
      await world.plugIn('router', 'out', '10.1.0.1/24', 'wan')
      await world.plugIn('router', 'in', '10.2.0.1/24', 'lan')
      await world.plugIn('asker', 'out', '10.1.0.2/24')
      await world.plugIn('machine', 'in', '10.2.0.2/24')
      await world.routeBy('asker', '10.1.0.1')
      await world.routeBy('machine', '10.2.0.1')
      const letIn = (what: string): Promise<void> =>
        world.makeRouter(
          'router',
          `table ip flt {
            chain forw { type filter hook forward priority 0; iifname "wan" ${what}; }
          }`,
        )
      const [machine, asker] = await Promise.all([
        runOn(
          world,
          'machine',
          `import DHT from 'hyperdht'; const node = new DHT({ bootstrap: [], firewalled: false });` +
            `await node.fullyBootstrapped(); console.log(node.socket.address().port)`,
        ),
        runOn(
          world,
          'asker',
          `import { createInterface } from 'node:readline';` +
            `import { probePort } from ${JSON.stringify(import.meta.resolve('./port-probe.ts'))};` +
            `console.log('ready'); for await (const port of createInterface({ input: process.stdin }))` +
            ` console.log(await probePort({ host: '10.2.0.2', port: Number(port) }))`,
          ['--import', 'tsx'],
        ),
      ])
      programs.push(machine, asker)
      const probe = (): Promise<string> => asker.ask(machine.first)
      await letIn('accept')
      expect(await wordOf(probe)).toBe('open')
      await letIn('reject')
      expect(await wordOf(probe)).toBe('closed')
      await letIn('reject with icmp type admin-prohibited')
      expect(await probe()).toBe('nothing')
      await letIn('accept')
      expect(await wordOf(probe)).toBe('open')
      await machine.kill()
      expect(await wordOf(probe)).toBe('closed')
    } finally {
      for (const program of programs) await program.kill()
      await world.close()
    }
  },
  60_000,
)
