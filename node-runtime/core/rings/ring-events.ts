// What the rings hear and say. Members, claims and news come in verified: that the entry is signed, that the place
// follows from it, and that the accuser signed its claim.
import type { Spot } from './rings.ts'

/** A machine as its signed entry places it. */
export interface Member extends Spot {
  /** The sequence of its entry: the newest counts, and refutes whatever was said of one before. */
  readonly incarnation: number
  /** Where it says that it is, as /16; null on this very computer, or if it does not say. */
  readonly network: string | null
}

/** A member, and how long ago somebody had a link with it. */
export interface Told {
  member: Member
  ageMs: number
}

/** A neighbour says that a machine is gone: it had a link, and nobody whom it asked has one. */
export interface Claim {
  accuser: Member
  accused: Member
  /** By which others can check that the accuser says so; opaque here. */
  proof: string
}

/** What goes to all over the rings. */
export type News = { kind: 'gone'; claim: Claim } | { kind: 'alive'; member: Member }

export type RingMessage =
  /** Who is near me, as you know? */
  | { kind: 'who' }
  | { kind: 'near'; members: readonly Told[] }
  /** Have you a link with that machine? */
  | { kind: 'probe'; machine: string }
  | { kind: 'probed'; machine: string; linked: boolean }
  /** In this incarnation you are said to be gone. */
  | { kind: 'charged'; incarnation: number }
  /** This link ends because there are others; nobody is gone. */
  | { kind: 'release' }

export type RingEvent =
  | { type: 'started' }
  /** Machines of the last time, or that a way of finding named; nobody vouches for them. */
  | { type: 'remembered'; members: readonly Member[] }
  | { type: 'linkOpened'; member: Member; dialled: boolean; network: string | null }
  | { type: 'linkClosed'; machine: string }
  | { type: 'received'; from: string; message: RingMessage }
  | { type: 'heard'; news: News }
  | { type: 'ownSigned'; incarnation: number }
  | { type: 'timer'; id: string }

export type RingEffect =
  | { type: 'send'; to: string; message: RingMessage }
  /** Try to have a link with it, once. */
  | { type: 'reach'; member: Member }
  /** End a link without blame. */
  | { type: 'release'; machine: string }
  | { type: 'broadcast'; news: News }
  /** Others call this machine gone: sign an entry that is newer than this one. */
  | { type: 'signAnew'; after: number }
  /** This machine holds it for gone, by what others signed. */
  | { type: 'died'; machine: string; incarnation: number }
  /** On ring 0 the next linked machine is another one, or there are many more or fewer. */
  | { type: 'ring'; successor: string | null; machines: number }
  | { type: 'setTimer'; id: string; afterMs: number }
