// Results are checked on this machine before they count: every signature and every move, once each.
import { CloudError } from '/.dharma/sdk.js'
import type { Calls, ResultVerdict } from '/.dharma/sdk.js'
import type { ResultRecord } from './records.ts'

/** Another machine may have come meanwhile. */
const ASK_AGAIN_MS = 10_000
const MISSING: readonly string[] = ['SESSION_TRANSCRIPT_MISSING', 'RULES_MISSING', 'UNAVAILABLE']

export type Verdict =
  | { state: 'checking' }
  | { state: 'verified'; found: ResultVerdict }
  | { state: 'missing'; error: CloudError }
  | { state: 'refused'; error: CloudError }

export interface Verifier {
  /** The verdict so far; begins the check if it is the first time of asking. */
  check(record: ResultRecord): Verdict
  /** The verdict so far, null if nobody has asked for a check. */
  peek(record: ResultRecord): Verdict | null
}

/** `changed` is called when a verdict is in. */
export function createVerifier(cloud: Calls, changed: () => void): Verifier {
  const verdicts = new Map<string, Verdict>()
  // Who wrote what and when: a later version of a record is checked anew.
  const keyOf = ({ id, author, version }: ResultRecord): string => [id, author, version].join('\n')
  const run = async (record: ResultRecord): Promise<void> => {
    let verdict: Verdict
    try {
      verdict = { state: 'verified', found: await cloud.sessions.verify(record.value) }
    } catch (error) {
      const reason = error instanceof CloudError ? error : new CloudError('INTERNAL', String(error))
      // What nobody in reach has says nothing about the result.
      const missing = MISSING.includes(reason.code)
      verdict = missing ? { state: 'missing', error: reason } : { state: 'refused', error: reason }
      if (missing) setTimeout(() => verdicts.delete(keyOf(record)), ASK_AGAIN_MS)
    }
    verdicts.set(keyOf(record), verdict)
    changed()
  }
  return {
    check(record) {
      const known = verdicts.get(keyOf(record))
      if (known !== undefined) return known
      const checking: Verdict = { state: 'checking' }
      verdicts.set(keyOf(record), checking)
      void run(record)
      return checking
    },
    peek: (record) => verdicts.get(keyOf(record)) ?? null,
  }
}
