// The names of the players of a session, from the event it belongs to.
import type { SessionDescriptor } from '/.dharma/sdk.js'
import type { GamesStore } from './games-store.ts'
import { fingerprint } from './person.ts'
import { contextOf } from './records.ts'
import type { GameEvent } from './starts.ts'

export function eventOf(
  descriptor: Pick<SessionDescriptor, 'context'>,
  store: GamesStore,
): GameEvent | null {
  const context = contextOf(descriptor)
  return context === null ? null : store.eventOf(context.event)
}

/** By seat; a person without a name in the event is called by the fingerprint. */
export function namesOf(descriptor: SessionDescriptor, store: GamesStore): string[] {
  const players = eventOf(descriptor, store)?.start?.players ?? []
  return descriptor.seats.map(
    (person) => players.find((player) => player.person === person)?.name ?? fingerprint(person),
  )
}

/** Such as `Friday Cup, round 2, table 1`. */
export function gameTitle(descriptor: SessionDescriptor, store: GamesStore): string {
  const context = contextOf(descriptor)
  const event = eventOf(descriptor, store)
  if (context === null || event === null) return 'A game'
  return event.value.format === 'single'
    ? event.value.title
    : `${event.value.title}, round ${context.round}, table ${context.table}`
}
