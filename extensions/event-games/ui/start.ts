// Starting an event: the organiser draws lots among those who entered. Only the organiser's page can,
// as only the organiser may change the event's record.
import type { Calls } from '/.dharma/sdk.js'
import type { GamesStore } from './games-store.ts'
import { GAME } from './records.ts'
import type { EntryRecord, EventRecord, EventValue } from './records.ts'
import { drawLots } from './tournament.ts'

/** The event as it is once started, with the earliest entries, in the order of the lots. */
export function startedValue(
  event: EventRecord,
  entries: readonly EntryRecord[],
  seed: string,
  rules: string,
  nowMs: number,
): EventValue {
  const players = entries
    .slice(0, event.value.maxPlayers)
    .map(({ value }) => ({ person: value.person, name: value.name }))
  return {
    ...event.value,
    status: 'started',
    players: drawLots(players, seed),
    seed,
    rules,
    startedMs: nowMs,
  }
}

export async function startEvent(
  cloud: Calls,
  event: EventRecord,
  entries: readonly EntryRecord[],
): Promise<unknown> {
  const value = startedValue(
    event,
    entries,
    crypto.randomUUID(),
    await cloud.sessions.rules(GAME),
    Date.now(),
  )
  return cloud.db.collection<EventValue>('events').put(event.id, value)
}

/**
 * Starts this person's single games as soon as they have two players. Call it after every change of
 * the store; each event is started once.
 */
export function createAutoStart(cloud: Calls, store: GamesStore, person: string): () => void {
  const starting = new Set<string>()
  return () => {
    for (const event of store.events) {
      const { format, status, maxPlayers } = event.value
      if (event.author !== person || format !== 'single' || status !== 'open') continue
      const entries = store.entriesOf(event.id)
      if (entries.length < maxPlayers || starting.has(event.id)) continue
      starting.add(event.id)
      // If it fails, the organiser still has the button.
      startEvent(cloud, event, entries).catch(() => starting.delete(event.id))
    }
  }
}
