// Who announces the tournaments of the demo: one of the bots, again and again.
import { setTimeout as sleep } from 'node:timers/promises'
import { eventIdOf, gamesOf } from '../../../extensions/event-games/ui/records.ts'
import type {
  EntryRecord,
  EventRecord,
  EventValue,
} from '../../../extensions/event-games/ui/records.ts'
import { startedValue } from '../../../extensions/event-games/ui/start.ts'
import { standingsOf } from '../../../extensions/event-games/ui/tournament.ts'
import type { Played } from '../../../extensions/event-games/ui/tournament.ts'
import { readAll, SYSTEM } from './bot.ts'
import type { Bot, Scene } from './bot.ts'

const TITLES = ['Harbour Cup', 'Lantern Night', 'Sunday Four', 'Hill Trophy', 'Night Train Open']
/** One more than there are bots, so that whoever watches can take part. */
const SPARE_PLACES = 1
/** How often the records are looked at while waiting for others. */
const LOOK_EVERY_MS = 300
/** A tournament in which someone has left their games is not waited for longer than this. */
const TOURNAMENT_LIMIT_MS = 10 * 60_000
/** How long entries stay open, unless all places are taken: time to look around and to find the button. */
const OPEN_MS = 60_000

async function until(condition: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!(await condition())) await sleep(LOOK_EVERY_MS, undefined, { signal })
}

async function playedGames(bot: Bot, event: EventRecord): Promise<Played[]> {
  const results = await readAll(bot.machine, 'results')
  return gamesOf(event).flatMap((pairing) => {
    const result = results.find(({ value: { context } }) => {
      const { event: id, round, table } = context as { event: string; round: number; table: number }
      return id === event.id && round === pairing.round && table === pairing.table
    })
    return result === undefined ? [] : [{ pairing, scores: result.value.outcome.scores }]
  })
}

async function holdTournament(bot: Bot, title: string, scene: Scene): Promise<void> {
  const { pace, bots, say } = scene
  const { client } = bot.machine
  const random = Math.random().toString(36).slice(2, 10).padEnd(8, '0')
  const id = eventIdOf(random, bot.person)
  const write = async (value: EventValue): Promise<EventRecord> => {
    const { players, seed, rules, startedMs, ...rest } = value
    const started =
      players === undefined || seed === undefined || startedMs === undefined || rules === undefined
        ? {}
        : { players, seed, rules, startedMs }
    await client.db.put({
      system: SYSTEM,
      collection: 'events',
      id,
      value: { ...rest, ...started },
    })
    const events = await readAll(bot.machine, 'events')
    return events.find((event) => event.id === id)!
  }
  const announced = await write({
    title,
    game: 'connect-four',
    format: 'round-robin',
    maxPlayers: bots.size + SPARE_PLACES,
    organiser: bot.name,
    status: 'open',
    createdMs: Date.now(),
  })
  say(`${bot.name} announces "${title}". There is a place left for you.`)

  let entries: EntryRecord[] = []
  const isOver = pace.after(OPEN_MS)
  await until(async () => {
    const all = await readAll(bot.machine, 'entries')
    entries = all.filter(({ value }) => value.event === id)
    const botsEntered = [...bots].every((person) => entries.some(({ author }) => author === person))
    return botsEntered && (entries.length > bots.size || isOver())
  }, pace.signal)
  entries.sort((a, b) => (a.version < b.version ? -1 : 1))
  const { rules } = await client.sessions.rules({ system: SYSTEM, kind: 'connect-four' })
  const event = await write(
    startedValue(announced, entries, crypto.randomUUID(), rules, Date.now()),
  )
  say(`"${title}" begins with ${entries.length} players.`)

  const players = event.value.players ?? []
  const deadlineMs = Date.now() + TOURNAMENT_LIMIT_MS
  const isBot = (player: number): boolean => bots.has(players[player]?.person ?? '')
  const gamesOfBots = gamesOf(event).filter(({ seats }) => seats.every(isBot)).length
  let played: Played[] = []
  await until(async () => {
    played = await playedGames(bot, event)
    const botsPlayed = played.filter(({ pairing }) => pairing.seats.every(isBot)).length
    return botsPlayed === gamesOfBots || Date.now() > deadlineMs
  }, pace.signal)
  const [best] = standingsOf(players.length, played)
  const winner = best === undefined ? undefined : players[best.player]?.name
  say(`"${title}" is played. First is ${winner ?? 'nobody'}.`)
}

/** Holds one tournament after the other until the demo ends. */
export async function runOrganiser(bot: Bot, scene: Scene): Promise<void> {
  for (let count = 0; ; count++) {
    const edition = Math.floor(count / TITLES.length) + 1
    const title = `${TITLES[count % TITLES.length]}${edition === 1 ? '' : ` ${edition}`}`
    await holdTournament(bot, title, scene)
    await scene.pace.pause(8_000, 15_000)
  }
}
