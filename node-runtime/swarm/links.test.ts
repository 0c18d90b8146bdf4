import type { SwarmConnection } from 'hyperswarm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { OFTEN_MS } from '../core/membership/liveness.ts'
import type { Beat } from '../core/membership/liveness.ts'
import { silentLog, until } from '../testing/cloud-nodes.ts'
import { keyOf, keysOf, signTestEntry } from '../testing/entries.ts'
import { openStreams } from '../testing/link-ends.ts'
import { decodeBeat, encodeBeat } from './beat-codec.ts'
import type { LinkEnd } from './link.ts'
import { Links } from './links.ts'
import type { PortWord } from './port-probe.ts'

const BEAT: Beat = { number: 1, echo: 0, heldMs: 0, nextMs: 25_000, watches: false, asks: false }

describe('when a relay is gone', () => {
  let ends: Map<string, LinkEnd | null>
  /** What is said of ports, in turn; nothing after that. */
  let words: PortWord[]
  let closers: (() => void)[]
  let links: Links
  beforeEach(() => {
    ends = new Map()
    words = []
    closers = []
    links = new Links(
      {
        onHeartbeat: () => {},
        onDoubted: () => {},
        onClosed: (link) => ends.set(link.entry.name, link.end),
        onMisbehaved: () => {},
      },
      {
        isRelayed: ({ entry }) => entry.name.startsWith('through'),
        probePort: () => Promise.resolve(words.shift() ?? 'nothing'),
      },
      silentLog,
    )
  })
  afterEach(() => {
    links.close()
    for (const close of closers) close()
  })

  /** A link with a machine that says nothing more after this. */
  async function link(name: string, remotePort: number): Promise<string> {
    const [mine, theirs] = await openStreams()
    closers.push(() => theirs.destroy())
    const connection = mine as unknown as SwarmConnection
    const entry = signTestEntry({ keys: keysOf(name), cloud: keyOf('cloud'), more: { name } })
    const agreement = { version: 2, capabilities: [] }
    links.add({ connection, entry, agreement, pass: null }, () => {})
    Object.assign(connection.rawStream, { remoteHost: '127.0.0.1', remotePort })
    mine.emit('message', encodeBeat(BEAT))
    return entry.machine
  }

  async function linkAll(): Promise<string> {
    words = ['open', 'open', 'open', 'open']
    const relay = await link('relay', 9)
    await link('through it', 9)
    await link('through another', 10)
    await link('direct', 11)
    // All that was promised has come.
    await new Promise((resolve) => setImmediate(resolve))
    return relay
  }

  it('the links through it are asked as soon as its port is closed, and end before long, and no others do', async () => {
    const relay = await linkAll()
    // Computers say it of few datagrams a second.
    words = ['closed', 'closed']
    links.get(relay)?.check('cut')
    await until(() => ends.size === 2)
    expect([...ends]).toEqual([
      ['relay', 'silent'],
      ['through it', 'cut'],
    ])
  })

  it('so they do when one of them finds it out, and so does the link with the relay', async () => {
    await linkAll()
    // Computers say it of few datagrams a second.
    words = ['closed', 'closed']
    const [, through] = links.values()
    through?.check('cut')
    await until(() => ends.size === 2)
    expect(ends).toEqual(
      new Map([
        ['relay', 'silent'],
        ['through it', 'cut'],
      ]),
    )
  })

  it('where only its silence tells, they are asked, and given up before long', async () => {
    const relay = await linkAll()
    links.get(relay)?.check('moved')
    await until(() => ends.size === 2)
    expect(ends).toEqual(
      new Map([
        ['relay', 'silent'],
        ['through it', 'cut'],
      ]),
    )
  })

  it('a link through it that falls silent alone takes no other along', async () => {
    await linkAll()
    const [relay, through] = links.values()
    through?.check('moved')
    await until(() => ends.size === 1)
    expect([...ends]).toEqual([['through it', 'silent']])
    expect([through?.endsWay, relay?.end]).toEqual([false, null])
  })
})

it('of those that others alone watch, the first four have frequent beats, however many there are', async () => {
  const closers: (() => void)[] = []
  const links = new Links(
    { onHeartbeat: () => {}, onDoubted: () => {}, onClosed: () => {}, onMisbehaved: () => {} },
    { isRelayed: () => false, probePort: () => Promise.resolve('nothing') },
    silentLog,
  )
  links.watch([])
  /** When the next beat is to come, as each was told last. */
  const told = new Map<number, number | undefined>()
  const hears: ((beat: Partial<Beat>) => void)[] = []
  const streams = await Promise.all(Array.from({ length: 6 }, () => openStreams()))
  for (const [at, [mine, theirs]] of streams.entries()) {
    closers.push(() => theirs.destroy())
    const connection = mine as unknown as SwarmConnection
    const name = `machine ${at}`
    const entry = signTestEntry({ keys: keysOf(name), cloud: keyOf('cloud'), more: { name } })
    const agreement = { version: 2, capabilities: [] }
    connection.trySend = (bytes) => void told.set(at, decodeBeat(bytes)?.nextMs)
    links.add({ connection, entry, agreement, pass: null }, () => {})
    Object.assign(connection.rawStream, { remoteHost: '127.0.0.1', remotePort: 9 })
    hears.push((beat) => mine.emit('message', encodeBeat({ ...BEAT, ...beat })))
  }
  const isOften = (): boolean[] => {
    for (const hear of hears) hear({ number: 2, watches: true, asks: true })
    return [...told.values()].map((nextMs) => nextMs === OFTEN_MS)
  }
  for (const hear of hears) hear({ watches: true })
  expect(isOften()).toEqual([true, true, true, true, false, false])
  // One that does not want it any more makes room for the next.
  hears[1]!({ number: 3, watches: false })
  hears[4]!({ number: 3, watches: true, asks: true })
  expect(told.get(4)).toBe(OFTEN_MS)
  links.close()
  for (const close of closers) close()
})
