// Runs rules modules in QuickJS, in a worker thread: fuel and memory limits inside, and a thread that
// can be ended from outside, because some built-ins (a hostile regular expression) take no fuel.

/** Limits of one call. */
export interface RulesLimits {
  /** All memory of the interpreter, itself included; whole pages of 64 KiB. */
  memoryBytes: number
  stackBytes: number
  /** How often the interpreter may ask whether to go on; it asks every 10,000 steps. */
  interrupts: number
}

export interface RulesWorkerData {
  /** The rules module's path in the repository. */
  entry: string
  /** Its source and that of the modules it imports, by path, without types. */
  files: Record<string, string>
  limits: RulesLimits
}

/** The arguments are JSON text, so that nothing but JSON crosses. */
export type RulesRequest =
  | { id: number; kind: 'addFile'; path: string; source: string }
  | { id: number; kind: 'call'; call: 'load' | 'start' | 'advance' | 'view'; args: string }

export type RulesReply =
  | { id: number; output: string }
  | { id: number; missing: string }
  | { id: number; error: string }

/**
 * The whole of the worker. It is turned into text and started from that, so that it is the same in a
 * bundle and in a test; hence it uses nothing from outside its own body.
 */
export function rulesWorker(
  threads: typeof import('node:worker_threads'),
  quickjs: typeof import('quickjs-emscripten'),
): void {
  const { parentPort, workerData } = threads
  const { entry, files, limits } = workerData as RulesWorkerData
  const PAGE_BYTES = 65_536
  /** What the engine's module asks for at its start. */
  const FIRST_PAGES = 256

  // The engine's own limit counts how many pieces of memory there are, not how large they are.
  const wasmMemory = new WebAssembly.Memory({
    initial: FIRST_PAGES,
    maximum: limits.memoryBytes / PAGE_BYTES,
  })
  const starting = quickjs.newQuickJSWASMModuleFromVariant(
    quickjs.newVariant(quickjs.RELEASE_SYNC, { wasmMemory }),
  )

  const PRELUDE = `
    export const parse = JSON.parse
    export const stringify = JSON.stringify
    Math.random = () => { throw new Error('rules have no chance but the seed') }
    for (const name of ['Date', 'WeakRef', 'FinalizationRegistry', 'performance', 'console']) {
      delete globalThis[name]
    }`
  const main = (call: string, args: string): string => `
    import { parse, stringify } from 'dharma:prelude'
    import * as rules from ${JSON.stringify(`/${entry}`)}
    const settle = (state, seats) => {
      const outcome = rules.outcome(state)
      const legal = []
      for (let seat = 0; seat < seats; seat++) legal.push(outcome === null ? rules.legal(state, seat) : [])
      return { state, outcome, legal }
    }
    const keep = (state) => parse(stringify(state))
    const calls = {
      load() {
        for (const name of ['init', 'legal', 'apply', 'outcome', 'view']) {
          if (typeof rules[name] !== 'function') throw new Error('the module exports no function ' + name)
        }
        return null
      },
      start: (seed, options, seats) => settle(keep(rules.init(seed, options)), seats),
      advance: (state, seat, action, seats) => settle(keep(rules.apply(state, seat, action)), seats),
      view: (state, seat) => rules.view(state, seat),
    }
    export const output = stringify(calls[${JSON.stringify(call)}](...parse(${JSON.stringify(args)})))`

  /** The path that an import means; only files of the same repository have one. */
  const resolve = (importer: string, name: string): string => {
    if (name === 'dharma:prelude' || importer === 'dharma:main') return name
    if (!/^\.{1,2}\//.test(name)) throw new Error(`"${name}" is not a relative import`)
    const parts = importer.split('/').slice(0, -1)
    for (const part of name.split('/')) {
      if (part === '..' && parts.length <= 1) throw new Error(`"${name}" is outside the repository`)
      if (part === '..') parts.pop()
      else if (part !== '.') parts.push(part)
    }
    return parts.join('/')
  }

  /** One call in an interpreter of its own: nothing that the rules keep survives it. */
  const run = (
    engine: import('quickjs-emscripten').QuickJSWASMModule,
    call: string,
    args: string,
  ) => {
    let missing: string | null = null
    let asked = 0
    const runtime = engine.newRuntime()
    runtime.setMaxStackSize(limits.stackBytes)
    runtime.setInterruptHandler(() => ++asked > limits.interrupts)
    runtime.setModuleLoader(
      (path) => {
        if (path === 'dharma:prelude') return PRELUDE
        const source = files[path.slice(1)]
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
    try {
      const result = context.evalCode(main(call, args), 'dharma:main', { type: 'module' })
      if (result.error !== undefined) {
        const thrown: unknown = context.dump(result.error)
        result.error.dispose()
        if (missing !== null) return { missing }
        // There may be too little left to make an error of.
        if (thrown === null) return { error: 'they threw null, or had no memory left' }
        const { name = 'Error', message = String(thrown) } = Object(thrown) as Partial<Error>
        if (name === 'InternalError' && message === 'interrupted') {
          return { error: 'they took too long' }
        }
        return { error: `${name}: ${message}`.slice(0, 500) }
      }
      const exported = result.value
      const handle = context.getProp(exported, 'output')
      const output: unknown = context.typeof(handle) === 'string' ? context.getString(handle) : null
      handle.dispose()
      exported.dispose()
      return typeof output === 'string' ? { output } : { error: 'they gave back no JSON value' }
    } finally {
      context.dispose()
      runtime.dispose()
    }
  }

  parentPort?.on('message', (request: RulesRequest) => {
    if (request.kind === 'addFile') {
      files[request.path] = request.source
      parentPort.postMessage({ id: request.id, output: 'null' })
      return
    }
    void starting.then((engine) => {
      parentPort.postMessage({ id: request.id, ...run(engine, request.call, request.args) })
    })
  })
}
