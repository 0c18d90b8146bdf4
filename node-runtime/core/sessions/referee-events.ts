// What happens to the referee of a session, and what it wants done.
import type { ErrorCode } from '../../contract/errors.ts'
import type { Json } from '../../contract/values.ts'
import type { SignedForm } from '../forms/signed-form.ts'
import type { SeatAction } from './action.ts'
import type { RulesAnswer, RulesRequest } from './position.ts'

/** After a failure of this machine: the first pause, doubled each time up to the longest. */
const RETRY_MS = 250
const MAX_RETRY_MS = 30_000

export type RefereeEvent =
  /**
   * A block of a seat's log, in the order of its log. Read the next one when told to. `isStored`: it is of
   * a transcript that a seat has stored.
   */
  | { type: 'block'; log: string; text: string; isStored?: boolean }
  /** The next block of that log could not be read. It is tried again when told to. */
  | { type: 'unread'; log: string }
  /** An action that came by another way than a log. */
  | { type: 'action'; form: SignedForm; attestation: SignedForm }
  /** This machine holds the seat, with a log that has so many blocks already. */
  | { type: 'held'; seat: number; log: string; blocks: number }
  /** This machine held the seat, and no longer has all that it signed in it. */
  | { type: 'lost'; seat: number }
  | { type: 'act'; token: number; action: OwnAction; wallMs: number }
  /** Somebody waits until all that is here is played and written; answered by `settled`. */
  | { type: 'awaited'; token: number }
  /** What `append` asked for is on the disk, and will be in the log whatever happens. */
  | { type: 'kept'; token: number }
  | Appended
  | { type: 'rules'; token: number; answer: RulesAnswer }
  /** The rules are to be asked where all begins, before anything else has come. */
  | { type: 'started' }
  | { type: 'timer'; id: string }

/** What was to be appended is in the own log; or can't be written now. */
export type Appended =
  | { type: 'appended'; token: number; ok: true }
  | { type: 'appended'; token: number; ok: false; message: string }

export type RefereeEffect =
  | { type: 'askRules'; token: number; request: RulesRequest }
  /** Writes the blocks to the own log in one go; answered by `kept`, and by `appended` once they are in it. */
  | { type: 'append'; token: number; texts: string[] }
  /** The action is on the disk. */
  | { type: 'acted'; token: number; ply: number; action: SeatAction }
  /** Any action of this machine is on the disk, the agreement that it gives by itself included. */
  | { type: 'wrote'; action: SeatAction }
  | ({ type: 'refused'; token: number } & Refusal)
  | { type: 'readOn'; log: string }
  /** What the log holds is of no session: it is not read on. Nobody is blamed for it. */
  | { type: 'dropLog'; log: string; reason: string }
  /** All that is here is played and written, or something keeps it from that, or it was waited for long enough. */
  | { type: 'settled'; token: number }
  | { type: 'setTimer'; id: RefereeTimer; afterMs: number }
  | { type: 'clearTimer'; id: RefereeTimer }
  | { type: 'changed' }

export type RefereeTimer = 'rules' | 'append' | `read ${string}` | `settle ${number}`

export type OwnAction = { type: 'move'; body: Json } | { type: 'resign' } | { type: 'claim' }

/** Why the own seat may not act now. */
export interface Refusal {
  code: ErrorCode
  message: string
  details: Record<string, Json>
}

/** What this machine can't do now, in words. Not a fault of any player. */
export interface Trouble {
  what: 'rules' | 'disk' | 'seat'
  message: string
}

/** So long after so many failures it is tried again. */
export function retryAfterMs(tries: number): number {
  return Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** Math.min(tries, 10))
}
