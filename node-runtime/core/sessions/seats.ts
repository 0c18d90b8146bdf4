// Who holds which seat, on which machines, in which logs: any number of machines per seat, as far as
// this machine cares to follow. What one person can announce is bounded.
import * as z from 'zod'
import { sessionDescriptorSchema } from '../../contract/sessions.ts'
import type { SessionDescriptor, SessionSummary } from '../../contract/sessions.ts'
import { hashSchema, keySchema, timeMsSchema } from '../../contract/values.ts'
import { canonicalJson } from '../canonical.ts'
import { BUILT_IN_SYSTEM_KEY } from '../systems/built-in.ts'
import { sessionId } from './position.ts'

/** A person plays on one machine, or a few; more logs of one seat are not followed. */
export const MAX_MACHINES_PER_SEAT = 8

/** Seed, options and context of a session; what is larger belongs into records. As canonical JSON. */
export const MAX_DESCRIPTOR_CHARS = 16_384

/** The value of a seat's announcement, which the person in the seat signs as a record. */
const announcementSchema = z.object({
  session: hashSchema,
  seat: z.number().int().nonnegative(),
  log: keySchema,
  machine: keySchema,
  descriptor: sessionDescriptorSchema,
  /** `over` when it ended on the machine that announces. */
  state: z.enum(['live', 'over']),
  startedMs: timeMsSchema,
})
export type Announcement = z.infer<typeof announcementSchema>

export interface KnownSession {
  session: string
  descriptor: SessionDescriptor
  /** By seat, the machines that hold it; none until it is taken. */
  seats: readonly (readonly Announcement[])[]
}

/** The collection of the built-in system in which seats are announced. */
export const SEATS_COLLECTION = 'seats'

/** What of a record an announcement is read from. The database has checked who signed it. */
export interface SeatRecord {
  /** Its key. */
  system: string
  collection: string
  author: string
  id: string
  value: unknown
}

/** Sorts a session's announcements together, and names seat and machine: each machine has its own. */
export function announcementId(session: string, seat: number, machine: string): string {
  return `${session}.${seat}.${machine}`
}

/** Is this where seats are announced? What a system writes in a collection of that name says nothing. */
export function isSeatRecord({ system, collection }: SeatRecord): boolean {
  return system === BUILT_IN_SYSTEM_KEY && collection === SEATS_COLLECTION
}

/** The announcement that a record makes, if it counts: by the person in the seat. Never throws. */
export function readAnnouncement(record: SeatRecord): Announcement | null {
  if (!isSeatRecord(record)) return null
  const { author, id, value } = record
  const parsed = announcementSchema.safeParse(value)
  if (!parsed.success) return null
  const { session, seat, machine, descriptor } = parsed.data
  const genuine =
    author === descriptor.seats[seat] &&
    id === announcementId(session, seat, machine) &&
    canonicalJson(descriptor).length <= MAX_DESCRIPTOR_CHARS &&
    session === sessionId(descriptor)
  return genuine ? parsed.data : null
}

/**
 * The session with one announcement more. A machine's newest takes the place of its earlier one; what
 * is said of a seat beyond the limit is left out, so that nobody has to follow it.
 */
export function withAnnouncement(
  known: KnownSession | undefined,
  announcement: Announcement,
): KnownSession {
  const { session, descriptor, seat, machine } = announcement
  const before = known ?? { session, descriptor, seats: descriptor.seats.map(() => []) }
  const held = before.seats[seat] ?? []
  const others = held.filter((other) => other.machine !== machine)
  if (others.length >= MAX_MACHINES_PER_SEAT) return before
  const seats = before.seats.map((of, number) => (number === seat ? [...others, announcement] : of))
  return { ...before, seats }
}

/** When a session began: when its first seat was taken, as its machines say. */
export function startedMs({ seats }: KnownSession): number {
  const times = seats.flat().map((seat) => seat.startedMs)
  return times.length === 0 ? 0 : Math.min(...times)
}

/** The state as the players' machines announce it. */
export function announcedState({ seats }: KnownSession): SessionSummary['state'] {
  if (seats.flat().some(({ state }) => state === 'over')) return 'over'
  return seats.every((machines) => machines.length > 0) ? 'live' : 'waiting'
}

/** The machines of all seats but this one. */
export function seatMachines({ seats }: KnownSession, self: string): string[] {
  const machines = new Set(seats.flat().map(({ machine }) => machine))
  machines.delete(self)
  return [...machines]
}
