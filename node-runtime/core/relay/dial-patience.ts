// Decides how long an attempt to reach a machine is waited for. The stack names one relay in each attempt and waits a
// quarter of a minute for that one, whatever it does with what it is given: so an attempt is given up for the next relay
// that has not been tried for the machine. For none it is given up when nothing can come of it any more: the stack may
// hold it without an end, and begins no other with that machine meanwhile, nor lets in one of the other side.

/** Where routers let a direct link through at all, it is there by then, mostly. */
export const DIRECT_MS = 1_000
/** To reach a relay, to be paired and to greet takes some round trips, and a look-up where its address is not known. */
export const RELAY_MS = 3_000
/** Where routers choose ports by chance the stack waits its turn, and then tries for half a minute. */
export const ATTEMPT_MS = 45_000

interface Attempt {
  machine: string
  /** Null if the other side dialled: it gives up what it began. */
  begunMs: number | null
  /** Is a relay named in it, that will be asked once the machine has answered? */
  hasRelay: boolean
  /** The relay that is asked now. */
  asked: { relayKey: string; sinceMs: number } | null
}

export interface GivenUp {
  id: string
  /** Is the machine to be dialled at once, through the next relay? */
  isForNext: boolean
}

export interface DialPatienceOptions {
  /** A relay did not bring this machine together with that one. */
  failed: (relayKey: string, machine: string) => void
  /** Is there a relay that has not failed with that machine? */
  hasFresh: (machine: string) => boolean
}

export class DialPatience {
  readonly #options: DialPatienceOptions
  readonly #attempts = new Map<string, Attempt>()

  constructor(options: DialPatienceOptions) {
    this.#options = options
  }

  /** Attempts that have not come to an end. */
  get size(): number {
    return this.#attempts.size
  }

  /** This machine dials another. */
  began(id: string, machine: string, hasRelay: boolean, nowMs: number): void {
    this.#attempts.set(id, { machine, begunMs: nowMs, hasRelay, asked: null })
  }

  /** A relay is asked, which this machine or the other one named. An attempt of the other one begins with that. */
  asked(id: string, machine: string, relayKey: string, nowMs: number): void {
    const begunMs = this.#attempts.get(id)?.begunMs ?? null
    const asked = { relayKey, sinceMs: nowMs }
    this.#attempts.set(id, { machine, begunMs, hasRelay: true, asked })
  }

  /** The relay is gone, or does not want to. An attempt of the other side ends with that. */
  refused(id: string): void {
    const attempt = this.#attempts.get(id)
    if (attempt === undefined) return
    this.#fail(attempt)
    if (attempt.begunMs === null) this.#attempts.delete(id)
  }

  /**
   * The two have met.
   * @returns how long it took the relay that was asked; null if there is none
   */
  met(id: string, nowMs: number): { relayKey: string; tookMs: number } | null {
    const asked = this.#attempts.get(id)?.asked ?? null
    this.#attempts.delete(id)
    return asked === null ? null : { relayKey: asked.relayKey, tookMs: nowMs - asked.sinceMs }
  }

  /** It is over, for whatever reason that is no relay's fault. */
  ended(id: string): void {
    this.#attempts.delete(id)
  }

  /** To be called at `nextMs`, when a relay has refused, and when there are other ones. @returns what to give up */
  look(nowMs: number): GivenUp[] {
    const givenUp: GivenUp[] = []
    for (const [id, attempt] of this.#attempts) {
      const { machine, begunMs, asked } = attempt
      if (asked !== null && nowMs - asked.sinceMs >= RELAY_MS) this.#fail(attempt)
      if (begunMs === null) continue
      const isOver = nowMs - begunMs >= ATTEMPT_MS
      const isForNext =
        !attempt.hasRelay && nowMs - begunMs >= DIRECT_MS && this.#options.hasFresh(machine)
      if (!isOver && !isForNext) continue
      this.#attempts.delete(id)
      givenUp.push({ id, isForNext })
    }
    return givenUp
  }

  /** When it is to be looked next; null if time alone changes nothing. */
  nextMs(nowMs: number): number | null {
    const times = [...this.#attempts.values()].flatMap(({ asked, hasRelay, begunMs }) => [
      ...(asked === null ? [] : [asked.sinceMs + RELAY_MS]),
      ...(begunMs === null ? [] : [begunMs + ATTEMPT_MS]),
      ...(begunMs === null || hasRelay ? [] : [begunMs + DIRECT_MS]),
    ])
    const nextMs = Math.min(...times.filter((time) => time > nowMs))
    return Number.isFinite(nextMs) ? nextMs : null
  }

  #fail(attempt: Attempt): void {
    const { asked, machine } = attempt
    attempt.asked = null
    attempt.hasRelay = false
    if (asked !== null) this.#options.failed(asked.relayKey, machine)
  }
}
