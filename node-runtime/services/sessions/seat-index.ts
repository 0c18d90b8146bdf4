// What the cloud's records say of sessions: who took which seat, on which machine, in which log.
import { EventEmitter } from 'node:events'
import * as z from 'zod'
import type { CloudRecord } from '../../contract/db.ts'
import { sessionDescriptorSchema } from '../../contract/sessions.ts'
import type { SessionDescriptor } from '../../contract/sessions.ts'
import { hashSchema, keySchema, timeMsSchema } from '../../contract/values.ts'
import { sessionId } from '../../core/sessions/session-chain.ts'

/** The collection of the built-in system in which seats are announced. */
export const SEATS_COLLECTION = 'seats'

/** The value of a seat's announcement: a record of the built-in system, by the person in the seat. */
export const announcementSchema = z.object({
  session: hashSchema,
  seat: z.number().int().nonnegative(),
  log: keySchema,
  machine: keySchema,
  descriptor: sessionDescriptorSchema,
  /** `over` when the rules say so on the machine that announces. */
  state: z.enum(['live', 'over']),
  startedMs: timeMsSchema,
})
export type Announcement = z.infer<typeof announcementSchema>

export interface KnownSession {
  session: string
  descriptor: SessionDescriptor
  /** By seat; null until it is taken. */
  seats: (Announcement | null)[]
}

export function announcementId(session: string, seat: number): string {
  return `${session}.${seat}`
}

/** The announcement that a record makes, if it is one that counts: by the person in the seat. */
function readAnnouncement(record: CloudRecord): Announcement | null {
  const parsed = announcementSchema.safeParse(record.value)
  if (!parsed.success) return null
  const { session, seat, descriptor } = parsed.data
  const genuine =
    record.author === descriptor.seats[seat] &&
    record.id === announcementId(session, seat) &&
    session === sessionId(descriptor)
  return genuine ? parsed.data : null
}

export class SeatIndex extends EventEmitter<{ announced: [session: string] }> {
  readonly #sessions = new Map<string, KnownSession & { versions: string[] }>()

  get(session: string): KnownSession | undefined {
    return this.#sessions.get(session)
  }

  values(): IterableIterator<KnownSession> {
    return this.#sessions.values()
  }

  /** Takes in a record, in any order; the newest of a seat counts. */
  take(record: CloudRecord): void {
    const announcement = readAnnouncement(record)
    if (announcement === null) return
    const { session, seat, descriptor } = announcement
    let known = this.#sessions.get(session)
    if (known === undefined) {
      known = { session, descriptor, seats: descriptor.seats.map(() => null), versions: [] }
      this.#sessions.set(session, known)
    }
    if ((known.versions[seat] ?? '') >= record.version) return
    known.versions[seat] = record.version
    known.seats[seat] = announcement
    this.emit('announced', session)
  }
}

/** When a session began: when its first seat was taken. */
export function startedMs({ seats }: KnownSession): number {
  return Math.min(...seats.flatMap((seat) => (seat === null ? [] : [seat.startedMs])))
}
