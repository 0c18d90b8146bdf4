// What a result is worth: its transcript, judged by the very rules that the session was played by.
import { CloudError } from '../../contract/errors.ts'
import type { ResultValue, ResultVerdict } from '../../contract/sessions.ts'
import { canonicalJson } from '../../core/canonical.ts'
import type { PlayedAction } from '../../core/sessions/judgement.ts'
import { sessionId } from '../../core/sessions/position.ts'
import { Referee } from '../../core/sessions/referee.ts'
import type { RefereeEffect, RefereeEvent } from '../../core/sessions/referee-events.ts'
import type { Transcript } from '../../core/sessions/transcript.ts'
import { inTurns } from '../../flow/in-turns.ts'
import type { RulesRunner } from '../../ports/rules.ts'
import { askRules, BLOCKS_AT_ONCE } from './session-table.ts'

export interface Judged extends ResultVerdict {
  actions: readonly PlayedAction[]
}

function forged(reason: string): CloudError {
  return new CloudError('SESSION_TRANSCRIPT_FORGED', `The result does not hold: ${reason}.`, {
    reason,
  })
}

/**
 * Plays a transcript, and sees whether it says what the result says.
 * @throws CloudError SESSION_TRANSCRIPT_FORGED if it does not; RULES_FAILED, UNAVAILABLE if it can't
 *   be told
 */
export async function judge(
  result: ResultValue,
  transcript: Transcript,
  rules: RulesRunner,
  cloud: string,
): Promise<Judged> {
  const { descriptor, session } = result
  if (canonicalJson(transcript.descriptor) !== canonicalJson(descriptor)) {
    throw forged('its transcript is of another session')
  }
  if (session !== sessionId(descriptor)) throw forged('it is of another session')
  const referee = new Referee({ descriptor, cloud, viewer: 'spectator', own: null })
  await play(referee, transcript, rules)
  const { ending, actions } = referee
  if (ending === null) throw forged('the session was not over')
  const same = canonicalJson(ending.outcome) === canonicalJson(result.outcome)
  if (!same || ending.by !== result.by || actions.length !== result.plies) {
    throw forged('its transcript gives another outcome')
  }
  for (const { action, attestation } of result.signatures) {
    for (const effect of referee.step({ type: 'action', form: action, attestation }, 0)) {
      if (effect.type === 'askRules') throw forged('what its seats agreed with goes on')
    }
  }
  const persons = referee.transcript.actions.map(({ seat }) => descriptor.seats[seat] ?? '')
  const agreed = referee.agreements.flatMap((agreement, seat) =>
    agreement === null ? [] : [descriptor.seats[seat] ?? ''],
  )
  return { ...ending, plies: actions.length, actions, signers: [...new Set(persons)], agreed }
}

async function play(referee: Referee, { blocks }: Transcript, rules: RulesRunner): Promise<void> {
  let asked: Extract<RefereeEffect, { type: 'askRules' }> | undefined
  const step = (event: RefereeEvent): void => {
    for (const effect of referee.step(event, 0)) {
      if (effect.type === 'askRules') asked = effect
      if (effect.type === 'dropLog') throw forged(effect.reason)
    }
  }
  for await (const text of inTurns(blocks, BLOCKS_AT_ONCE)) {
    const before = referee.length
    step({ type: 'block', log: 'transcript', text })
    if (text.startsWith('{"action"') && referee.length === before) {
      throw forged('an action is doubled, or comes before what it had seen')
    }
  }
  // Of a session that is over before anybody acts.
  if (blocks.length === 0) step({ type: 'started' })
  while (asked !== undefined) {
    const { token, request } = asked
    asked = undefined
    const answer = await askRules(rules, referee, request)
    if (answer.status === 'failed') throw new CloudError('RULES_FAILED', answer.message)
    if (answer.status === 'unavailable') throw new CloudError('UNAVAILABLE', answer.message)
    step({ type: 'rules', token, answer })
  }
}
