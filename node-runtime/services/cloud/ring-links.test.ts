import { afterEach, expect, it } from 'vitest'
import type { MachineEntry } from '../../core/forms/machine-form.ts'
import { keyOf, keysOf, signTestEntry } from '../../testing/entries.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { silentLog } from '../../testing/silent-log.ts'
import { RingLinks } from './ring-links.ts'

const cloud = keyOf('cloud')
const closing: RingLinks[] = []
afterEach(() => {
  for (const links of closing.splice(0)) links.close()
})

class RingNetwork extends FakeNetwork {
  release(): void {}
  check(): void {}
  watch(): void {}
  linkOf(): { dialled: boolean; address: null } {
    return { dialled: true, address: null }
  }
}

function open(machine: string, entries: ReadonlyMap<string, MachineEntry>) {
  const network = new RingNetwork(machine)
  const came: string[] = []
  const links = new RingLinks({
    machine,
    network,
    entryOf: (name) => entries.get(name),
    offered: (_, forms) => void came.push(...forms.map(({ body }) => body)),
    workBits: () => null,
    needs: () => false,
    log: silentLog,
    random: () => 0,
  })
  closing.push(links)
  return { network, came }
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
