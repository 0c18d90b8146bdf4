// What a caller may have of the machine at once. A page of a system is potentially hostile; the person's
// own window and programs are trusted, and held only to what the machine can bear.
import type { ShareLimits } from './fair-share.ts'

const MIB = 1024 * 1024

/** Lengths are in UTF-16 units of the text of a frame, which is what it takes in memory or half of it. */
export interface Budget extends ShareLimits {
  /** The longest frame that is parsed. */
  frameLength: number
  /** Streams that are open. */
  openStreams: number
  /** What may wait in a port for its reader before no more calls of it are worked on. */
  unsentBytes: number
}

/**
 * Of all ports of one system together. A record has at most 256 kB and a result with the moves of a
 * long game less than 1 MiB. Four calls at once keep disk and threads as busy as more would; of those
 * that are large there is one. That is all that another's call has to wait for.
 */
export const SYSTEM_BUDGET: Budget = {
  weight: 1,
  frameLength: MIB,
  runningCalls: 4,
  runningLength: 64 * 1024,
  queuedCalls: 1000,
  queuedLength: 4 * MIB,
  openStreams: 64,
  unsentBytes: 4 * MIB,
}

/** Of the owner's ports together. An import holds a thousand records. */
export const OWNER_BUDGET: Budget = {
  weight: 4,
  frameLength: 16 * MIB,
  runningCalls: 64,
  runningLength: 16 * MIB,
  queuedCalls: 10_000,
  queuedLength: 64 * MIB,
  openStreams: 1000,
  unsentBytes: 32 * MIB,
}

/** Calls of all callers together that are being worked on: answers of a megabyte each fit in memory. */
export const MACHINE_RUNNING_CALLS = 96

/** Whose budget a port draws on. */
export interface ShareOwner {
  /** All ports with one name draw on one budget. */
  name: string
  budget: Budget
}

export const OWNER_SHARE: ShareOwner = { name: 'owner', budget: OWNER_BUDGET }

export function systemShare(system: string): ShareOwner {
  return { name: `system ${system}`, budget: SYSTEM_BUDGET }
}
