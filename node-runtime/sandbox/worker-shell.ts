// The part of a worker that is the same in all of them: it takes one request after the other, keeps
// what it was given for later requests, and answers. Turned into text and started from that, so that
// it is the same in a bundle and in a test; hence it uses nothing from outside its own body.

/** What a worker keeps between requests, so that it need not cross each time: text under a key. */
export interface Material {
  key: string
  text: string
}

/** Host to worker. One at a time; the next follows the answer. */
export interface WorkerMessage<Request> {
  /** Drop all material first: the host counts, so that both sides know what is kept. */
  forget: boolean
  /** Keep this. */
  material: Material | null
  request: Request
}

/** Worker to host. `broken` says that the worker itself is not to be trusted any more. */
export type WorkerReply<Reply> =
  | { kind: 'ready' }
  | { kind: 'reply'; reply: Reply }
  | { kind: 'broken'; reason: string }

/** The body of a worker: answers a request, with the material that was sent so far. */
export type WorkerBody<Request, Reply> = (
  request: Request,
  material: ReadonlyMap<string, string>,
) => Reply | Promise<Reply>

/** Connects a body to the thread's port, once the body has started. */
export function workerShell(
  threads: typeof import('node:worker_threads'),
  starting: WorkerBody<unknown, unknown> | Promise<WorkerBody<unknown, unknown>>,
): void {
  const port = threads.parentPort
  if (port === null) throw new Error('not a worker')
  const material = new Map<string, string>()
  const say = (reply: WorkerReply<unknown>): void => port.postMessage(reply)
  const isBroken = (error: unknown): void =>
    say({ kind: 'broken', reason: String(error).slice(0, 200) })

  const answer = async (message: WorkerMessage<unknown>): Promise<void> => {
    if (message.forget) material.clear()
    if (message.material !== null) material.set(message.material.key, message.material.text)
    const body = await starting
    say({ kind: 'reply', reply: await body(message.request, material) })
  }
  port.on('message', (message: WorkerMessage<unknown>) => {
    answer(message).catch(isBroken)
  })
  Promise.resolve(starting).then(() => say({ kind: 'ready' }), isBroken)
}
