// Who announces the tournaments of the demo: one of the bots, again and again.
import { setTimeout as sleep } from 'node:timers/promises'
import { eventIdOf, gamesOf, isGame } from '../../../extensions/event-games/ui/records.ts'
import type { EntryRecord, EventValue } from '../../../extensions/event-games/ui/records.ts'
import { startValue } from '../../../extensions/event-games/ui/start.ts'
import { entriesByEvent } from '../../../extensions/event-games/ui/starts.ts'
import type { GameEvent } from '../../../extensions/event-games/ui/starts.ts'
import { standingsOf } from '../../../extensions/event-games/ui/tournament.ts'
import type { Played } from '../../../extensions/event-games/ui/tournament.ts'
import { readAll, readEvents, SYSTEM } from './bot.ts'
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

async function entriesOf({ machine }: Bot, event: string): Promise<EntryRecord[]> {
  const [entries, withdrawals] = await Promise.all([
    readAll(machine, 'entries'),
    readAll(machine, 'withdrawals'),
  ])
  return entriesByEvent({ entries, withdrawals }).get(event) ?? []
}

async function playedGames(bot: Bot, event: GameEvent): Promise<Played[]> {
  const results = await readAll(bot.machine, 'results')
  return gamesOf(event).flatMap((pairing) => {
    const result = results.find(({ value: { descriptor } }) => isGame(descriptor, event, pairing))
    return result === undefined ? [] : [{ pairing, scores: result.value.outcome.scores }]
  })
}

async function holdTournament(bot: Bot, title: string, scene: Scene): Promise<void> {
  const { pace, bots, say } = scene
  const { client } = bot.machine
  const random = Math.random().toString(36).slice(2, 10).padEnd(8, '0')
  const id = eventIdOf(random, bot.person)
  const value: EventValue = {
    title,
    game: 'connect-four',
    format: 'round-robin',
    maxPlayers: bots.size + SPARE_PLACES,
    organiser: bot.name,
    status: 'open',
    createdMs: Date.now(),
  }
  await client.db.put({ system: SYSTEM, collection: 'events', id, value })
  const read = async (): Promise<GameEvent> => {
    const events = await readEvents(bot.machine)
    return events.find((event) => event.id === id)!
  }
  const announced = await read()
  say(`${bot.name} announces "${title}". There is a place left for you.`)

  let entries: EntryRecord[] = []
  const isOver = pace.after(OPEN_MS)
  await until(async () => {
    entries = await entriesOf(bot, id)
    const botsEntered = [...bots].every((person) => entries.some(({ author }) => author === person))
    return botsEntered && (entries.length > bots.size || isOver())
  }, pace.signal)
  const { rules } = await client.sessions.rules({ system: SYSTEM, kind: 'connect-four' })
  const start = startValue(announced, entries, rules)
  await client.db.put({ system: SYSTEM, collection: 'starts', value: start })
  const event = await read()
  say(`"${title}" begins with ${entries.length} players.`)

  const players = event.start?.players ?? []
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
