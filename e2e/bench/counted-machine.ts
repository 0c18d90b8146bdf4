// A headless machine in a process of its own that tells how many bytes it has sent.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { createInterface } from 'node:readline'
import * as z from 'zod'
import { within } from './patience.ts'

const DHARMA = path.resolve(import.meta.dirname, '../../dist/node-runtime/dharma.js')
const COUNTER = pathToFileURL(path.join(import.meta.dirname, 'peers', 'count-upload.mjs')).href

const readySchema = z.object({
  event: z.literal('ready'),
  cloud: z.string(),
  machine: z.string(),
  pid: z.number(),
})
const countSchema = z.object({ sentBytes: z.number().positive() })

export interface CountedMachine {
  cloud: string
  machine: string
  pid: number
  dataDir: string
  /** Bytes of UDP payload that the machine has sent since it started, to whomever. */
  sentBytes(): Promise<number>
  /** `kill -9`. */
  kill(): Promise<void>
  close(): Promise<void>
}

/** Starts `dharma up` on that folder; without `cloud` it originates one. */
export async function startCountedMachine(options: {
  dataDir: string
  bootstrap: readonly string[]
  cloud?: string
}): Promise<CountedMachine> {
  const { dataDir, bootstrap, cloud } = options
  const child = fork(
    DHARMA,
    [
      ...['up', '--json', '--data', dataDir, '--bootstrap', bootstrap.join(',')],
      ...(cloud === undefined ? [] : ['--cloud', cloud]),
    ],
    { execArgv: ['--import', COUNTER], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
  )
  const exited = once(child, 'exit')
  const close = async (): Promise<void> => {
    child.kill('SIGTERM')
    await exited
  }
  try {
    if (child.stdout === null) throw new Error('the machine has no output')
    const line = once(createInterface({ input: child.stdout }), 'line')
    const [text] = await within(Promise.race([line, exited]), 'a machine is ready')
    const ready = readySchema.parse(JSON.parse(String(text)))
    return {
      cloud: ready.cloud,
      machine: ready.machine,
      pid: ready.pid,
      dataDir,
      async sentBytes() {
        const answered = once(child, 'message')
        child.send('count')
        const [message] = await within(answered, 'a machine tells what it has sent')
        return countSchema.parse(message).sentBytes
      },
      async kill() {
        child.kill('SIGKILL')
        await exited
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
