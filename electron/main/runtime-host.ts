// The runtime's process, as the main process sees it: started, given ports, started again when it
// dies, closed in the end.
import { MessageChannelMain, safeStorage, utilityProcess } from 'electron'
import type { MessagePortMain, UtilityProcess } from 'electron'
import { CloudError } from '../../node-runtime/contract/errors.ts'
import { contract } from '../../node-runtime/contract/index.ts'
import { connect } from '../../node-runtime/rpc/client.ts'
import type { Client } from '../../node-runtime/rpc/client.ts'
import { answerSecret } from './key-store.ts'
import { RestartLimit } from './restart-limit.ts'
import type {
  FromRuntime,
  PortOwner,
  StartOptions,
  ToRuntime,
} from '../runtime-process/messages.ts'

/** After this long, a runtime that was told to close is ended. */
const CLOSE_TIMEOUT_MS = 8_000

export interface RuntimeHostOptions {
  /** The bundled `electron/runtime-process`. */
  program: string
  start: StartOptions
  /** The runtime could not start, or dies again and again. Nothing more happens by itself. */
  onFailure: (error: CloudError) => void
}

/** One run of the process. */
interface Run {
  child: UtilityProcess
  ready: Promise<void>
  exited: Promise<void>
  client: Client | null
}

/** Keeps one runtime running. */
export class RuntimeHost {
  readonly #options: RuntimeHostOptions
  #run: Run
  readonly #restarts = new RestartLimit()
  readonly #readyListeners = new Set<() => void>()
  #closing: Promise<void> | null = null

  constructor(options: RuntimeHostOptions) {
    this.#options = options
    this.#run = this.#launch()
  }

  /**
   * A new port of the runtime, once it is ready.
   * @throws CloudError when this run of the runtime ends before that
   */
  async openPort(owner: PortOwner): Promise<MessagePortMain> {
    const { child, ready } = this.#run
    await ready
    const { port1, port2 } = new MessageChannelMain()
    this.#post(child, { type: 'port', owner }, [port1])
    return port2
  }

  /** The main process's own client, in the owner's name. */
  async client(): Promise<Client> {
    const run = this.#run
    if (run.client !== null) return run.client
    const port = await this.openPort({ kind: 'owner' })
    if (run.client === null) {
      run.client = connect(contract, port)
      port.start()
    } else {
      port.close()
    }
    return run.client
  }

  /** Calls `listener` whenever a run of the runtime has become ready; returns how to stop that. */
  onReady(listener: () => void): () => void {
    this.#readyListeners.add(listener)
    return () => this.#readyListeners.delete(listener)
  }

  /** Tries again after `onFailure`. */
  restart(): void {
    this.#restarts.reset()
    this.#run = this.#launch()
  }

  /** Tells the runtime that this computer has woken from sleep. */
  awake(): void {
    const { child } = this.#run
    if (child.pid !== undefined) this.#post(child, { type: 'awake' })
  }

  /** Lets the runtime end in good order, but not for ever. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { child, exited } = this.#run
    if (child.pid === undefined) return
    const timer = setTimeout(() => child.kill(), CLOSE_TIMEOUT_MS)
    this.#post(child, { type: 'close' })
    await exited
    clearTimeout(timer)
  }

  #post(child: UtilityProcess, message: ToRuntime, ports: MessagePortMain[] = []): void {
    child.postMessage(message, ports)
  }

  #launch(): Run {
    const { program, start, onFailure } = this.#options
    const child = utilityProcess.fork(program, [], {
      serviceName: 'Dharma runtime',
      stdio: 'inherit',
    })
    let failed = false
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    const ready = new Promise<void>((resolve, reject) => {
      child.on('message', (message: FromRuntime) => {
        if (message.type === 'ready') {
          resolve()
          for (const listener of this.#readyListeners) listener()
        }
        if (message.type === 'closed') child.kill()
        if (message.type === 'secret') {
          const { id, ask, text } = message
          this.#post(child, { type: 'secret', id, text: answerSecret(safeStorage, ask, text) })
        }
        if (message.type === 'failed') {
          const { code, message: words, details } = message.error
          const error = new CloudError(code, words, details)
          failed = true
          reject(error)
          child.kill()
          onFailure(error)
        }
      })
      child.once('exit', () => {
        reject(new CloudError('UNAVAILABLE', 'The runtime of this machine has stopped.'))
      })
    })
    // Whoever waits for it is told; nobody may be waiting.
    ready.catch(() => undefined)
    child.once('exit', (code) => {
      if (!failed && this.#closing === null) this.#died(code)
    })
    this.#post(child, { type: 'start', options: start })
    return { child, ready, exited, client: null }
  }

  #died(code: number): void {
    console.error(`The runtime of this machine stopped unexpectedly (${code}); starting it again.`)
    if (this.#restarts.died(performance.now())) {
      this.#run = this.#launch()
      return
    }
    this.#options.onFailure(
      new CloudError('INTERNAL', 'The runtime of this machine keeps stopping. Its log says why.'),
    )
  }
}
