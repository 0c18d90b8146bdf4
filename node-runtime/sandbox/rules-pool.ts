// All rules of a machine run here: one bounded set of workers, whatever number of systems, sessions and
// kinds there are.
import { availableParallelism } from 'node:os'
import { outcomeSchema } from '../contract/sessions.ts'
import type { Json } from '../contract/values.ts'
import type {
  PlayAnswer,
  PlayQuestion,
  ReplayAnswer,
  ReplayQuestion,
  RulesAnswer,
  RulesFailure,
  RulesPosition,
  RulesRunner,
  RulesUnavailable,
  StartAnswer,
  StartQuestion,
  ViewAnswer,
  Viewer,
} from '../ports/rules.ts'
import { isDeeperThan } from './json-depth.ts'
import { rulesAnswers } from './rules-answers.ts'
import { contentOf, RULES_ENGINE, RULES_LIMITS } from './rules-bundle.ts'
import type { RulesBundle } from './rules-bundle.ts'
import { rulesEngine } from './rules-engine.ts'
import { rulesHarness } from './rules-harness.ts'
import { rulesInterpreter } from './rules-interpreter.ts'
import type {
  PositionText,
  RulesModules,
  RulesReply,
  RulesRequest,
  ViewText,
} from './rules-messages.ts'
import { rulesWorker } from './rules-worker.ts'
import { WorkerPool, workerText } from './worker-pool.ts'
import type { Exchange } from './worker-pool.ts'

/** Two, so that one that hangs does not stop all games; not many, because each holds an engine. */
const MAX_WORKERS = Math.min(4, Math.max(2, availableParallelism()))
/** The heap beside the engine's own memory: texts of bundles and positions. */
const WORKER_MEMORY_MB = 128
/** All fuel takes up to 3 s where the machine is busy; this ends what takes no fuel. */
const CALL_LIMIT_MS = 10_000
/** A long replay lets others in between. */
const REPLAY_SLICE_MS = 200
/** One page of views: an answer that every port can carry. */
const MAX_PAGE_CHARS = 1024 * 1024
/** Nobody's state, options or action is so large, because no position may be. */
const MAX_INPUT_CHARS = 1024 * 1024

/** In the order in which the worker's body takes them. */
const PARTS = [rulesHarness, rulesEngine, rulesInterpreter, rulesAnswers]

type Work<Request> = Request extends unknown ? Omit<Request, 'bundle'> : never

export class RulesPool {
  readonly #pool: WorkerPool<RulesRequest, RulesReply>
  readonly #callLimitMs: number

  constructor(options: { size?: number; callLimitMs?: number; idleMs?: number } = {}) {
    this.#callLimitMs = options.callLimitMs ?? CALL_LIMIT_MS
    this.#pool = new WorkerPool({
      size: options.size ?? MAX_WORKERS,
      memoryMb: WORKER_MEMORY_MB,
      text: () => workerText(rulesWorker, ['quickjs-emscripten'], PARTS),
      ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
    })
  }

  /** How many threads there are now. */
  get threads(): number {
    return this.#pool.threads
  }

  /**
   * @param owner  whose turn it is to wait when there is much to do, such as the system's key;
   *   without it, the bundle's hash
   */
  runner(bundle: RulesBundle, owner: string = bundle.hash): RulesRunner {
    const { hash } = bundle
    const text = runnableText(bundle)
    const ask = async (work: Work<RulesRequest>): Promise<RulesReply | RulesUnavailable> => {
      if (text === null) {
        return unavailable('they are made for another version of Dharma; an update may help', true)
      }
      const chars = sizeOf(work)
      if (chars > MAX_INPUT_CHARS)
        return unavailable('what they are asked about is too large', true)
      const exchange = await this.#pool.run({
        request: { ...work, bundle: hash } as RulesRequest,
        owner,
        limitMs: this.#callLimitMs,
        material: { key: hash, text },
        chars,
      })
      return replyOf(exchange)
    }
    return {
      hash,
      start: (question) => start(ask, question),
      play: (question) => play(ask, question),
      view: (question) => view(ask, question),
      replay: (question) => replay(ask, question),
    }
  }

  /** Does the module, with these files, export the rules' functions? Or which file does it lack? */
  async link(
    modules: RulesModules,
    owner = 'link',
  ): Promise<RulesAnswer<{ missing: string | null }>> {
    const reply = replyOf(
      await this.#pool.run({
        request: { kind: 'link', ...modules, limits: RULES_LIMITS },
        owner,
        limitMs: this.#callLimitMs,
        chars: Object.values(modules.modules).reduce((sum, source) => sum + source.length, 0),
      }),
    )
    if (reply.kind === 'linked') return { kind: 'ok', missing: null }
    return reply.kind === 'missing' ? { kind: 'ok', missing: reply.path } : faultOf(reply)
  }

  close(): Promise<void> {
    return this.#pool.close()
  }
}

type Ask = (work: Work<RulesRequest>) => Promise<RulesReply | RulesUnavailable>

function unavailable(reason: string, lasting: boolean): RulesUnavailable {
  return { kind: 'unavailable', reason, lasting }
}

/** Of another engine, or under other limits, it would decide otherwise; so we do not decide. */
function runnableText({ bytes }: RulesBundle): string | null {
  const found = contentOf(bytes)
  if (found === null || found.content.engine !== RULES_ENGINE) return null
  const { limits } = found.content
  const ours = Object.entries(RULES_LIMITS)
  if (Object.keys(limits).length !== ours.length) return null
  return ours.every(([name, limit]) => limits[name] === limit) ? found.text : null
}

function sizeOf(work: Work<RulesRequest>): number {
  const parts = Object.values(work).flatMap((part) => part)
  return parts.reduce<number>((sum, part) => sum + (typeof part === 'string' ? part.length : 0), 0)
}

function replyOf(exchange: Exchange<RulesReply>): RulesReply | RulesUnavailable {
  return exchange.kind === 'reply' ? exchange.reply : unavailable(exchange.reason, false)
}

function viewerText(viewer: Viewer): string {
  return JSON.stringify(viewer)
}

/** What is neither an answer nor `illegal`. */
function faultOf(reply: RulesReply | RulesUnavailable): RulesFailure | RulesUnavailable {
  if (reply.kind === 'failed' || reply.kind === 'unavailable') return reply
  if (reply.kind === 'limit') return unavailable(reply.reason, true)
  return unavailable(`their worker answered "${reply.kind}"`, false)
}

function viewOf(reply: ViewText | RulesReply | RulesUnavailable): ViewAnswer {
  if (reply.kind !== 'view') return faultOf(reply)
  return { kind: 'ok', view: JSON.parse(reply.view) as Json }
}

/** The worker has seen to it that they make sense. */
function positionOf({ state, outcome, legal }: PositionText): RulesPosition {
  return {
    state: JSON.parse(state) as Json,
    outcome: outcomeSchema.nullable().parse(JSON.parse(outcome)),
    legal: JSON.parse(legal) as Json[][],
  }
}

function settled(reply: RulesReply | RulesUnavailable): StartAnswer {
  if (reply.kind !== 'position') return faultOf(reply)
  return { kind: 'ok', ...positionOf(reply.position), view: viewOf(reply.view) }
}

/** The text of a value that rules may be asked about; null if no position is so deep. */
function textOf(value: Json): string | null {
  return isDeeperThan(value, RULES_LIMITS.outputDepth) ? null : JSON.stringify(value)
}

/** Null if it can't be legal, because no list of legal actions may hold it. */
function moveText(seat: number, action: Json): string | null {
  const text = textOf(action)
  return text === null || text.length > RULES_LIMITS.outputChars ? null : `[${seat},${text}]`
}

const TOO_DEEP = unavailable('what they are asked about is nested too deeply', true)

async function view(ask: Ask, question: { state: Json; viewer: Viewer }): Promise<ViewAnswer> {
  const state = textOf(question.state)
  if (state === null) return TOO_DEEP
  return viewOf(await ask({ kind: 'view', state, viewer: viewerText(question.viewer) }))
}

async function start(ask: Ask, question: StartQuestion): Promise<StartAnswer> {
  const { seed, options, seats, viewer } = question
  if (textOf(options) === null) return TOO_DEEP
  const begin = JSON.stringify([seed, options])
  return settled(await ask({ kind: 'start', begin, seats, viewer: viewerText(viewer) }))
}

async function play(ask: Ask, question: PlayQuestion): Promise<PlayAnswer> {
  const { seats, viewer } = question
  const state = textOf(question.state)
  const move = moveText(question.seat, question.action)
  if (move === null) return { kind: 'illegal' }
  if (state === null) return TOO_DEEP
  const reply = await ask({ kind: 'play', state, move, seats, viewer: viewerText(viewer) })
  return reply.kind === 'illegal' ? { kind: 'illegal' } : settled(reply)
}

/** Slice by slice, so that a long one is fair to others and bounded in what it holds. */
async function replay(ask: Ask, question: ReplayQuestion): Promise<ReplayAnswer> {
  const { seed, options, seats, viewer, actions } = question
  const { fromPly, count } = question.views ?? { fromPly: 0, count: 0 }
  if (textOf(options) === null) return TOO_DEEP
  const views: { ply: number; view: ViewAnswer }[] = []
  let position: PositionText | null = null
  let ply = 0
  let pageChars = 0
  while (position === null || ply < actions.length) {
    const isFirst: boolean = position === null
    const moves: string[] = nextMoves(actions, ply)
    if (moves.length === 0 && ply < actions.length && !isFirst) return { kind: 'illegal', ply }
    const from: number = Math.max(0, fromPly + views.length - ply)
    const reply: RulesReply | RulesUnavailable = await ask({
      kind: 'replay',
      begin: isFirst ? JSON.stringify([seed, options]) : null,
      state: position?.state ?? '',
      moves,
      seats,
      viewer: viewerText(viewer),
      fromPly: from,
      toPly: pageChars < MAX_PAGE_CHARS ? Math.max(from, fromPly + count - ply) : from,
      viewChars: MAX_PAGE_CHARS - pageChars,
      sliceMs: REPLAY_SLICE_MS,
    })
    if (reply.kind !== 'replayed') return faultOf(reply)
    for (const view of reply.views) {
      views.push({ ply: fromPly + views.length, view: viewOf(view) })
      pageChars += view.kind === 'view' ? view.view.length : 0
    }
    ply += reply.played
    if (reply.end?.kind === 'illegal') return { kind: 'illegal', ply }
    if (reply.end !== null) return faultOf(reply.end)
    position = reply.position ?? position
    if (position === null) return unavailable('their worker gave no position', false)
  }
  const nextPly = fromPly + views.length
  return {
    kind: 'ok',
    position: positionOf(position),
    views,
    nextPly: views.length > 0 && nextPly <= actions.length ? nextPly : null,
  }
}

/** As many actions as one request may hold, up to one that can't be legal; at least one. */
function nextMoves(actions: ReplayQuestion['actions'], ply: number): string[] {
  const moves: string[] = []
  let chars = 0
  for (let index = ply; index < actions.length; index++) {
    const { seat, action } = actions[index] ?? { seat: 0, action: null }
    const move = moveText(seat, action)
    if (move === null) break
    chars += move.length
    if (moves.length > 0 && chars > MAX_INPUT_CHARS / 4) break
    moves.push(move)
  }
  return moves
}
