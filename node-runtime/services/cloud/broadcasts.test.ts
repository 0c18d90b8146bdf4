import { afterEach, describe, expect, it } from 'vitest'
import { domainBytes, hash, toHex } from '../../core/keys.ts'
import { keyOf } from '../../testing/entries.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { silentLog } from '../../testing/silent-log.ts'
import { PeerFault } from '../../swarm/peer-fault.ts'
import { until } from '../../testing/cloud-nodes.ts'
import { Broadcasts } from './broadcasts.ts'

interface Machine {
  network: FakeNetwork
  broadcasts: Broadcasts
  heard: string[]
  tell: (body: string) => void
}

const machines: Machine[] = []
afterEach(() => {
  for (const { broadcasts } of machines.splice(0)) broadcasts.close()
})

function start(name: string, believes = false): Machine {
  const network = new FakeNetwork(keyOf(name))
  const broadcasts = new Broadcasts({ machine: keyOf(name), network, log: silentLog })
  const heard: string[] = []
  const tell = broadcasts.open('news', (body) => {
    if (body.startsWith('forged') && !believes) return false
    heard.push(body)
    return true
  })
  const machine = { network, broadcasts, heard, tell }
  machines.push(machine)
  return machine
}

const deliver = (): boolean[] => machines.map(({ network }) => network.deliver())

describe('what is told to all', () => {
  it('reaches all over links of which each machine has four, each once, also when the first goes', async () => {
    const count = 24
    const all = Array.from({ length: count }, (_, i) => start(`machine ${i}`))
    all.forEach((machine, i) => {
      for (const step of [1, 5]) machine.network.link(all[(i + step) % count]!.network)
    })
    const [first, second] = all as [Machine, Machine]
    first.tell('one')
    second.tell('two')
    await until(() => {
      deliver()
      return all.every(({ heard }, i) => heard.length === (i < 2 ? 1 : 2))
    })
    for (const { heard } of all) expect(new Set(heard).size).toBe(heard.length)
  })

  it('comes to who is linked later', async () => {
    const [a, b] = [start('a'), start('b')]
    a.tell('early')
    await new Promise((resolve) => setImmediate(resolve))
    a.network.link(b.network)
    await until(() => {
      deliver()
      return b.heard.includes('early')
    })
  })

  it('is passed on only by who takes it in', async () => {
    const [a, b, c] = [start('a'), start('b'), start('c', true)]
    a.network.link(b.network)
    b.network.link(c.network)
    a.tell('forged')
    a.tell('true')
    await until(() => {
      deliver()
      return c.heard.includes('true')
    })
    expect(c.heard).toEqual(['true'])
  })

  it('is taken in as it is written by all, and not once more in other words', () => {
    const [a, b] = [start('a'), start('b')]
    a.network.link(b.network)
    for (const payload of [
      '{"topic":"news","body":"x"}',
      '{"topic":"news", "body":"x"}',
      '{"body":"x","topic":"news"}',
      '{"topic":"news","body":"x","more":1}',
      '{"topic":"news","body":"\\u0078"}',
    ]) {
      const id = toHex(hash(domainBytes('dharma/broadcast/1', payload)))
      const push = { kind: 'push', item: { id, author: keyOf('a'), payload }, hops: 1 }
      const bytes = Buffer.from(JSON.stringify(push))
      expect(b.network.receive('dharma/broadcast/1', a.network, bytes)).toBe(true)
    }
    expect(b.heard).toEqual(['x'])
  })

  it('ends the link if it is not what its hash says, or can’t be read', () => {
    const [a, b] = [start('a'), start('b')]
    a.network.link(b.network)
    const push =
      (payload: string, id = '0'.repeat(64)) =>
      () =>
        b.network.receive(
          'dharma/broadcast/1',
          a.network,
          Buffer.from(
            JSON.stringify({ kind: 'push', item: { id, author: keyOf('a'), payload }, hops: 1 }),
          ),
        )
    expect(push('{"topic":"news","body":"x"}')).toThrow(PeerFault)
    expect(push('x'.repeat(8_193))()).toBe(false)
    expect(b.heard).toEqual([])
  })
})
