// Where mutation testing runs its tests: in one thread for many mutants. Loading what tests import takes
// longer than most tests, and the mutants of a file are all in it, switched on one at a time; only those
// that act while a file is loaded (Stryker calls them static) need a thread of their own.
import { ThreadsPoolWorker } from 'vitest/node'

/** Then a new thread, for what each run leaves behind in it. */
const MOST_RUNS = 40

/** The thread that waits for the next run. */
let idle = null

class KeptThread extends ThreadsPoolWorker {
  name = 'kept-thread'
  /** Whether this run may share its thread. */
  #shares
  #runs = 0
  #endsWell = false
  #listeners = []

  constructor(options) {
    super(options)
    const { mode, mutantActivation } = options.project.getProvidedContext()
    this.#shares = mode === 'mutant' && mutantActivation === 'runtime'
  }

  on(event, callback) {
    this.#listeners.push({ event, callback })
    super.on(event, callback)
  }

  async start() {
    if (this.#shares && idle !== null) {
      this._thread = idle.thread
      this.#runs = idle.runs
      idle = null
    }
    await super.start()
  }

  send(message) {
    if (message?.type !== 'stop' || !this.#shares) return super.send(message)
    // The thread itself is not told.
    this.#endsWell = true
    this.thread.emit('message', { type: 'stopped', __vitest_worker_response__: true })
  }

  async stop() {
    if (!this.#endsWell || this.#runs === MOST_RUNS) return super.stop()
    const { thread } = this
    for (const { event, callback } of this.#listeners) thread.off(event, callback)
    thread.stdout.unpipe(this.stdout)
    thread.stderr.unpipe(this.stderr)
    this._thread = undefined
    idle = { thread, runs: this.#runs + 1 }
  }
}

/** A plugin, since the runner of Stryker asks for threads in a way that no configuration overrules. */
export function keepThreads() {
  return {
    name: 'keep-threads',
    configureVitest({ project }) {
      project.config.pool = 'kept-thread'
      project.config.poolRunner = {
        name: 'kept-thread',
        createPoolWorker: (options) => new KeptThread(options),
      }
    },
  }
}
