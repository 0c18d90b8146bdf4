// What is asked of rules, and what their answers are worth: a position has to make sense for its seats.
import type { RulesHarness } from './rules-harness.ts'
import type { Call } from './rules-interpreter.ts'
import type {
  PositionText,
  RulesFault,
  RulesReply,
  RulesRequest,
  ViewText,
} from './rules-messages.ts'

/** Has a piece of work done by an interpreter that nothing was done by before. */
export type Run = <T>(work: (call: Call) => T) => T

/** A part of the worker's text; it uses nothing from outside itself. */
export function rulesAnswers(harness: RulesHarness) {
  /** As the contract has it. */
  const MAX_OUTCOME_REASON_CHARS = 200

  const NAMES = ['state', 'outcome', 'legal'] as const
  const lookAt = (call: Call, state: string, viewer: string): ViewText => {
    const answer = call.ask(harness.view(state, viewer), ['view'])
    return answer.kind === 'texts' ? { kind: 'view', view: answer.texts.view } : answer
  }
  /** Why the position makes no sense for so many seats; null if it does. */
  const nonsense = (position: PositionText, seats: number): string | null => {
    const legal = JSON.parse(position.legal) as unknown[][]
    if (!legal.every((actions) => Array.isArray(actions))) return 'their legal actions are no list'
    const outcome = JSON.parse(position.outcome) as { scores?: unknown; reason?: unknown } | null
    if (outcome === null) {
      const canMove = legal.some((actions) => actions.length > 0)
      return canMove ? null : 'nobody can move, and it is not over'
    }
    const { scores, reason } = outcome
    if (!Array.isArray(scores) || !scores.every((score) => typeof score === 'number')) {
      return 'they gave back no proper outcome'
    }
    if (scores.length !== seats) return 'they give not one score per seat'
    const isReason = typeof reason === 'string' && reason.length <= MAX_OUTCOME_REASON_CHARS
    return isReason ? null : 'they gave back no proper outcome'
  }
  const position = (
    call: Call,
    source: string,
    seats: number,
  ): PositionText | { kind: 'illegal' } | RulesFault => {
    const answer = call.ask(source, NAMES)
    if (answer.kind !== 'texts') return answer
    if (answer.texts.state === '') return { kind: 'illegal' }
    const reason = nonsense(answer.texts, seats)
    return reason === null ? answer.texts : { kind: 'failed', reason }
  }

  const replay = (
    request: RulesRequest & { kind: 'replay' },
    run: Run,
    isDead: () => boolean,
  ): RulesReply => {
    const { begin, moves, seats, viewer, fromPly, toPly } = request
    const untilMs = performance.now() + request.sliceMs
    let state = request.state
    let reached: PositionText | null = null
    let played = 0
    let viewChars = 0
    const views: ViewText[] = []
    const step = (ply: number, source: string | null): { kind: 'illegal' } | RulesFault | null =>
      run((call) => {
        if (source !== null) {
          const next = position(call, source, seats)
          if ('kind' in next) return next
          reached = next
          state = next.state
        }
        if (ply >= fromPly && ply < toPly && viewChars < request.viewChars) {
          const view = lookAt(call, state, viewer)
          viewChars += view.kind === 'view' ? view.view.length : 0
          views.push(view)
        }
        return null
      })
    let end = begin === null ? null : step(0, harness.start(begin, seats))
    while (end === null && played < moves.length && !isDead()) {
      end = step(played + 1, harness.play(state, moves[played] ?? '', seats))
      if (end === null) played++
      // The host goes on from here, with an engine that works.
      if (performance.now() > untilMs || isDead()) break
    }
    return { kind: 'replayed', played, position: reached, views, end }
  }

  const answer = (request: RulesRequest, run: Run, isDead: () => boolean): RulesReply => {
    if (request.kind === 'link') {
      return run((call) => {
        const linked = call.ask(harness.link, [])
        if (linked.kind === 'texts') return { kind: 'linked' }
        return call.missing === null ? linked : { kind: 'missing', path: call.missing }
      })
    }
    if (request.kind === 'view') return run((call) => lookAt(call, request.state, request.viewer))
    if (request.kind === 'replay') return replay(request, run, isDead)
    return run((call) => {
      const source =
        request.kind === 'start'
          ? harness.start(request.begin, request.seats)
          : harness.play(request.state, request.move, request.seats)
      const reached = position(call, source, request.seats)
      if ('kind' in reached) return reached
      return {
        kind: 'position',
        position: reached,
        view: lookAt(call, reached.state, request.viewer),
      }
    })
  }

  return { answer }
}
