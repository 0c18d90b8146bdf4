// Checks signatures: few of them here and now, many in threads of their own, so that a machine that takes
// in a whole cloud goes on answering.
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { verify } from '../core/keys.ts'
import type { SignatureCheck, Verifier } from '../ports/verifier.ts'

/** 50 µs each: up to here the way to a thread and back takes longer than checking. */
const MOST_INLINE = 16
/** What one thread is given at a time: about 10 ms. */
const SLICE = 256
const IDLE_MS = 10_000
const KEY_BYTES = 32
const SIGNATURE_BYTES = 64

/** Where the parts of a check are, counted from its beginning; the next check follows its message. */
const LAYOUT = { key: 4, signature: 4 + KEY_BYTES, message: 4 + KEY_BYTES + SIGNATURE_BYTES }

/**
 * One slice as one piece of memory: for each check the length of its message, the key, the signature
 * and the message.
 */
interface Request {
  packed: Uint8Array
  count: number
  /** The thread knows nothing of this file. */
  layout: typeof LAYOUT
}

/** Runs in the thread, as text: it can use nothing from outside. */
function workerBody(
  port: {
    on(event: 'message', listener: (request: Request) => void): void
    postMessage(reply: unknown): void
  },
  sodium: { crypto_sign_verify_detached(s: Buffer, m: Buffer, k: Buffer): boolean },
): void {
  port.on('message', ({ packed, count, layout }) => {
    const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
    const slice = (from: number, to: number): Buffer =>
      Buffer.from(packed.buffer, packed.byteOffset + from, to - from)
    const verdicts: boolean[] = []
    let at = 0
    for (let i = 0; i < count; i++) {
      const messageAt = at + layout.message
      const end = messageAt + view.getUint32(at)
      const holds = sodium.crypto_sign_verify_detached(
        slice(at + layout.signature, messageAt),
        slice(messageAt, end),
        slice(at + layout.key, at + layout.signature),
      )
      verdicts.push(holds)
      at = end
    }
    port.postMessage(verdicts)
  })
}

function pack(checks: readonly SignatureCheck[]): Uint8Array<ArrayBuffer> {
  const sizeBytes = checks.reduce((sum, { message }) => sum + LAYOUT.message + message.length, 0)
  const packed = new Uint8Array(sizeBytes)
  const view = new DataView(packed.buffer)
  let at = 0
  for (const { message, publicKey, signature } of checks) {
    view.setUint32(at, message.length)
    packed.set(publicKey, at + LAYOUT.key)
    packed.set(signature, at + LAYOUT.signature)
    packed.set(message, at + LAYOUT.message)
    at += LAYOUT.message + message.length
  }
  return packed
}

interface Job {
  checks: readonly SignatureCheck[]
  resolve: (verdicts: boolean[]) => void
  reject: (error: Error) => void
}

interface Thread {
  worker: Worker
  job: Job | null
  idle: NodeJS.Timeout | null
}

export class VerifyPool implements Verifier {
  readonly #size: number
  readonly #threads = new Set<Thread>()
  #waiting: Job[] = []
  #closed = false

  /** @param size  at most so many threads */
  constructor(size: number) {
    this.#size = size
  }

  async verify(checks: readonly SignatureCheck[]): Promise<boolean[]> {
    const sound = checks.map(
      ({ publicKey, signature }) =>
        publicKey.length === KEY_BYTES && signature.length === SIGNATURE_BYTES,
    )
    if (checks.length <= MOST_INLINE || this.#closed) {
      return checks.map(({ message, signature, publicKey }) =>
        verify(message, signature, publicKey),
      )
    }
    const slices: Promise<boolean[]>[] = []
    const good = checks.filter((_, i) => sound[i])
    for (let from = 0; from < good.length; from += SLICE) {
      slices.push(this.#run(good.slice(from, from + SLICE)))
    }
    const verdicts = (await Promise.all(slices)).flat()
    let next = 0
    return sound.map((isSound) => isSound && verdicts[next++] === true)
  }

  async close(): Promise<void> {
    this.#closed = true
    const stopping = new Error('the machine is stopping')
    for (const { reject } of this.#waiting.splice(0)) reject(stopping)
    await Promise.all(
      [...this.#threads].map(async (thread) => {
        this.#drop(thread, stopping)
        await thread.worker.terminate()
      }),
    )
  }

  #run(checks: readonly SignatureCheck[]): Promise<boolean[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ checks, resolve, reject })
      this.#assign()
    })
  }

  #assign(): void {
    while (this.#waiting.length > 0) {
      const free = [...this.#threads].find(({ job }) => job === null) ?? this.#start()
      if (free === null) return
      const job = this.#waiting.shift()!
      free.job = job
      if (free.idle !== null) clearTimeout(free.idle)
      free.worker.ref()
      const packed = pack(job.checks)
      const request: Request = { packed, count: job.checks.length, layout: LAYOUT }
      free.worker.postMessage(request, [packed.buffer])
    }
  }

  #start(): Thread | null {
    if (this.#threads.size >= this.#size || this.#closed) return null
    const sodium = createRequire(import.meta.url).resolve('sodium-universal')
    // Some build tools wrap functions in a call of `__name`, which the text would lack.
    const text = `const __name = (target) => target;
      (${workerBody.toString()})(require('node:worker_threads').parentPort, require(${JSON.stringify(sodium)}))`
    const worker = new Worker(text, { eval: true })
    const thread: Thread = { worker, job: null, idle: null }
    this.#threads.add(thread)
    worker.on('message', (verdicts: boolean[]) => this.#finish(thread, verdicts))
    worker.on('error', (error) => this.#drop(thread, error as Error))
    worker.on('exit', () => this.#drop(thread, new Error('a thread that checks signatures ended')))
    return thread
  }

  #finish(thread: Thread, verdicts: boolean[]): void {
    const { job } = thread
    thread.job = null
    job?.resolve(verdicts)
    thread.worker.unref()
    thread.idle = setTimeout(() => {
      this.#drop(thread, new Error('idle'))
      void thread.worker.terminate()
    }, IDLE_MS)
    thread.idle.unref()
    this.#assign()
  }

  #drop(thread: Thread, error: Error): void {
    if (!this.#threads.delete(thread)) return
    if (thread.idle !== null) clearTimeout(thread.idle)
    thread.job?.reject(error)
    thread.job = null
    this.#assign()
  }
}
