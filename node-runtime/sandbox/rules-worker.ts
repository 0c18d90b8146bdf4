// Runs rules modules in QuickJS, in a worker thread: fuel and memory limits inside, and a thread that
// can be ended from outside, because some built-ins (a hostile regular expression) take no fuel.
import type { rulesHarness } from './rules-harness.ts'
import type { WorkerBody } from './worker-shell.ts'

/** Limits of one call. The same on all machines, so that all agree on what is undecided. */
export interface RulesLimits {
  /** All memory of the interpreter, itself included; whole pages of 64 KiB. */
  memoryBytes: number
  stackBytes: number
  /** How often the interpreter may ask whether to go on; it asks every 10,000 steps. */
  interrupts: number
  /** State, outcome and legal actions as JSON text; and, on its own, a view. */
  outputChars: number
  /** How deep positions and views may be nested. */
  outputDepth: number
}

/** A module and those it imports, by path in the repository, without types. */
export interface RulesModules {
  entry: string
  modules: Record<string, string>
}

/** Arguments are JSON text, so that nothing but JSON crosses. `bundle` is the key of the material. */
export type RulesRequest =
  /** Does the module with its imports export the rules' functions? */
  | ({ kind: 'link'; limits: RulesLimits } & RulesModules)
  | { kind: 'start'; bundle: string; begin: string; seats: number; viewer: string }
  | { kind: 'play'; bundle: string; state: string; move: string; seats: number; viewer: string }
  | { kind: 'view'; bundle: string; state: string; viewer: string }
  /** Plays on from a state, or from the start, until `sliceMs` are over. */
  | {
      kind: 'replay'
      bundle: string
      /** [seed, options]; null to go on from `state`. */
      begin: string | null
      state: string
      /** [seat, action] as text, in order. */
      moves: string[]
      seats: number
      viewer: string
      /** The views wanted, counted from the state before the first of `moves` as 0. */
      fromPly: number
      toPly: number
      viewChars: number
      sliceMs: number
    }

/** Made of JSON texts. */
export interface PositionText {
  state: string
  outcome: string
  legal: string
}

export type RulesFault =
  | { kind: 'failed'; reason: string }
  /** A limit was exceeded. */
  | { kind: 'limit'; reason: string }

export type ViewText = { kind: 'view'; view: string } | RulesFault

export type RulesReply =
  | { kind: 'linked' }
  | { kind: 'missing'; path: string }
  | { kind: 'position'; position: PositionText; view: ViewText }
  | ViewText
  | { kind: 'illegal' }
  | {
      kind: 'replayed'
      /** How many of the moves are played; less than all when the time was over. */
      played: number
      position: PositionText | null
      views: ViewText[]
      /** Set when the move after those played was not legal, or when it went wrong there. */
      end: { kind: 'illegal' } | RulesFault | null
    }

/** The whole of the worker's body; it uses nothing from outside itself. */
export async function rulesWorker(
  quickjs: typeof import('quickjs-emscripten'),
  newHarness: typeof rulesHarness,
): Promise<WorkerBody<RulesRequest, RulesReply>> {
  const PAGE_BYTES = 65_536
  /** What the engine's module asks for at its start. */
  const FIRST_PAGES = 256
  /** An engine that has grown so far is replaced. */
  const SPENT_BYTES = 32 * 1024 * 1024
  const MAX_REASON_CHARS = 500
  /** Rules that load slower are loaded when they are asked, in the time of who asks. */
  const MAX_SPARE_LOAD_MS = 5
  /** As the contract has it. */
  const MAX_OUTCOME_REASON_CHARS = 200
  const harness = newHarness()

  interface Engine {
    module: import('quickjs-emscripten').QuickJSWASMModule
    memory: WebAssembly.Memory
    /** Did it ask for memory in vain? Rules may hide that from us, and differ by machine. */
    starved: boolean
    /** Is it to be replaced? Its memory never shrinks. */
    spent: boolean
    /** It has given up: nothing more can be done with it, and nothing needs to be tidied up in it. */
    dead: boolean
  }

  // The engine's own limit counts how many pieces of memory there are, not how large they are.
  const newEngine = async (memoryBytes: number): Promise<Engine> => {
    const memory = new WebAssembly.Memory({
      initial: FIRST_PAGES,
      maximum: memoryBytes / PAGE_BYTES,
    })
    const variant = quickjs.newVariant(quickjs.RELEASE_SYNC, { wasmMemory: memory })
    const module = await quickjs.newQuickJSWASMModuleFromVariant(variant)
    const engine = { module, memory, starved: false, spent: false, dead: false }
    const grow = memory.grow.bind(memory)
    memory.grow = (pages) => {
      try {
        return grow(pages)
      } catch (error) {
        engine.starved = true
        engine.spent = true
        throw error
      }
    }
    return engine
  }

  /** The path that an import means; only files of the same repository have one. */
  const resolve = (importer: string, name: string): string => {
    if (importer.startsWith('dharma:')) return name
    if (!/^\.{1,2}\//.test(name)) throw new Error(`"${name}" is not a relative import`)
    const parts = importer.split('/').slice(0, -1)
    for (const part of name.split('/')) {
      if (part === '..' && parts.length <= 1) throw new Error(`"${name}" is outside the repository`)
      if (part === '..') parts.pop()
      else if (part !== '.') parts.push(part)
    }
    return parts.join('/')
  }

  const isTooDeep = (json: string, limit: number): boolean => {
    let depth = 0
    let inText = false
    for (let i = 0; i < json.length; i++) {
      const code = json.charCodeAt(i)
      if (inText) {
        if (code === 0x5c) i++
        else if (code === 0x22) inText = false
      } else if (code === 0x22) inText = true
      else if (code === 0x5b || code === 0x7b) {
        if (++depth > limit) return true
      } else if (code === 0x5d || code === 0x7d) depth--
    }
    return false
  }

  interface Call {
    /** Evaluates a module; the named exports, which are texts. */
    ask<Names extends string>(
      source: string,
      names: readonly Names[],
    ): { kind: 'texts'; texts: Record<Names, string> } | RulesFault
    readonly missing: string | null
  }

  /** An interpreter with the rules in it, for one piece of work: nothing that they keep survives it. */
  interface Interpreter {
    call: Call
    /** Did its modules load, and in no time? */
    quick: boolean
    dispose(): void
  }

  const newInterpreter = (
    engine: Engine,
    { entry, modules }: RulesModules,
    limits: RulesLimits,
  ): Interpreter => {
    let asked = 0
    let missing: string | null = null
    engine.starved = false
    const runtime = engine.module.newRuntime()
    runtime.setMaxStackSize(limits.stackBytes)
    runtime.setInterruptHandler(() => ++asked > limits.interrupts)
    runtime.setModuleLoader(
      (path) => {
        if (path === 'dharma:prelude') return harness.prelude
        const source = Object.hasOwn(modules, path.slice(1)) ? modules[path.slice(1)] : undefined
        if (source !== undefined) return source
        missing = path.slice(1)
        return { error: new Error(`there is no file ${missing}`) }
      },
      (importer, name) => {
        try {
          return resolve(importer, name)
        } catch (error) {
          return { error: error as Error }
        }
      },
    )
    const context = runtime.newContext()
    type Handle = import('quickjs-emscripten').QuickJSHandle
    const textAt = (thrown: Handle, key: string): string | null => {
      const value = context.getProp(thrown, key)
      const text = context.typeof(value) === 'string' ? context.getString(value) : null
      value.dispose()
      return text
    }
    /** Of what was thrown only texts are looked at: to copy it could take for ever, or break the engine. */
    const faultOf = (thrown: Handle): RulesFault => {
      const type = context.typeof(thrown)
      const isObject = type === 'object' || type === 'function'
      const name = (isObject ? textAt(thrown, 'name') : null) ?? 'Error'
      const text = type === 'string' ? context.getString(thrown) : null
      const message =
        (isObject ? textAt(thrown, 'message') : text) ?? `something of the type ${type}`
      if (asked > limits.interrupts) return { kind: 'limit', reason: 'they took too long' }
      // There may be too little left to make an error of.
      if (engine.starved) return { kind: 'limit', reason: 'they had no memory left' }
      const reason = `${name}: ${message}`.slice(0, MAX_REASON_CHARS)
      return { kind: name === 'InternalError' ? 'limit' : 'failed', reason }
    }
    let count = 0
    /** What lies very deep breaks the engine when it is freed; what was found out stands. */
    const discard = (value: { dispose(): void }): void => {
      try {
        value.dispose()
      } catch {
        engine.dead = true
      }
    }
    type Texts<Names extends string> = { kind: 'texts'; texts: Record<Names, string> } | RulesFault
    const evaluateOrThrow = <Names extends string>(
      source: string,
      names: readonly Names[],
    ): Texts<Names> => {
      const file = `dharma:call-${count++}`
      const result = context.evalCode(`${harness.header(entry)}\n${source}`, file, {
        type: 'module',
      })
      if (result.error !== undefined) {
        const fault = faultOf(result.error)
        discard(result.error)
        return fault
      }
      const texts: Record<string, string> = {}
      for (const name of names) {
        const handle = context.getProp(result.value, name)
        if (context.typeof(handle) === 'string') texts[name] = context.getString(handle)
        handle.dispose()
      }
      result.value.dispose()
      if (engine.starved) return { kind: 'limit', reason: 'they had no memory left' }
      const all = names.map((name) => texts[name])
      if (all.includes(undefined)) return { kind: 'failed', reason: 'they gave back no position' }
      const chars = all.reduce((sum, text) => sum + (text?.length ?? 0), 0)
      if (chars > limits.outputChars) {
        return { kind: 'limit', reason: 'a position takes too much room' }
      }
      if (all.some((text) => isTooDeep(text ?? '', limits.outputDepth))) {
        return { kind: 'limit', reason: 'a position is nested too deeply' }
      }
      return { kind: 'texts', texts }
    }
    const evaluate = <Names extends string>(
      source: string,
      names: readonly Names[],
    ): Texts<Names> => {
      if (!engine.dead) {
        try {
          return evaluateOrThrow(source, names)
        } catch {
          // The engine gave up, or the stack of this thread: on another machine it may go well.
          engine.dead = true
        }
      }
      return { kind: 'limit', reason: 'they broke their interpreter' }
    }
    const loadedFromMs = performance.now()
    const loaded = evaluate('', [])
    const loadMs = performance.now() - loadedFromMs
    let isFirst = true
    return {
      call: {
        get missing() {
          return missing
        },
        ask(source, names) {
          if (loaded.kind !== 'texts') return loaded
          // What loading the modules took counts for the first question.
          if (!isFirst) asked = 0
          isFirst = false
          engine.starved = false
          return evaluate(source, names)
        },
      },
      quick: loaded.kind === 'texts' && loadMs <= MAX_SPARE_LOAD_MS,
      dispose() {
        if (!engine.dead) discard(context)
        if (!engine.dead) discard(runtime)
      },
    }
  }

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

  type Run = <T>(work: (call: Call) => T) => T

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

  interface Parsed extends RulesModules {
    limits: RulesLimits
  }
  const bundles = new Map<string, Parsed>()
  let engine: Engine | null = null
  /** Made when there is time: the next question is mostly about the same rules, and need not wait. */
  let spare: { bundle: Parsed; interpreter: Interpreter } | null = null
  const dropSpare = (): void => {
    spare?.interpreter.dispose()
    spare = null
  }
  /** Puts an interpreter aside for rules that have loaded before in no time, and so will again. */
  const prepare = (used: Engine, bundle: Parsed): void => {
    if (engine !== used || spare !== null) return
    spare = { bundle, interpreter: newInterpreter(used, bundle, bundle.limits) }
    retire(used)
  }
  const retire = (used: Engine): void => {
    const isFit = !used.dead && !used.spent && used.memory.buffer.byteLength <= SPENT_BYTES
    if (isFit) return
    dropSpare()
    engine = null
  }
  return async (request, material) => {
    for (const key of bundles.keys()) if (!material.has(key)) bundles.delete(key)
    let bundle: Parsed | undefined
    if (request.kind === 'link') bundle = request
    else {
      bundle =
        bundles.get(request.bundle) ??
        (JSON.parse(material.get(request.bundle) ?? 'null') as Parsed)
      bundles.set(request.bundle, bundle)
    }
    const { limits } = bundle
    engine ??= await newEngine(limits.memoryBytes)
    const used = engine
    let isQuick = false
    const run: Run = (work) => {
      const prepared = spare?.bundle === bundle ? spare.interpreter : null
      if (prepared === null) dropSpare()
      spare = null
      const interpreter = prepared ?? newInterpreter(used, bundle, limits)
      try {
        return work(interpreter.call)
      } finally {
        isQuick = interpreter.quick
        interpreter.dispose()
      }
    }
    try {
      return answer(request, run, () => used.dead)
    } finally {
      retire(used)
      // After the answer has left.
      if (isQuick && request.kind !== 'link') setImmediate(() => prepare(used, bundle))
    }
  }
}
