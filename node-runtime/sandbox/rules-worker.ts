// Runs rules modules in QuickJS, in a worker thread: fuel and memory limits inside, and a thread that
// can be ended from outside, because some built-ins (a hostile regular expression) take no fuel.
import type { Run, rulesAnswers } from './rules-answers.ts'
import type { Engine, rulesEngine } from './rules-engine.ts'
import type { rulesHarness } from './rules-harness.ts'
import type { Interpreter, rulesInterpreter } from './rules-interpreter.ts'
import type { RulesLimits, RulesModules, RulesReply, RulesRequest } from './rules-messages.ts'
import type { WorkerBody } from './worker-shell.ts'

/** The whole of the worker's body; it uses nothing from outside itself. */
export async function rulesWorker(
  quickjs: typeof import('quickjs-emscripten'),
  newHarness: typeof rulesHarness,
  newEngines: typeof rulesEngine,
  newInterpreters: typeof rulesInterpreter,
  newAnswers: typeof rulesAnswers,
): Promise<WorkerBody<RulesRequest, RulesReply>> {
  const harness = newHarness()
  const { newEngine, isFit } = newEngines(quickjs)
  const { newInterpreter } = newInterpreters(harness)
  const { answer } = newAnswers(harness)

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
    if (isFit(used)) return
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
