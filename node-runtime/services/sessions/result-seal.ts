// What a seat stores of a session that is over.
import type { ResultValue } from '../../contract/sessions.ts'
import { canonicalJson } from '../../core/canonical.ts'
import type { Referee } from '../../core/sessions/referee.ts'
import { transcriptHash, writeTranscript } from '../../core/sessions/transcript.ts'

/** An agreement is a bonus. One that is larger than any of ours would only keep the result from being stored. */
const MAX_SIGNATURE_CHARS = 4_096

/** The value of the result record, and the transcript that it names. The session must be over. */
export function sealResult(referee: Referee): { value: ResultValue; transcript: Uint8Array } {
  const { ending, descriptor, session, actions } = referee
  if (ending === null) throw new Error('a session that goes on has no result')
  const transcript = writeTranscript(descriptor, referee.transcript)
  const signatures = referee.agreements.flatMap((agreement) => {
    if (agreement === null) return []
    const signature = { action: agreement.form, attestation: agreement.attested.form }
    return canonicalJson(signature).length > MAX_SIGNATURE_CHARS ? [] : [signature]
  })
  return {
    transcript,
    value: {
      session,
      descriptor,
      outcome: ending.outcome,
      by: ending.by,
      plies: actions.length,
      endedMs: actions.at(-1)?.atMs ?? 0,
      transcript: { core: null, hash: transcriptHash(transcript), length: transcript.length },
      signatures,
      kind: descriptor.kind,
      context: descriptor.context,
    },
  }
}
