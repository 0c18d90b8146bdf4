// Runs a core in the world: keeps its inbox, its timers and its order, and hands its effects to whom
// they concern. A core that is driven here is driven by the simulator in the same way.

/** Effects that the driver itself performs, and the event by which it answers. */
export type TimerEffect =
  | { type: 'setTimer'; id: string; afterMs: number }
  | { type: 'clearTimer'; id: string }
export interface TimerEvent {
  type: 'timer'
  id: string
}

export interface DriverOptions<Event, Effect extends { type: string }> {
  /** See `core/step.ts`. */
  core: { step(event: Event | TimerEvent, nowMs: number): readonly (Effect | TimerEffect)[] }
  /** Does what the core decided. May post events; they wait for their turn. */
  perform: (effect: Effect) => void
  /** A fault of ours: a handler or the core threw. The driver goes on with what comes next. */
  onFault: (error: unknown) => void
  /**
   * Events that must get in even when the inbox is full: the machine's own, and those whose number is
   * bounded elsewhere, such as links that open and close. The others are what strangers can send.
   */
  mustKeep?: (event: Event) => boolean
  /** Events that may wait at once. */
  capacity?: number
  /** Monotonic ms. */
  now?: () => number
  /** Calls once after so many ms; the returned function takes it back. */
  setTimer?: (action: () => void, afterMs: number) => () => void
  /** Calls once when the machine has had time for others. */
  yieldTo?: (action: () => void) => void
}

/** More than comes in one turn of the event loop in ordinary times. */
const CAPACITY = 4_096
/** A timer that is to wait longer rings at once, and again and again. */
const LONGEST_TIMER_MS = 2 ** 31 - 1
/** A core gives way to others after so long: a tenth of what a person notices. */
const TURN_MS = 10

function setNodeTimer(action: () => void, afterMs: number): () => void {
  const timer = setTimeout(action, Math.min(afterMs, LONGEST_TIMER_MS))
  return () => clearTimeout(timer)
}

export class Driver<Event, Effect extends { type: string }> {
  readonly #options: DriverOptions<Event, Effect>
  readonly #now: () => number
  readonly #inbox: (Event | TimerEvent)[] = []
  readonly #timers = new Map<string, () => void>()
  #dropped = 0
  #running = false
  #closed = false

  constructor(options: DriverOptions<Event, Effect>) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  /** Events that found the inbox full, since the start. */
  get dropped(): number {
    return this.#dropped
  }

  get waiting(): number {
    return this.#inbox.length
  }

  /**
   * Gives the core an event. It is dealt with before this returns, unless others are before it.
   * @returns false if the inbox was full and the event was dropped
   */
  post(event: Event): boolean {
    const { capacity = CAPACITY, mustKeep } = this.#options
    if (this.#closed) return false
    if (this.#inbox.length >= capacity && mustKeep?.(event) !== true) {
      this.#dropped++
      return false
    }
    this.#enqueue(event)
    return true
  }

  /** Ends all timers and forgets what waits; nothing is performed any more. Idempotent. */
  close(): void {
    this.#closed = true
    this.#inbox.length = 0
    for (const clear of this.#timers.values()) clear()
    this.#timers.clear()
  }

  #enqueue(event: Event | TimerEvent): void {
    this.#inbox.push(event)
    if (this.#running) return
    this.#running = true
    this.#run()
  }

  #run(): void {
    const startedMs = this.#now()
    let done = 0
    while (done < this.#inbox.length && !this.#closed) {
      const event = this.#inbox[done++]
      if (event !== undefined) this.#step(event)
      if (this.#now() - startedMs > TURN_MS) break
    }
    this.#inbox.splice(0, done)
    if (this.#inbox.length === 0 || this.#closed) {
      this.#running = false
      return
    }
    const { yieldTo = setImmediate } = this.#options
    yieldTo(() => this.#run())
  }

  #step(event: Event | TimerEvent): void {
    try {
      for (const effect of this.#options.core.step(event, this.#now())) {
        if (this.#closed) return
        this.#perform(effect)
      }
    } catch (error) {
      this.#options.onFault(error)
    }
  }

  #perform(effect: Effect | TimerEffect): void {
    if (isTimerEffect(effect)) {
      this.#timers.get(effect.id)?.()
      this.#timers.delete(effect.id)
      if (effect.type === 'setTimer') this.#setTimer(effect.id, effect.afterMs)
      return
    }
    try {
      this.#options.perform(effect)
    } catch (error) {
      this.#options.onFault(error)
    }
  }

  #setTimer(id: string, afterMs: number): void {
    const { setTimer = setNodeTimer } = this.#options
    const ring = (): void => {
      this.#timers.delete(id)
      this.#enqueue({ type: 'timer', id })
    }
    this.#timers.set(id, setTimer(ring, afterMs))
  }
}

function isTimerEffect(effect: { type: string }): effect is TimerEffect {
  return effect.type === 'setTimer' || effect.type === 'clearTimer'
}
