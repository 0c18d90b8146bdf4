import { expect, test, vi } from 'vitest'
import type { Bot, Scene } from './bot.ts'
import { runOrganiser } from './organiser.ts'

/** A database that holds what is put into it, and a pace that the test sets. */
function createStage() {
  const records: {
    id: string
    collection: string
    author: string
    version: string
    value: object
  }[] = []
  let author = 'mika'
  let isOver = false
  const db = {
    put: async (given: { id?: string; collection: string; value: object }) => {
      const record = { id: `content ${records.length}`, ...given }
      const others = records.filter(({ id }) => id !== record.id)
      records.splice(0, Infinity, ...others, {
        ...record,
        author,
        version: `00000000000${records.length}-0000`,
      })
    },
    query: async ({ collection }: { collection: string }) => ({
      records: records.filter((record) => record.collection === collection),
    }),
  }
  const abort = new AbortController()
  const lines: string[] = []
  const scene: Scene = {
    bots: new Set(['mika', 'noor']),
    say: (line) => lines.push(line),
    pace: { signal: abort.signal, pause: async () => undefined, after: () => () => isOver },
  }
  const sessions = { rules: async () => ({ rules: 'f'.repeat(64) }) }
  const client = { db, sessions }
  const bot = { name: 'Mika', person: 'mika', machine: { client } } as unknown as Bot
  const enter = async (person: string): Promise<void> => {
    const event = records.find(({ collection }) => collection === 'events')!.id
    author = person
    const value = { event, person, name: person, nonce: person, joinedMs: 0 }
    await db.put({ collection: 'entries', value })
    author = 'mika'
  }
  const look = vi.spyOn(db, 'query')
  /** Until the organiser has looked twice more. */
  const lookedAgain = async (): Promise<void> => {
    const before = look.mock.calls.length
    await vi.waitFor(() => expect(look.mock.calls.length).toBeGreaterThan(before + 1), 3000)
  }
  const running = runOrganiser(bot, scene).catch(() => undefined)
  return {
    enter,
    lookedAgain,
    begins: () => lines.find((line) => line.includes('begins')),
    announced: () => vi.waitFor(() => expect(lines[0]).toContain('announces')),
    timeIsUp: () => (isOver = true),
    stop: async () => {
      abort.abort()
      await running
    },
  }
}

test('a place stays open until a person has taken it', async () => {
  const stage = createStage()
  await stage.announced()
  await stage.enter('mika')
  await stage.enter('noor')
  await stage.lookedAgain()
  expect(stage.begins()).toBeUndefined()
  await stage.enter('ada')
  await vi.waitFor(() => expect(stage.begins()).toContain('with 3 players'), 3000)
  await stage.stop()
})

test('nobody is waited for longer than it takes to find the button', async () => {
  const stage = createStage()
  await stage.announced()
  stage.timeIsUp()
  await stage.enter('mika')
  await stage.lookedAgain()
  expect(stage.begins()).toBeUndefined()
  await stage.enter('noor')
  await vi.waitFor(() => expect(stage.begins()).toContain('with 2 players'), 3000)
  await stage.stop()
})
