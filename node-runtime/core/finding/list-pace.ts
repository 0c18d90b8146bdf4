// How long a public host is left alone after it was asked, whatever hurry a machine is in.
const MINUTE_MS = 60_000
/** As rarely as a person would look again. */
const LEAST_MS = 5 * MINUTE_MS
const LONGEST_MS = 6 * 60 * MINUTE_MS
/** A host that asks for more than that means for ever. */
const LONGEST_ASKED_MS = 24 * 60 * MINUTE_MS

export interface Asked {
  /** Did the host get anything of it? Without a network it did not. */
  reachedHost: boolean
  /** How often in a row it has failed by now; 0 if it did not. */
  failures: number
  /** For how long the host wants to be left alone, s; null if it did not say. */
  retryAfterS: number | null
}

/** Until the host may be asked again, ms: after failures ever longer, and as long as it asked for. */
export function pauseAfter({ reachedHost, failures, retryAfterS }: Asked): number {
  if (!reachedHost) return 0
  const pauseMs = Math.min(LEAST_MS * 2 ** Math.max(0, failures - 1), LONGEST_MS)
  return Math.max(pauseMs, Math.min((retryAfterS ?? 0) * 1_000, LONGEST_ASKED_MS))
}
