import { afterEach, expect, it } from 'vitest'
import type { MachineEntry } from '../../core/forms/machine-form.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { keyOf, keysOf, signTestEntry } from '../../testing/entries.ts'
import { silentLog } from '../../testing/silent-log.ts'
import { ServerRing } from './server-ring.ts'

const PROTOCOL = 'dharma/ring/1'
const cloud = keyOf('cloud')
const names = ['own', 'ada', 'bob', 'cleo'] as const
const keys = names.map((name) => keyOf(name))
const [own, ada] = keys as [string, string, string, string]
const entries = new Map<string, MachineEntry>(
  names.map((name) => [keyOf(name), signTestEntry({ keys: keysOf(name), cloud })]),
)

let ring: ServerRing | null = null
afterEach(() => ring?.close())

function open(workBits: number | null, linked: readonly string[]) {
  const network = new FakeNetwork(own)
  ring = new ServerRing({
    machine: own,
    network,
    entryOf: (machine) => entries.get(machine),
    workBits: () => workBits,
    log: silentLog,
    random: () => 0,
  })
  const sent: { to: string; message: unknown }[] = []
  const peers = new Map(
    linked.map((machine) => {
      const peer = new FakeNetwork(machine)
      peer.openProtocol({
        name: PROTOCOL,
        codec: {
          maxBytes: 32_000,
          encode: () => new Uint8Array(),
          decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as unknown,
        },
        received: (_, message) => void sent.push({ to: machine, message }),
      })
      network.link(peer)
      return [machine, peer] as const
    }),
  )
  const say = (from: string, message: unknown): boolean =>
    network.receive(PROTOCOL, peers.get(from)!, Buffer.from(JSON.stringify(message)))
  const flush = (): typeof sent => {
    for (const peer of peers.values()) peer.deliver()
    return sent.splice(0)
  }
  return { ring, say, flush }
}

const token = (changes: object = {}) => ({
  kind: 'token',
  token: { epoch: 3, maker: ada, step: 1, hopsMs: 0, timeMs: 5_000, deltas: [], ...changes },
})

it('the token is taken from a neighbour, said to be here, and gives the time', () => {
  const { ring: opened, say, flush } = open(null, keys.slice(1))
  expect(opened.report.machines[0]).toBe(own)
  expect(opened.report.machines.toSorted()).toEqual([...keys].sort())
  expect(say(ada, token())).toBe(true)
  const mark = { epoch: 3, maker: ada, step: 1 }
  expect(flush()).toEqual([{ to: ada, message: { kind: 'taken', mark } }])
  expect(opened.report.tick).toBeGreaterThanOrEqual(5)
})

it('who shows no work stands nowhere, and has no part in the ring of a cloud that asks for it', () => {
  const { ring: opened, say, flush } = open(8, keys.slice(1))
  expect(opened.report.machines).toEqual([own])
  expect(say(ada, token())).toBe(true)
  expect(flush()).toEqual([])
  expect(opened.report.tick).toBeNull()
})

it('a machine that talks on is not listened to', () => {
  const { say, flush } = open(null, keys.slice(1))
  for (let step = 1; step <= 1_000; step++) say(ada, token({ step }))
  const answers = flush().length
  // A hundred at once, and twenty a second after that, however long this takes.
  expect(answers).toBeGreaterThanOrEqual(100)
  expect(answers).toBeLessThan(400)
})

it('what is no token, or carries more than it may, is not read', () => {
  const { say } = open(null, keys.slice(1))
  const delta = { from: ada, step: 1, kind: 'load', text: '1' }
  for (const message of [
    null,
    { kind: 'token' },
    token({ epoch: -1 }),
    token({ epoch: 2 ** 51 }),
    token({ timeMs: 'soon' }),
    token({ maker: 'me' }),
    token({ deltas: Array.from({ length: 17 }, () => delta) }),
    { kind: 'taken', mark: { epoch: 1 } },
  ]) {
    expect(say(ada, message), JSON.stringify(message)).toBe(false)
  }
  expect(say(ada, token({ deltas: [delta] }))).toBe(true)
})
