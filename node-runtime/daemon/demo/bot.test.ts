import { once } from 'node:events'
import { expect, test, vi } from 'vitest'
import { CloudError } from '../../contract/errors.ts'
import { runBot } from './bot.ts'
import type { Bot, Scene } from './bot.ts'

const EVENT = '00000000-mika'

/** A round robin of two bots and a person; the nonce draws who plays whom first. */
function tournament(nonce: string): Record<string, object[]> {
  const version = '000000000000-0000'
  const entries = ['mika', 'noor', 'ada'].map((person) => {
    const value = { event: EVENT, person, name: person, nonce: person + nonce, joinedMs: 0 }
    return { id: `entry of ${person}`, author: person, version, value }
  })
  const value = { format: 'round-robin', status: 'open', maxPlayers: 3, title: 'Harbour Cup' }
  const start = { event: EVENT, entries: entries.map(({ id }) => id), rules: 'f'.repeat(64) }
  return {
    events: [{ id: EVENT, author: 'mika', version, value }],
    entries,
    starts: [{ id: 'start', author: 'mika', version, value: start }],
  }
}

/** A bot whose machine answers nothing more once the demo ends. */
function stageBot(nonce: string) {
  const records = tournament(nonce)
  const demo = new AbortController()
  const { signal } = demo
  const ended = once(signal, 'abort')
  const opened: string[] = []
  const client = {
    db: {
      watch: async () =>
        (async function* () {
          yield { collection: 'starts' }
          await ended
        })(),
      query: async ({ collection }: { collection: string }) => ({ records: records[collection] }),
    },
    sessions: {
      open: async ({ seats }: { seats: string[] }) => {
        opened.push(seats.find((person) => person !== 'mika') ?? '')
        return { session: seats.join() }
      },
      watch: async () =>
        (async function* () {
          await ended
          yield* []
          throw new CloudError('UNAVAILABLE', 'The machine has gone.')
        })(),
    },
  }
  const scene: Scene = {
    bots: new Set(['mika', 'noor']),
    say: () => undefined,
    pace: { signal, pause: async () => undefined, after: () => () => false },
  }
  const bot = { name: 'Mika', person: 'mika', machine: { client } } as unknown as Bot
  return { opened, running: runBot(bot, scene), end: () => demo.abort() }
}

test('a demo that ends while a person is still awaited at a table has no failure that nobody hears', async () => {
  const unheard = vi.fn()
  process.on('unhandledRejection', unheard)
  try {
    let personFirst = 0
    for (let nonce = 0; nonce < 10; nonce++) {
      const { opened, running, end } = stageBot(String(nonce))
      await vi.waitFor(() => expect(opened).toContain('noor'))
      // The person is waited for beside the games with bots, which are played one after the other.
      if (opened.includes('ada')) personFirst += 1
      end()
      await expect(running).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(personFirst).toBeGreaterThan(0)
    expect(unheard).not.toHaveBeenCalled()
  } finally {
    process.off('unhandledRejection', unheard)
  }
})
