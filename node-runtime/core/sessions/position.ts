// What the rules of a session say of a position, and how they are asked. The asking is an effect; the
// answer is a value, so that nobody takes a fault of their own machine for a fault of a player.
import type { Outcome, SessionDescriptor } from '../../contract/sessions.ts'
import type { Json } from '../../contract/values.ts'
import { canonicalJson } from '../canonical.ts'
import { domainBytes, hash, toHex } from '../keys.ts'

const SESSION_DOMAIN = 'dharma/session/1'

/** Who looks at a position. */
export type Viewer = number | 'spectator'

/** A position, and what the rules say of it. */
export interface Position {
  state: Json
  outcome: Outcome | null
  /** The legal actions by seat. One seat, several or (after the end) none may have some. */
  legal: Json[][]
  /** What the viewer of the request may see of it. */
  view: Json
}

export type RulesRequest =
  | { call: 'start'; viewer: Viewer }
  | { call: 'play'; state: Json; seat: number; action: Json; viewer: Viewer }

/**
 * `illegal`: the rules do not allow it. `failed`: they threw or took too much; undecided, on every
 * machine. `unavailable`: this machine could not ask them now.
 */
export type RulesAnswer =
  | { status: 'ok'; position: Position }
  | { status: 'illegal' }
  | { status: 'failed'; message: string }
  | { status: 'unavailable'; message: string }

/** The id of a session: the hash of its descriptor. Hex. */
export function sessionId(descriptor: SessionDescriptor): string {
  return toHex(hash(domainBytes(SESSION_DOMAIN, canonicalJson(descriptor))))
}

/** Do two JSON values say the same? */
export function jsonEqual(a: Json, b: Json): boolean {
  return canonicalJson(a) === canonicalJson(b)
}
