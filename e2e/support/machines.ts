// Real machines for the stories: a local DHT, daemons and desktop apps, each a process of its own.
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import * as z from 'zod'

const DHARMA = path.resolve(import.meta.dirname, '../../dist/node-runtime/dharma.js')
const READY_TIMEOUT_MS = 60_000

const readySchema = z.object({
  event: z.literal('ready'),
  machine: z.string(),
  cloud: z.string(),
  url: z.string(),
  pid: z.number(),
})
const testnetSchema = z.object({ event: z.literal('ready'), bootstrap: z.array(z.string()) })

/** Starts the command line and gives the first line it prints. */
async function startDharma<T>(
  args: readonly string[],
  schema: z.ZodType<T>,
): Promise<{ child: ChildProcess; ready: T }> {
  const child = spawn(process.execPath, [DHARMA, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const timer = setTimeout(() => child.kill('SIGKILL'), READY_TIMEOUT_MS)
  try {
    const first = await Promise.race([
      once(lines, 'line').then(([line]) => String(line)),
      once(child, 'exit').then(([code]) => {
        throw new Error(`dharma ${args.join(' ')} ended with ${code} before it was ready`)
      }),
    ])
    return { child, ready: schema.parse(JSON.parse(first)) }
  } finally {
    clearTimeout(timer)
  }
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

/** A call on the running machine of a folder, by the command line. Throws what it says of an error. */
export async function callMachine(dataDir: string, call: string, input: unknown): Promise<unknown> {
  const args = [DHARMA, 'call', call, JSON.stringify(input), '--data', dataDir]
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    maxBuffer: 16 * 1024 * 1024,
  })
  return JSON.parse(stdout)
}

export interface Daemon {
  machine: string
  cloud: string
  url: string
  dataDir: string
  /** No file of the machine grows larger from now on, as on a full disk; null: they do again. */
  limitFiles(sizeBytes: number | null): Promise<void>
  pid: number
  call(name: string, input: unknown): Promise<unknown>
  /** `kill -9`. The folder stays. */
  kill(): Promise<void>
  close(): Promise<void>
}

export class LocalCloud {
  readonly bootstrap: readonly string[]
  readonly #testnet: ChildProcess
  readonly #daemons: Daemon[] = []
  readonly #folders: string[] = []

  private constructor(testnet: ChildProcess, bootstrap: readonly string[]) {
    this.#testnet = testnet
    this.bootstrap = bootstrap
  }

  static async create(): Promise<LocalCloud> {
    const { child, ready } = await startDharma(['testnet', '--json'], testnetSchema)
    return new LocalCloud(child, ready.bootstrap)
  }

  /** A folder that is deleted at the end. */
  async makeFolder(): Promise<string> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'dharma-e2e-'))
    this.#folders.push(folder)
    return folder
  }

  /** Starts a headless machine; without `cloud` it originates one or reopens the folder's own. */
  async startDaemon(options: { cloud?: string; dataDir?: string } = {}): Promise<Daemon> {
    const dataDir = options.dataDir ?? (await this.makeFolder())
    const { child, ready } = await startDharma(
      [
        'up',
        '--json',
        '--data',
        dataDir,
        '--bootstrap',
        this.bootstrap.join(','),
        ...(options.cloud === undefined ? [] : ['--cloud', options.cloud]),
      ],
      readySchema,
    )
    const daemon: Daemon = {
      machine: ready.machine,
      cloud: ready.cloud,
      url: ready.url,
      dataDir,
      limitFiles: async (sizeBytes) => {
        const limit = `--fsize=${sizeBytes ?? 'unlimited'}:`
        await promisify(execFile)('prlimit', ['--pid', String(ready.pid), limit])
      },
      pid: ready.pid,
      call: (name, input) => callMachine(dataDir, name, input),
      kill: () => end(child, 'SIGKILL'),
      close: () => end(child, 'SIGTERM'),
    }
    this.#daemons.push(daemon)
    return daemon
  }

  async closeMachines(): Promise<void> {
    await Promise.all(this.#daemons.map((daemon) => daemon.close()))
  }

  async close(): Promise<void> {
    await this.closeMachines()
    await end(this.#testnet, 'SIGTERM')
    await Promise.all(this.#folders.map((folder) => rm(folder, { recursive: true, force: true })))
  }
}
