// A machine of a cloud as far as the network goes, in a process of its own, which counts aloud to every other that
// it is linked with. Says what comes of it, a line of JSON each (`NatReport`).
// Usage: nat-machine.ts <cloud> <name> <messages a second> <more, as JSON> <address of a node>...
import * as z from 'zod'
import { encodeKey, hash, keyPair } from '../core/keys.ts'
import { jsonCodec } from '../swarm/codec.ts'
import { Swarm } from '../swarm/swarm.ts'
import { signTestEntry } from './entries.ts'

/** What a machine says. `atMs` is its own time since its start. */
export type NatReport = { atMs: number } & (
  | { type: 'started' }
  | { type: 'router'; nat: string; relays: boolean }
  | { type: 'linked' | 'unlinked'; with: string }
  /** By which way the link goes now. */
  | { type: 'route'; with: string; relayed: boolean }
  /** The first number of a link, and each hundredth. */
  | { type: 'heard'; from: string; number: number }
  /** Numbers of a link are missing, or came in another order. */
  | { type: 'lost'; from: string; expected: number; number: number }
  | { type: 'way'; state: string; step: string | null }
  /** What came of asking the router for a port; `address` as HOST:PORT. */
  | { type: 'port'; state: string; by: string | null; address: string | null }
)

const [cloud = '', name = '', rate = '', more = '', ...nodes] = process.argv.slice(2)
const { asks, knows, punchEveryMs } = z
  .object({
    punchEveryMs: z.number().optional(),
    asks: z.boolean(),
    knows: z.object({ name: z.string(), at: z.string() }).optional(),
  })
  .parse(JSON.parse(more))
/** About what fills a packet. */
const FILLING = 'x'.repeat(1_000)
const HEARD_EACH = 100
/** A second. */
const TICKS = 20

const keysOf = (machine: string) => keyPair(hash(Buffer.from(machine)))
const keys = keysOf(name)
const entry = signTestEntry({ keys, cloud, more: { name } })
const names = new Map<string, string>()
const nameOf = (machine: string): string => names.get(machine) ?? machine
const say = (report: Record<string, unknown>): void => {
  process.stdout.write(`${JSON.stringify({ ...report, atMs: Math.round(performance.now()) })}\n`)
}

/** What was said last, by what it is of. */
const said = new Map<string, string>()
function sayIfNew(about: string, report: Record<string, unknown>): void {
  const text = JSON.stringify(report)
  if (said.get(about) === text) return
  said.set(about, text)
  say(report)
}

const textOf = ({ host, port }: { host: string; port: number }): string => `${host}:${port}`
function addressOf(text: string): { host: string; port: number } {
  const [host = '', port = ''] = text.split(':')
  return { host, port: Number(port) }
}

function look(): void {
  sayIfNew('router', { type: 'router', nat: swarm.nat, relays: swarm.relaysFor !== null })
  const dht = swarm.ways.find(({ way }) => way === 'dht')
  sayIfNew('way', { type: 'way', state: dht?.state, step: dht?.fault?.step ?? null })
  const { ports } = swarm
  if (ports !== null) {
    const mapped = ports.state === 'mapped' ? ports : null
    const address = mapped === null ? null : textOf(mapped.address)
    sayIfNew('port', { type: 'port', state: ports.state, by: mapped?.by ?? null, address })
  }
  for (const machine of names.keys()) {
    const isRelayed = swarm.isRelayed(machine)
    if (isRelayed === null) said.delete(machine)
    else sayIfNew(machine, { type: 'route', with: nameOf(machine), relayed: isRelayed })
  }
}

/** By machine: the number that is sent next, and the one that is to come next. */
const next = new Map<string, number>()
const expected = new Map<string, number>()

const swarm = new Swarm(
  {
    keyPair: keys,
    cloud,
    bootstrap: nodes.map(addressOf),
    ...(asks ? { ports: {} } : {}),
    ...(punchEveryMs === undefined ? {} : { punchEveryMs }),
    // What is known from earlier is a way of its own.
    ...(knows === undefined ? {} : { ways: { memory: async () => {} } }),
    ownEntry: () => entry,
    log: {
      info: () => {},
      warn: () => {},
      error: (message, fields) => say({ message, ...fields }),
    },
  },
  {
    linkOpened: (other) => {
      names.set(other.machine, other.name)
      next.set(other.machine, 0)
      expected.set(other.machine, 0)
      // By which way a new link goes is said even if the one before went by the same.
      said.delete(other.machine)
      say({ type: 'linked', with: other.name })
      look()
    },
    linkClosed: ({ machine, name: other }) => {
      said.delete(machine)
      say({ type: 'unlinked', with: other })
    },
    linkDoubted: () => {},
    heartbeat: look,
    waysChanged: () => setImmediate(look),
  },
)

const counting = swarm.openProtocol({
  name: 'counting/1',
  codec: jsonCodec(z.object({ number: z.number(), filling: z.string() }), 2_000),
  received: ({ machine }, { number }) => {
    const wanted = expected.get(machine) ?? 0
    const from = nameOf(machine)
    if (number !== wanted) say({ type: 'lost', from, expected: wanted, number })
    if (number % HEARD_EACH === 0) say({ type: 'heard', from, number })
    expected.set(machine, number + 1)
  },
})
setInterval(() => {
  for (const { machine } of counting.peers()) {
    for (let sent = 0; sent < Number(rate) / TICKS && counting.writable(machine); sent++) {
      const number = next.get(machine) ?? 0
      next.set(machine, number + 1)
      counting.send(machine, { number, filling: FILLING })
    }
  }
}, 1_000 / TICKS)
say({ type: 'started' })
swarm.start()
swarm.mapPorts(true)
if (knows !== undefined) {
  swarm.reach(encodeKey(keysOf(knows.name).publicKey), [addressOf(knows.at)])
}
process.once('SIGTERM', () => void swarm.close().then(() => process.exit(0)))
