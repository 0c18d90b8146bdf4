// An interpreter with rules in it, inside an engine: modules are loaded into it, questions are put to it as
// modules too, and their answers are texts within the limits.
import type { Engine } from './rules-engine.ts'
import type { RulesHarness } from './rules-harness.ts'
import type { RulesFault, RulesLimits, RulesModules } from './rules-messages.ts'

export interface Call {
  /** Evaluates a module; the named exports, which are texts. */
  ask<Names extends string>(
    source: string,
    names: readonly Names[],
  ): { kind: 'texts'; texts: Record<Names, string> } | RulesFault
  readonly missing: string | null
}

/** An interpreter with the rules in it, for one piece of work: nothing that they keep survives it. */
export interface Interpreter {
  call: Call
  /** Did its modules load, and in no time? */
  quick: boolean
  dispose(): void
}

/** A part of the worker's text; it uses nothing from outside itself. */
export function rulesInterpreter(harness: RulesHarness) {
  const MAX_REASON_CHARS = 500
  /** Rules that load slower are loaded when they are asked, in the time of who asks. */
  const MAX_SPARE_LOAD_MS = 5

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

  return { newInterpreter }
}
