// What the cloud's numbers are held against: the network's library alone, with nothing on top.
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import path from 'node:path'
import * as z from 'zod'
import { within } from './patience.ts'

const SCRIPT = path.join(import.meta.dirname, 'peers', 'hyperswarm-peer.mjs')

const pingedSchema = z.object({ roundTripsMs: z.array(z.number()) })

export interface BarePeer {
  pid: number
  /** Resolves when it has announced itself. */
  announced: Promise<unknown>
  /** Resolves at its first connection. */
  connected: Promise<unknown>
  /** The round trips of so many messages to its first connection and back, one every so many ms; in ms. */
  ping(count: number, bytes: number, everyMs?: number): Promise<number[]>
  close(): Promise<void>
}

/** 32 random bytes, in hex. */
export function newTopic(): string {
  return randomBytes(32).toString('hex')
}

/** Starts a process that joins `topic`. */
export function startBarePeer(bootstrap: readonly string[], topic: string): BarePeer {
  const child = fork(SCRIPT, [bootstrap.join(','), topic], { execArgv: [] })
  const exited = once(child, 'exit').then(() => undefined)
  function said<T>(what: string, schema: z.ZodType<T>): Promise<T> {
    const promise = new Promise<T>((resolve, reject) => {
      child.on('message', function listen(message) {
        const parsed = schema.safeParse(message)
        if (!parsed.success) return
        child.off('message', listen)
        resolve(parsed.data)
      })
      void exited.then(() => reject(new Error(`the bare peer ended before it was ${what}`)))
    })
    const awaited = within(promise, `the bare peer is ${what}`)
    // Whoever does not wait for it need not know that it ended.
    awaited.catch(() => undefined)
    return awaited
  }
  const { pid } = child
  if (pid === undefined) throw new Error('the bare peer did not start')
  return {
    pid,
    announced: said('announced', z.literal('announced')),
    connected: said('connected', z.literal('connected')),
    async ping(count, bytes, everyMs = 0) {
      const pinged = said('answered', pingedSchema)
      child.send({ ping: count, bytes, everyMs })
      return (await pinged).roundTripsMs
    },
    async close() {
      if (child.connected) child.disconnect()
      await exited
    },
  }
}
