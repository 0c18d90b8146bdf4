// Starting an event: the organiser says that these entries play. Only the organiser's page can.
import type { Calls } from '/.dharma/sdk.js'
import type { GamesStore } from './games-store.ts'
import { GAME } from './records.ts'
import type { EntryRecord, EventRecord } from './records.ts'
import type { GameEvent, StartValue } from './starts.ts'

/** The start with the earliest entries, by these rules. */
export function startValue(
  event: EventRecord,
  entries: readonly EntryRecord[],
  rules: string,
): StartValue {
  const listed = entries.slice(0, event.value.maxPlayers).map(({ id }) => id)
  return { event: event.id, entries: listed, rules }
}

/** One page of this system at a time, of however many are open. */
function alone(name: string, work: () => Promise<void>): Promise<void> {
  // Where there are no locks, looking first has to do.
  return 'locks' in navigator ? navigator.locks.request(name, work) : work()
}

/** Starts the event, unless it was started from another page meanwhile. */
export function startEvent(
  cloud: Calls,
  event: EventRecord,
  entries: readonly EntryRecord[],
): Promise<void> {
  return alone(`start ${event.id}`, async () => {
    const starts = cloud.db.collection<StartValue>('starts')
    const { records } = await starts.all({ where: { event: event.id }, author: event.author })
    if (records.length > 0) return
    await starts.add(startValue(event, entries, await cloud.sessions.rules(GAME)))
  })
}

/**
 * Starts this person's single games as soon as they have two players. Call it after every change of
 * the store; each event is started once.
 */
export function createAutoStart(cloud: Calls, store: GamesStore, person: string): () => void {
  const starting = new Set<string>()
  const isReady = ({ author, value, start, id }: GameEvent): boolean =>
    author === person &&
    value.format === 'single' &&
    value.status === 'open' &&
    start === null &&
    store.entriesOf(id).length >= value.maxPlayers
  return () => {
    for (const event of store.events) {
      if (starting.has(event.id) || !isReady(event)) continue
      starting.add(event.id)
      // If it fails, the organiser still has the button.
      startEvent(cloud, event, store.entriesOf(event.id)).catch(() => starting.delete(event.id))
    }
  }
}
