/** What a check found. The seed repeats it. */
export interface Finding {
  /** Which check: a few words. */
  check: string
  /** Virtual ms since the start. */
  atMs: number
  words: string
}

/** Where checks report. */
export type Report = (check: string, words: string) => void
