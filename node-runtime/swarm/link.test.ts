import type { SwarmConnection } from 'hyperswarm'
import Protomux from 'protomux'
import { describe, expect, it } from 'vitest'
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
  /** A beat after which there is no other one for long. */
  const beat: Beat = {
    number: 1,
    echo: 0,
    heldMs: 0,
    nextMs: 25_000,
    watches: false,
    asks: false,
  }

  async function start(words: readonly PortWord[], { isRelayed = false } = {}) {
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
    const remoteHost = '127.0.0.1'
    const goBy = (remotePort: number, number: number): void => {
      Object.assign((mine as unknown as SwarmConnection).rawStream, { remoteHost, remotePort })
      mine.emit('message', encodeBeat({ ...beat, number }))
    }
    goBy(9, 1)
    const end = (): void => {
      link.close()
      theirs.destroy()
    }
    /** All that was promised has come. */
    const settle = () => new Promise((resolve) => setImmediate(resolve))
    await settle()
    return { link, asked, goBy, settle, end }
  }

  it('ends the link with a machine that is doubted, if it answered there before', async () => {
    const { link, asked, settle, end } = await start(['open', 'closed'])
    try {
      expect(link.end).toBeNull()
      link.check('told')
      await settle()
      expect(asked).toEqual(['open', 'closed'])
      expect([link.end, link.wayEnd]).toEqual(['silent', 'closed'])
    } finally {
      end()
    }
  })

  it('is that of a relay where the link goes through one: it is cut, and the machine may live', async () => {
    const { link, settle, end } = await start(['open', 'closed'], { isRelayed: true })
    try {
      link.check('told')
      await settle()
      expect([link.end, link.wayEnd]).toEqual(['cut', 'closed'])
    } finally {
      end()
    }
  })

  it.each(['closed', 'nothing'] as const)(
    'is that of a router, if the machine is heard while the word is "%s", and ends nothing',
    async (word) => {
      const { link, asked, settle, end } = await start([word, 'closed'])
      try {
        link.check('told')
        await settle()
        expect(asked).toEqual([word])
        expect(link.end).toBeNull()
      } finally {
        end()
      }
    },
  )

  it('counts for the way alone that the link went by when the machine answered', async () => {
    const { link, asked, goBy, settle, end } = await start(['open', 'closed', 'closed'])
    try {
      goBy(10, 2)
      await settle()
      link.check('told')
      await settle()
      expect(asked).toEqual(['open', 'closed'])
      expect(link.end).toBeNull()
    } finally {
      end()
    }
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
