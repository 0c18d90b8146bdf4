// What the rings hear and say. Members come in verified: that the entry is signed, and that the place follows from it.
import type { Spot } from './rings.ts'

/** A machine as its signed entry places it. */
export interface Member extends Spot {
  /** The sequence of its entry: the newest counts, and shows that the machine lived when it signed it. */
  readonly incarnation: number
  /** Where it says that it is, as /16; null on this very computer, or if it does not say. */
  readonly network: string | null
}

/** A member, and how long ago somebody had a link with it. */
export interface Told {
  member: Member
  ageMs: number
}

export type RingMessage =
  /** Who is near me, as you know? */
  | { kind: 'who' }
  | { kind: 'near'; members: readonly Told[] }
  /** I do not hear that machine any more. If you have a link with it: does it answer you? */
  | { kind: 'probe'; machine: string }
  | { kind: 'probed'; machine: string; answers: boolean }
  /** There are enough other links. End this one, if you do not need it. */
  | { kind: 'release' }
  /** It is needed: leave it for a while. */
  | { kind: 'keep' }

export type RingEvent =
  | { type: 'started' }
  /** Machines of the last time, or that a way of finding named; nobody vouches for them. */
  | { type: 'remembered'; members: readonly Member[] }
  /** A link is open; whether the machine takes part is not known yet. */
  | { type: 'linkSeen'; machine: string }
  | { type: 'linkOpened'; member: Member; dialled: boolean; network: string | null }
  /** @param silent  the machine was not heard any more; else it ended the link itself, or this one did */
  | { type: 'linkClosed'; machine: string; silent: boolean }
  /** A linked machine has not been heard for a while; it may be late. */
  | { type: 'doubted'; machine: string }
  | { type: 'received'; from: string; message: RingMessage }
  /** Others told of these before their entries were here. */
  | { type: 'told'; members: readonly Told[] }
  /** It has just answered, after `check`. */
  | { type: 'answered'; machine: string }
  | { type: 'timer'; id: string }

export type RingEffect =
  | { type: 'send'; to: string; message: RingMessage }
  /** A link with it is wanted: it is knocked at now, and dialled as its last attempts leave it (`core/finding/dial-list.ts`). */
  | { type: 'reach'; member: Member }
  /** It need not be dialled any more; its link may end. */
  | { type: 'forgo'; machine: string }
  /** End a link without blame. */
  | { type: 'release'; machine: string }
  /** Ask a linked machine whether it is there. */
  | { type: 'check'; machine: string }
  /** These linked machines, and no others, are to be watched closely. */
  | { type: 'watch'; machines: readonly string[] }
  /** This machine does not hear it any more, and it answers none of those that were asked. */
  | { type: 'gone'; machine: string }
  /** On ring 0 the next linked machine is another one, or there are many more or fewer. */
  | { type: 'ring'; successor: string | null; machines: number }
  | { type: 'setTimer'; id: string; afterMs: number }
