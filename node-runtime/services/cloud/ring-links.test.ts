import { afterEach, expect, it, vi } from 'vitest'
import type { MachineEntry } from '../../core/forms/machine-form.ts'
import { placeOf, positionsOf } from '../../core/rings/place.ts'
import { keyOf, keysOf, signTestEntry } from '../../testing/entries.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { silentLog } from '../../testing/silent-log.ts'
import { RingLinks } from './ring-links.ts'

const cloud = keyOf('cloud')
const closing: RingLinks[] = []
afterEach(() => {
  for (const links of closing.splice(0)) links.close()
  vi.useRealTimers()
})

class RingNetwork extends FakeNetwork {
  readonly released: string[] = []
  forgo(): void {}
  release(machine: string): void {
    this.released.push(machine)
  }
  /** Those that were asked to end the link. */
  readonly expected: string[] = []
  expectEnd(machine: string): void {
    this.expected.push(machine)
  }
  check(): void {}
  watched: readonly string[] = []
  watch(machines: readonly string[]): void {
    this.watched = machines
  }
  linkOf(): { dialled: boolean; address: null } {
    return { dialled: true, address: null }
  }
}

function open(
  machine: string,
  entries: ReadonlyMap<string, MachineEntry>,
  workBits: () => number | null = () => null,
) {
  const network = new RingNetwork(machine)
  const came: string[] = []
  const links = new RingLinks({
    machine,
    network,
    entryOf: (name) => entries.get(name),
    offered: (_, forms) => void came.push(...forms.map(({ body }) => body)),
    workBits,
    needs: () => false,
    prefers: () => false,
    log: silentLog,
    random: () => 0,
  })
  closing.push(links)
  return { network, links, came }
}

it('who asks for the largest entries that there can be gets all', () => {
  // Of three bytes each.
  const fat = { padding: '\u2665'.repeat(14_000) }
  const names = Array.from({ length: 8 }, (_, i) => `fat ${i}`)
  const entries = new Map(
    names.map((name) => [keyOf(name), signTestEntry({ keys: keysOf(name), cloud, more: fat })]),
  )
  const own = open(keyOf('own'), entries)
  const other = open(keyOf('other'), new Map())
  own.network.link(other.network)
  const ask = { kind: 'ask', machines: [...entries.keys()] }
  const bytes = Buffer.from(JSON.stringify(ask))
  expect(own.network.receive('dharma/rings/1', other.network, bytes)).toBe(true)
  other.network.deliver()
  expect(other.came).toEqual([...entries.values()].map(({ form }) => form.body))
})

it('who learns late how the cloud began stands where the others see it', () => {
  const names = Array.from({ length: 8 }, (_, i) => `machine ${i}`)
  const entries = new Map(
    names.map((name, i) => {
      const more = { place: { kind: 'work', proof: String(i) } }
      return [keyOf(name), signTestEntry({ keys: keysOf(name), cloud, more })]
    }),
  )
  const at = (machine: string): number => positionsOf(placeOf(entries.get(machine)!, 0)!)[0]!
  const order = [...entries.keys()].sort((a, b) => at(a) - at(b))
  for (const [i, machine] of order.entries()) {
    let workBits: number | null = null
    const own = open(machine, entries, () => workBits)
    own.links.look()
    workBits = 0
    for (const other of order) {
      if (other !== machine) own.network.link(open(other, new Map()).network)
    }
    const beside = [order[(i + 1) % 8], order[(i + 7) % 8]]
    expect(own.network.watched.toSorted()).toEqual(beside.toSorted())
  }
})

it('so many keep a link without ever speaking of the rings, whenever it was opened; the first to come go', async () => {
  vi.useFakeTimers()
  const own = keyOf('own')
  const { links, network } = open(
    own,
    new Map([[own, signTestEntry({ keys: keysOf('own'), cloud })]]),
  )
  const connect = (from: number, to: number): void => {
    for (let at = from; at < to; at++) links.linkOpened(`quiet ${at}`)
  }
  // Before this machine has its place, and after.
  connect(0, 12)
  links.look()
  connect(12, 20)
  links.linkClosed('quiet 1', false)
  await vi.advanceTimersByTimeAsync(20_000)
  expect(network.released).toEqual(['quiet 0', 'quiet 2', 'quiet 3'])
})

it('whoever is asked to end a link is no machine that loses it', () => {
  const names = Array.from({ length: 40 }, (_, i) => `machine ${i}`)
  const entries = new Map(
    names.map((name) => [keyOf(name), signTestEntry({ keys: keysOf(name), cloud })]),
  )
  const [own, ...others] = [...entries.keys()]
  const { network, links } = open(own!, entries)
  let asked = 0
  network.onSent = (bytes) => (asked += JSON.parse(String(bytes)).kind === 'release' ? 1 : 0)
  links.look()
  for (const other of others) network.link(new FakeNetwork(other))
  expect(asked).toBeGreaterThan(0)
  expect(network.expected).toHaveLength(asked)
})
