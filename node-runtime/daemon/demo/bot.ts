// A player of the demo. It does what a person does on the pages of Event Games, by the same calls and
// with the same records: enters what is announced, and plays what it is paired for.
import type { SessionFrame } from '../../contract/sessions.ts'
import { entryOf } from '../../../extensions/event-games/ui/entering.ts'
import { descriptorOf, gamesOf } from '../../../extensions/event-games/ui/records.ts'
import type {
  EntryRecord,
  EventRecord,
  ResultRecord,
  WithdrawalRecord,
} from '../../../extensions/event-games/ui/records.ts'
import { joinEvents } from '../../../extensions/event-games/ui/starts.ts'
import type { GameEvent, StartRecord } from '../../../extensions/event-games/ui/starts.ts'
import type { Pairing } from '../../../extensions/event-games/ui/tournament.ts'
import { chooseColumn } from './connect-four-player.ts'
import type { Board } from './connect-four-player.ts'
import type { DemoMachine } from './machine.ts'
import type { Pace } from './pace.ts'

export const SYSTEM = 'event-games'
const READ_LIMIT = 1000
/** What the events that a bot follows are made of. */
const OF_EVENTS: readonly string[] = ['events', 'entries', 'starts']

export interface Bot {
  name: string
  person: string
  machine: DemoMachine
}

export interface Scene {
  pace: Pace
  /** The persons that are bots: one game at a time with these; a person may take longer. */
  bots: ReadonlySet<string>
  say: (line: string) => void
}

interface Collections {
  events: EventRecord
  entries: EntryRecord
  withdrawals: WithdrawalRecord
  starts: StartRecord
  results: ResultRecord
}

/** All records of a collection, as this machine knows them; the manifest's schemas hold for them. */
export async function readAll<C extends keyof Collections>(
  { client }: DemoMachine,
  collection: C,
): Promise<Collections[C][]> {
  const all: unknown[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await client.db.query({ system: SYSTEM, collection, limit: READ_LIMIT, cursor })
    all.push(...page.records)
    if (page.cursor === undefined) return all as Collections[C][]
    cursor = page.cursor
  }
}

/** All events as this machine knows them, each with its start. */
export async function readEvents(machine: DemoMachine): Promise<GameEvent[]> {
  const [events, entries, starts] = await Promise.all([
    readAll(machine, 'events'),
    readAll(machine, 'entries'),
    readAll(machine, 'starts'),
  ])
  return joinEvents({ events, entries, starts })
}

async function enter(bot: Bot, event: GameEvent, { pace, say }: Scene): Promise<void> {
  await pace.pause(800, 4000)
  const value = entryOf(event.id, bot.person, bot.name)
  await bot.machine.client.db.put({ system: SYSTEM, collection: 'entries', value })
  say(`${bot.name} enters "${event.value.title}".`)
}

/** Takes the seat and plays to the end. */
async function play(bot: Bot, event: GameEvent, game: Pairing, scene: Scene): Promise<void> {
  const { client } = bot.machine
  const { pace, say } = scene
  const descriptor = descriptorOf(event, game)
  if (descriptor === null) return
  await pace.pause(500, 1500)
  const { session } = await client.sessions.open({ system: SYSTEM, ...descriptor })
  const [first, second] = game.seats.map((seat) => event.start?.players[seat]?.name ?? 'someone')
  const isTeller = descriptor.seats[0] === bot.person
  if (isTeller)
    say(`${first} and ${second} sit down at table ${game.table} of round ${game.round}.`)
  let playedPly = -1
  for await (const frame of await client.sessions.watch({ session }, { signal: pace.signal })) {
    if (frame.outcome !== null) {
      const [a = 0, b = 0] = frame.outcome.scores
      const result =
        a === b
          ? `${first} and ${second} draw`
          : a > b
            ? `${first} beats ${second}`
            : `${second} beats ${first}`
      if (isTeller) say(`${result} after ${frame.ply} moves: ${frame.outcome.reason}.`)
      return
    }
    if (frame.ply === playedPly || !isToMove(frame)) continue
    playedPly = frame.ply
    await pace.pause(700, 2600)
    const action = chooseColumn(
      (frame.view as unknown as { board: Board }).board,
      frame.legal as number[],
      frame.ownSeat ?? 0,
      Math.random,
    )
    await client.sessions.act({ session, action })
  }
}

function isToMove({ ownSeat, toAct, legal }: SessionFrame): boolean {
  return ownSeat !== null && toAct.includes(ownSeat) && legal.length > 0
}

/** Plays the games of this bot: those with other bots one after the other, round by round. */
async function playAll(bot: Bot, event: GameEvent, scene: Scene): Promise<void> {
  const players = event.start?.players ?? []
  const withPersons: Promise<void>[] = []
  for (const game of gamesOf(event)) {
    const persons = game.seats.map((seat) => players[seat]?.person ?? '')
    if (!persons.includes(bot.person)) continue
    const playing = play(bot, event, game, scene)
    if (persons.every((person) => scene.bots.has(person))) await playing
    else {
      withPersons.push(playing)
      // Whoever waits below is told; nobody may come to that, once another game has failed.
      playing.catch(() => undefined)
    }
  }
  await Promise.all(withPersons)
}

/** Follows the events of the cloud until the demo ends. */
export async function runBot(bot: Bot, scene: Scene): Promise<void> {
  const entered = new Set<string>()
  const playing = new Set<string>()
  const tasks: Promise<void>[] = []
  const { machine, person } = bot
  const changes = await machine.client.db.watch({ system: SYSTEM }, { signal: scene.pace.signal })
  const failed = new Promise<never>((_resolve, reject) => {
    const attempt = (task: Promise<void>): void => void tasks.push(task.catch(reject))
    void (async () => {
      for await (const change of changes) {
        if ('collection' in change && !OF_EVENTS.includes(change.collection)) continue
        for (const event of await readEvents(machine)) {
          const { value, start, id } = event
          if (start === null && value.status === 'open' && !entered.has(id)) {
            entered.add(id)
            attempt(enter(bot, event, scene))
          }
          const isPlayer = start?.players.some((player) => player.person === person) === true
          if (isPlayer && !playing.has(id)) {
            playing.add(id)
            attempt(playAll(bot, event, scene))
          }
        }
      }
    })().catch(reject)
  })
  await failed
}
