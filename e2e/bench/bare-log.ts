// What puts are held against: Hypercore alone, and the disk alone, in a process of their own.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import * as z from 'zod'
import { within } from './patience.ts'

const SCRIPT = path.join(import.meta.dirname, 'peers', 'hypercore-appends.mjs')
const timesSchema = z.object({ timesMs: z.array(z.number()) })

export interface BareLog {
  /** How long each of so many appends of `batch` blocks took, each on the disk, in ms. */
  append(count: number, batch: number, bytes: number): Promise<number[]>
  /** How long each of so many writes to a plain file took, one every so many ms, each on the disk; in ms. */
  sync(count: number, bytes: number, everyMs: number): Promise<number[]>
  close(): Promise<void>
}

/** @param folder  an empty one */
export async function startBareLog(folder: string): Promise<BareLog> {
  const child = fork(SCRIPT, [folder], { execArgv: [] })
  const exited = once(child, 'exit')
  const ended = exited.then(() => {
    throw new Error('the bare log ended')
  })
  ended.catch(() => undefined)
  const ask = async (question: object): Promise<number[]> => {
    const answered = once(child, 'message')
    child.send(question)
    const [message] = (await within(
      Promise.race([answered, ended]),
      'the bare log answers',
    )) as unknown[]
    return timesSchema.parse(message).timesMs
  }
  await within(Promise.race([once(child, 'message'), ended]), 'the bare log is open')
  return {
    append: (appends, batch, bytes) => ask({ appends, batch, bytes }),
    sync: (syncs, bytes, everyMs) => ask({ syncs, bytes, everyMs }),
    async close() {
      child.disconnect()
      await exited
    },
  }
}
