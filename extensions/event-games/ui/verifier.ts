// @ts-nocheck -- follows the switch of the database
// Results are checked on this machine before they count: every signature and every move, once each.
import { CloudError } from '/.dharma/sdk.js'
import type { Calls } from '/.dharma/sdk.js'
import type { ResultRecord } from './records.ts'

type Replay = Awaited<ReturnType<Calls['sessions']['replay']>>

export type Verdict =
  | { state: 'checking' }
  | { state: 'verified'; replay: Replay }
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
  // The record's signature covers everything in it, so it names exactly what was checked.
  const keyOf = (record: ResultRecord): string => record.signature
  const run = async (record: ResultRecord): Promise<void> => {
    let verdict: Verdict
    try {
      await cloud.db.verify(record)
      const replay = await cloud.sessions.replay(record.value)
      if (!record.value.descriptor.seats.every((person) => replay.signers.includes(person))) {
        throw new CloudError('SESSION_TRANSCRIPT_FORGED', 'Not every player has signed this game.')
      }
      verdict = { state: 'verified', replay }
    } catch (error) {
      const reason = error instanceof CloudError ? error : new CloudError('INTERNAL', String(error))
      verdict = { state: 'refused', error: reason }
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
