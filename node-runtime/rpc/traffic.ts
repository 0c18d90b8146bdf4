// What comes in on the ports of a server, and in which order it is worked on: each frame is measured
// before it is parsed, calls wait for their turn, and what is too much is refused with TOO_BUSY.
import { CloudError } from '../contract/errors.ts'
import { MACHINE_RUNNING_CALLS } from './budget.ts'
import type { ShareOwner } from './budget.ts'
import { FairShare } from './fair-share.ts'
import type { Waiting } from './fair-share.ts'
import { encodeRefusal, idOf, isAbort, readRequest } from './frames.ts'
import type { Frame } from './frames.ts'
import { listen } from './port.ts'
import type { AnyPort, WireMessage } from './port.ts'

/** An abort has nothing but an id; what is longer waits for its turn before it is parsed. */
const MAX_ABORT_LENGTH = 256
/** A port that holds so many times what may wait in it for its reader is not even told what is refused. */
const MAX_UNSENT_TIMES = 2
/** How often a port that does not take its answers is looked at again. */
const DRAIN_EVERY_MS = 10
/** Who is not listened to is heard again after so long. */
const MAX_PAUSE_MS = 1_000

interface Call {
  port: TrafficPort
  id: string | null
  text: string
}

export interface TrafficOptions {
  /** Is this path of a frame, as `/db/watch`, that of a call with a stream for an answer? */
  isStreamPath: (path: string) => boolean
  /** Gets what a handler of frames rejects with: a fault of our own. */
  onError: (error: unknown) => void
}

/** What works on the frames of one port. */
export interface FrameHandler {
  /**
   * Resolves when all that a frame brings about is done, the last event of a stream included. A stream
   * calls `begun` when it has its answer and waits for events only.
   */
  handle: (frame: Frame, begun: () => void) => Promise<unknown>
  close: () => void
}

/** All ports of one server. */
export class Traffic {
  readonly options: TrafficOptions
  readonly queue = new FairShare<Call>(MACHINE_RUNNING_CALLS)
  readonly #openStreams = new Map<string, number>()
  /**
   * Ports that take nothing in: what waits of their share is all that may wait, they do not take their
   * answers, or a call was too large.
   */
  readonly #paused = new Map<TrafficPort, NodeJS.Timeout>()
  #isPlanned = false

  constructor(options: TrafficOptions) {
    this.options = options
  }

  /** A port whose frames wait for their turn on the budget of `owner`. */
  open(port: AnyPort, owner: ShareOwner, handler: FrameHandler): TrafficPort {
    return new TrafficPort(this, port, owner, handler)
  }

  /** Lets calls begin soon: at once when the machine is idle, else after all that is due now. */
  plan(isFirst: boolean): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    if (isFirst) queueMicrotask(() => this.#begin())
    else setImmediate(() => this.#begin())
  }

  /** Begins what may begin. What it begins runs only once this has returned, one after the other. */
  #begin(): void {
    this.#isPlanned = false
    for (let next = this.queue.next(); next !== null; next = this.queue.next()) {
      next.job.port.run(next)
    }
    for (const port of this.#paused.keys()) {
      // Once it is drained it is looked at again.
      const isDrained = port.drained() === undefined
      if (isDrained && this.queue.isHalfEmpty(port.share)) this.resume(port)
    }
  }

  /**
   * Lets a port take nothing in until half of what waits of its share is worked on and its reader has
   * taken enough; but not for long, as what is worked on may wait for its caller to give up, or to go.
   */
  pause(port: TrafficPort): void {
    if (this.#paused.has(port)) return
    port.pause()
    const timer = setTimeout(() => this.resume(port), MAX_PAUSE_MS)
    timer.unref()
    this.#paused.set(port, timer)
  }

  resume(port: TrafficPort): void {
    clearTimeout(this.#paused.get(port))
    if (this.#paused.delete(port)) port.resume()
  }

  /** False if the share has as many streams as it may. */
  openStream({ name, budget }: ShareOwner): boolean {
    const open = this.#openStreams.get(name) ?? 0
    if (open >= budget.openStreams) return false
    this.#openStreams.set(name, open + 1)
    return true
  }

  closeStream({ name }: ShareOwner): void {
    const open = (this.#openStreams.get(name) ?? 0) - 1
    if (open > 0) this.#openStreams.set(name, open)
    else this.#openStreams.delete(name)
  }
}

/** One port of a server. */
export class TrafficPort {
  readonly #traffic: Traffic
  readonly #port: AnyPort
  readonly #owner: ShareOwner
  readonly #handler: FrameHandler
  readonly #queued = new Map<string, Waiting<Call>>()
  /** Calls whose turn came while the port did not take its answers. */
  #held: Call[] = []
  #heldLength = 0
  #drained: Promise<void> | null = null
  #closed = false

  constructor(traffic: Traffic, port: AnyPort, owner: ShareOwner, handler: FrameHandler) {
    this.#traffic = traffic
    this.#port = port
    this.#owner = owner
    this.#handler = handler
    listen(port, {
      message: (data) => {
        if (!this.#closed && typeof data === 'string') this.#arrive(data)
      },
      close: () => this.#close(),
    })
  }

  /** The name of the share that its calls count in. */
  get share(): string {
    return this.#owner.name
  }

  pause(): void {
    if ('pause' in this.#port) this.#port.pause?.()
  }

  resume(): void {
    if ('resume' in this.#port) this.#port.resume?.()
  }

  /** Sends an answer or an event. Never throws. */
  send(message: WireMessage): void {
    if (this.#closed) return
    this.#post(message)
    const length = typeof message === 'string' ? message.length : message.byteLength
    this.#traffic.queue.charge(this.#owner.name, length)
  }

  /** Resolves once the reader has taken enough of what was sent, or has gone. */
  drained(): Promise<void> | undefined {
    if (!this.#isClogged()) return undefined
    this.#drained ??= this.#waitUntilDrained()
    return this.#drained
  }

  /** Works on a call whose turn has come. Never throws. */
  run(waiting: Waiting<Call>): void {
    const { queue, options } = this.#traffic
    const call = waiting.job
    if (call.id !== null) this.#queued.delete(call.id)
    const finish = (): void => {
      queue.finish(waiting)
      this.#traffic.plan(false)
    }
    if (this.#closed) return finish()
    if (this.#held.length > 0 || this.#isClogged()) {
      this.#hold(call)
      return finish()
    }
    const frame = readRequest(call.text)
    if (frame === null) return finish()
    if (!options.isStreamPath(frame.p?.u ?? '')) {
      void this.#handle(frame).then(finish)
      return
    }
    if (!this.#traffic.openStream(this.#owner)) {
      this.#refuse(frame.i, tooMany('streams are open'))
      return finish()
    }
    // Once it has begun to answer, a stream waits for events, not for the machine.
    let hasBegun = false
    const begun = (): void => {
      if (!hasBegun) finish()
      hasBegun = true
    }
    void this.#handle(frame, begun).then(() => {
      begun()
      this.#traffic.closeStream(this.#owner)
    })
  }

  #arrive(text: string): void {
    if (text.length <= MAX_ABORT_LENGTH) {
      const frame = readRequest(text)
      if (frame !== null && isAbort(frame)) return this.#abort(frame)
    }
    const id = idOf(text)
    if (text.length > this.#owner.budget.frameLength) {
      this.#traffic.pause(this)
      this.#traffic.plan(false)
      return this.#refuse(id, tooLarge(text.length, this.#owner.budget.frameLength))
    }
    this.#enqueue({ port: this, id, text })
  }

  #enqueue(call: Call): void {
    const { queue } = this.#traffic
    const { name, budget } = this.#owner
    const isFirst = queue.isIdle
    const waiting = queue.offer(name, budget, call, call.text.length)
    if (waiting === null) {
      // Refusing costs reading: who asks again at once would have the machine do nothing else.
      this.#traffic.pause(this)
      return this.#refuse(call.id, tooMany('calls wait'))
    }
    if (call.id !== null) this.#queued.set(call.id, waiting)
    this.#traffic.plan(isFirst)
  }

  #abort(frame: Frame): void {
    const waiting = this.#queued.get(frame.i)
    if (waiting !== undefined) {
      this.#queued.delete(frame.i)
      this.#traffic.queue.withdraw(waiting)
    }
    this.#keepHeld(this.#held.filter(({ id }) => id !== frame.i))
    void this.#handle(frame)
  }

  async #handle(frame: Frame, begun: () => void = () => undefined): Promise<void> {
    try {
      await this.#handler.handle(frame, begun)
    } catch (error) {
      this.#traffic.options.onError(error)
    }
  }

  /** Drops the refusal if the reader has left so much unread: memory is not filled by refusing. */
  #refuse(id: string | null, error: CloudError): void {
    const most = MAX_UNSENT_TIMES * this.#owner.budget.unsentBytes
    if (id !== null && this.#unsentBytes() <= most) this.#post(encodeRefusal(id, error))
  }

  #post(message: WireMessage): void {
    try {
      this.#port.postMessage(message as string)
    } catch (error) {
      this.#traffic.options.onError(error)
    }
  }

  /** Does more wait for the reader than may? */
  #isClogged(): boolean {
    return !this.#closed && this.#unsentBytes() > this.#owner.budget.unsentBytes
  }

  #unsentBytes(): number {
    return 'unsentBytes' in this.#port ? (this.#port.unsentBytes?.() ?? 0) : 0
  }

  async #waitUntilDrained(): Promise<void> {
    while (this.#isClogged()) await new Promise((resolve) => setTimeout(resolve, DRAIN_EVERY_MS))
    this.#drained = null
    this.#traffic.plan(false)
  }

  #hold(call: Call): void {
    this.#traffic.pause(this)
    const { queuedCalls, queuedLength } = this.#owner.budget
    const length = this.#heldLength + call.text.length
    if (this.#held.length >= queuedCalls || length > queuedLength) {
      return this.#refuse(call.id, tooMany('calls wait'))
    }
    this.#held.push(call)
    this.#heldLength = length
    if (this.#held.length > 1) return
    void this.drained()?.then(() => {
      const held = this.#held
      this.#keepHeld([])
      for (const one of held) this.#enqueue(one)
    })
  }

  #keepHeld(held: Call[]): void {
    this.#held = held
    this.#heldLength = held.reduce((length, { text }) => length + text.length, 0)
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const waiting of this.#queued.values()) this.#traffic.queue.withdraw(waiting)
    this.#queued.clear()
    this.#keepHeld([])
    this.#traffic.resume(this)
    this.#handler.close()
  }
}

function tooMany(what: string): CloudError {
  return new CloudError('TOO_BUSY', `Too many ${what} already. Try again in a moment.`)
}

function tooLarge(length: number, limit: number): CloudError {
  return new CloudError(
    'CALL_TOO_LARGE',
    `The arguments are too large: ${length} characters as JSON; ${limit} are allowed.`,
    { length, limit },
  )
}
