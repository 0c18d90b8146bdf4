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

/** One slice as one piece of memory: for each check its length, key, signature and message. */
interface Request {
  packed: Uint8Array
  count: number
}

/** Runs in the thread, as text: it can use nothing from outside. */
function workerBody(
  port: {
    on(event: 'message', listener: (request: Request) => void): void
    postMessage(reply: unknown): void
  },
  sodium: { crypto_sign_verify_detached(s: Buffer, m: Buffer, k: Buffer): boolean },
): void {
  port.on('message', ({ packed, count }) => {
    const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
    const slice = (from: number, length: number): Buffer =>
      Buffer.from(packed.buffer, packed.byteOffset + from, length)
    const verdicts: boolean[] = []
    let at = 0
    for (let i = 0; i < count; i++) {
      const length = view.getUint32(at)
      const holds = sodium.crypto_sign_verify_detached(
        slice(at + 36, 64),
        slice(at + 100, length),
        slice(at + 4, 32),
      )
      verdicts.push(holds)
      at += 100 + length
    }
    port.postMessage(verdicts)
  })
}

function pack(checks: readonly SignatureCheck[]): Uint8Array<ArrayBuffer> {
  const head = 4 + KEY_BYTES + SIGNATURE_BYTES
  const sizeBytes = checks.reduce((sum, { message }) => sum + head + message.length, 0)
  const packed = new Uint8Array(sizeBytes)
  const view = new DataView(packed.buffer)
  let at = 0
  for (const { message, publicKey, signature } of checks) {
    view.setUint32(at, message.length)
    packed.set(publicKey, at + 4)
    packed.set(signature, at + 4 + KEY_BYTES)
    packed.set(message, at + head)
    at += head + message.length
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
      const request: Request = { packed, count: job.checks.length }
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
