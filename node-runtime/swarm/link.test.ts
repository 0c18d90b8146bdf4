import type { SwarmConnection } from 'hyperswarm'
import Protomux from 'protomux'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Beat } from '../core/membership/liveness.ts'
import { Stalls } from '../core/membership/stalls.ts'
import { until } from '../testing/cloud-nodes.ts'
import { keyOf, keysOf, signTestEntry } from '../testing/entries.ts'
import { openStreams } from '../testing/link-ends.ts'
import { encodeBeat } from './beat-codec.ts'
import { untouchedBytes } from './codec.ts'
import { Link } from './link.ts'
import type { LinkOptions } from './link.ts'
import type { PortWord } from './port-probe.ts'

function newLink(connection: unknown, more: Partial<LinkOptions> = {}): Link {
  return new Link({
    connection: connection as SwarmConnection,
    entry: signTestEntry({ keys: keysOf('other'), cloud: keyOf('cloud') }),
    agreement: { version: 2, capabilities: [] },
    pass: null,
    obliges: () => true,
    ownStalls: new Stalls(),
    isRelayed: () => false,
    probePort: () => Promise.resolve('nothing'),
    onHeartbeat: () => {},
    onDoubted: () => {},
    onClosed: () => {},
    onFault: () => {},
    ...more,
  })
}

it('asks the other side whether it is there when it is told to, whatever it has heard', async () => {
  const [mine, theirs] = await openStreams()
  const pings: unknown[] = []
  const channel = new Protomux(theirs).createChannel({ protocol: 'dharma/heartbeat/1' })
  channel?.addMessage({
    encoding: untouchedBytes,
    onmessage: (bytes: Uint8Array) => {
      pings.push(JSON.parse(Buffer.from(bytes).toString()))
    },
  })
  channel?.open()
  const link = newLink(mine)
  try {
    await until(() => pings.length === 1)
    link.check('told')
    await until(() => pings.length === 2)
    expect(pings).toEqual([
      { kind: 'ping', number: 1 },
      { kind: 'ping', number: 2 },
    ])
  } finally {
    link.close()
    theirs.destroy()
  }
})

describe('the word of a computer that a port is closed', () => {
  const beat: Beat = { number: 1, echo: 0, heldMs: 0, nextMs: 0, watches: false, asks: false }
  let ends: (() => void)[] = []
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
    for (const end of ends) end()
    ends = []
  })

  /** All that was promised has come. */
  const settle = () => new Promise((resolve) => setImmediate(resolve))

  /** The time passes on a clock of the test's own. */
  async function run(forMs: number): Promise<void> {
    for (let ms = 0; ms < forMs; ms += 10) {
      vi.advanceTimersByTime(10)
      await settle()
    }
  }

  /** A link whose other side has beaten once. @param nextMs  when it said that it beats again */
  async function start(words: readonly PortWord[], { isRelayed = false, nextMs = 2_000 } = {}) {
    const [mine, theirs] = await openStreams()
    const asked: PortWord[] = []
    const link = newLink(mine, {
      isRelayed: () => isRelayed,
      probePort: ({ host }) => {
        expect(host).toBe('127.0.0.1')
        const word = words[asked.length] ?? 'nothing'
        asked.push(word)
        return Promise.resolve(word)
      },
    })
    ends.push(() => {
      link.close()
      theirs.destroy()
    })
    const remoteHost = '127.0.0.1'
    const goBy = (remotePort: number, number: number): void => {
      Object.assign((mine as unknown as SwarmConnection).rawStream, { remoteHost, remotePort })
      mine.emit('message', encodeBeat({ ...beat, number, nextMs }))
    }
    goBy(9, 1)
    await settle()
    /** Until it is late, and its port was asked. */
    const beLate = async (): Promise<void> => {
      for (let ms = 0; ms < 2_400 && asked.length < 2; ms += 10) await run(10)
      expect(asked).toHaveLength(2)
    }
    return { link, asked, goBy, beLate }
  }

  it('ends the link with a machine that is late, if it answered there before, within 0.9 s', async () => {
    const { link, asked } = await start(['open', 'closed', 'closed'])
    await run(2_000)
    expect(link.end).toBeNull()
    await run(900)
    expect(asked).toEqual(['open', 'closed', 'closed'])
    expect([link.end, link.endsWay]).toEqual(['silent', true])
  })

  it('is that of a relay where the link goes through one: it is cut, and the machine may live', async () => {
    const { link } = await start(['open', 'closed', 'closed'], { isRelayed: true })
    await run(2_900)
    expect([link.end, link.endsWay]).toEqual(['cut', true])
  })

  it('is asked for nobody of whom others merely say that they are gone', async () => {
    const { link, asked, goBy } = await start(['open', 'closed', 'closed'])
    for (let number = 2; number < 20; number++) {
      link.check('told')
      await run(90)
      goBy(9, number)
    }
    expect(asked).toEqual(['open'])
    expect(link.end).toBeNull()
  })

  it('ends nothing where the machine is heard soon after it, for anybody can forge that word', async () => {
    const { link, asked, goBy, beLate } = await start(['open', 'closed', 'closed'])
    await beLate()
    await run(280)
    expect([asked, link.end]).toEqual([['open', 'closed'], null])
    goBy(9, 2)
    await run(1_000)
    expect([asked, link.end]).toEqual([['open', 'closed'], null])
  })

  it('ends nothing where another socket hears another word', async () => {
    const { link, asked, beLate } = await start(['open', 'closed', 'open'])
    await beLate()
    await run(1_000)
    expect(asked).toEqual(['open', 'closed', 'open'])
    expect(link.end).toBeNull()
  })

  it.each([true, false])(
    'has others with whom the link goes by the same way be asked, and those that answer stay: %s',
    async (answers) => {
      const one = await start(['open', 'closed', 'closed'], { isRelayed: true })
      const other = await start(['open', 'closed', 'closed'], { isRelayed: true, nextMs: 25_000 })
      const elsewhere = await start(['open'], { isRelayed: true, nextMs: 25_000 })
      elsewhere.goBy(10, 2)
      await run(2_900)
      expect(one.link.end).toBe('cut')
      for (const { link } of [other, elsewhere]) link.noteEnd(one.link)
      expect(other.link.end).toBeNull()
      await settle()
      expect(other.asked).toEqual(['open', 'closed'])
      if (answers) other.goBy(9, 2)
      await run(1_000)
      expect([other.link.end, elsewhere.link.end]).toEqual([answers ? null : 'cut', null])
    },
  )

  it.each(['closed', 'nothing'] as const)(
    'is that of a router, if the machine is heard while the word is "%s", and ends nothing',
    async (word) => {
      const { link, asked } = await start([word, 'closed', 'closed'])
      await run(3_500)
      expect(asked).toEqual([word])
      expect(link.end).toBeNull()
    },
  )

  it('counts for the way alone that the link went by when the machine answered', async () => {
    const { link, asked, goBy } = await start(['open', 'closed', 'closed', 'closed'])
    goBy(10, 2)
    await run(3_500)
    expect(asked).toEqual(['open', 'closed'])
    expect(link.end).toBeNull()
  })
})

it.each([
  ['the other side ended soon', false, (link: Link) => link.connection.destroy(), true],
  [
    'the other side ended because it was asked to',
    true,
    (link: Link) => link.connection.destroy(),
    false,
  ],
  ['this side ended', false, (link: Link) => link.close(), false],
])(
  'of a link that %s it is known whether its way may have lost it',
  async (_, isAsked, end, isLost) => {
    const [mine, theirs] = await openStreams()
    const link = newLink(mine)
    if (isAsked) link.expectEnd()
    end(link)
    theirs.destroy()
    expect(link.isLost).toBe(isLost)
  },
)
