// From whom this machine has a session: one after the other is asked, until one serves it.
import type { Followed, Scene } from './audience-scene.ts'

const ANSWER_LIMIT_MS = 2_000
/** When nobody could serve: the pause before asking all again, and how much it varies. */
const SEEK_AGAIN_MS = 700
const SEEK_AGAIN_SPREAD_MS = 600
/** So long a machine that did not deliver is not asked again. */
const AVOID_MS = 60_000
const MAX_HINTS = 32
const MAX_AVOIDED = 256
/** Machines without a link that one session may have dialled in a while, seats' machines aside. */
const MAX_DIALLED = 8
const DIALLED_MS = 60_000

/** For whom a source is sought. */
interface Seeker {
  readonly followed: Followed
  /** Who says to have more than is here. */
  readonly claimant: string | null
  /** Is it served from here? Two that serve each other serve nobody. */
  serves(machine: string): boolean
}

export class Source {
  readonly #scene: Scene
  readonly #seeker: Seeker
  /** Who serves; null while one is sought. */
  machine: string | null = null
  /** The source, its source, and so on. */
  path: readonly string[] = []
  #asked: { machine: string; sinceMs: number } | null = null
  readonly #tried = new Set<string>()
  /** Came back since all were asked anew: each is asked once more for it, however often its link flaps. */
  readonly #returned = new Set<string>()
  /** When all are asked anew, once all were asked; nothing that comes meanwhile puts it off. */
  #anewAtMs: number | null = null
  /** Did a source not help, or machines that anyone named? */
  #failed = false
  #hints: string[] = []
  readonly #avoided = new Map<string, number>()
  readonly #dialled = new Map<string, number>()

  constructor(scene: Scene, seeker: Seeker) {
    this.#scene = scene
    this.#seeker = seeker
  }

  /** Is nobody asked just now? */
  get isIdle(): boolean {
    return this.#asked === null
  }

  isAsked(machine: string): boolean {
    return this.#asked?.machine === machine
  }

  /** Asks the next machine that may serve this one; after the last, begins again a little later. */
  seek(): void {
    const { seated, session } = this.#seeker.followed
    if (seated || this.machine !== null || this.#asked !== null) return
    for (const machine of this.#candidates()) {
      if (this.#tried.has(machine) || this.#seeker.serves(machine)) continue
      this.#tried.add(machine)
      if (!this.#scene.peers.has(machine)) {
        this.#reach(machine)
        continue
      }
      this.#asked = { machine, sinceMs: this.#scene.nowMs }
      this.#scene.send(machine, { type: 'follow', session, failed: this.#failed })
      this.#scene.setTimer('seek', session, ANSWER_LIMIT_MS)
      return
    }
    this.#rest()
  }

  /** All were asked. After a pause they are again. */
  #rest(): void {
    const { nowMs, random } = this.#scene
    this.#anewAtMs ??= nowMs + SEEK_AGAIN_MS + random() * SEEK_AGAIN_SPREAD_MS
    const leftMs = this.#anewAtMs - nowMs
    if (leftMs > 0) return this.#scene.setTimer('seek', this.#seeker.followed.session, leftMs)
    this.#failed ||= this.#hints.length > 0
    this.#forgetRound()
    this.seek()
  }

  #forgetRound(): void {
    this.#tried.clear()
    this.#returned.clear()
    this.#hints = []
    this.#anewAtMs = null
  }

  /** The one that was asked does not serve: on to the next. */
  seekOn(): void {
    this.#asked = null
    this.seek()
  }

  /** The machine that was asked has not answered; or all were, and are asked anew. */
  seekAgain(): void {
    if (this.#asked !== null) {
      // Timers of the world may come a little early.
      const leftMs = this.#asked.sinceMs + ANSWER_LIMIT_MS - this.#scene.nowMs
      if (leftMs > 0) return this.#scene.setTimer('seek', this.#seeker.followed.session, leftMs)
    }
    this.seekOn()
  }

  stopAsking(): void {
    this.#asked = null
  }

  /** Others who may serve are asked first. */
  hint(machines: readonly string[]): void {
    this.#hints = [...new Set([...machines, ...this.#hints])].slice(0, MAX_HINTS)
  }

  /** It has come back, and may be asked again at once. */
  retry(machine: string): void {
    if (this.#returned.has(machine)) return
    this.#returned.add(machine)
    this.#tried.delete(machine)
  }

  /** Not at once again. */
  skip(machine: string): void {
    this.#tried.add(machine)
  }

  /** It had its chance, and others are said to have more: not at once again, and players are told. */
  doubt(machine: string): void {
    this.skip(machine)
    this.#failed = true
  }

  /** It serves. True if that is news. */
  take(machine: string, path: readonly string[]): boolean {
    const changed = this.machine !== machine || this.path.join() !== path.join()
    this.machine = machine
    this.path = path
    this.#asked = null
    this.#forgetRound()
    return changed
  }

  /** Has no source any more. Gives who it was. */
  leave(): string | null {
    const { machine } = this
    this.machine = null
    this.path = []
    return machine
  }

  avoid(machine: string): void {
    this.#avoided.delete(machine)
    this.#avoided.set(machine, this.#scene.nowMs)
    for (const oldest of this.#avoided.keys()) {
      if (this.#avoided.size <= MAX_AVOIDED) break
      this.#avoided.delete(oldest)
    }
    this.#failed = true
  }

  isAvoided(machine: string): boolean {
    const sinceMs = this.#avoided.get(machine) ?? -Infinity
    return this.#scene.nowMs - sinceMs < AVOID_MS
  }

  /** Names of machines cost nothing: only the seats' are dialled without limit. */
  #reach(machine: string): void {
    const dialled = this.#dialled
    const { nowMs } = this.#scene
    if (!this.#seeker.followed.seatMachines.includes(machine)) {
      for (const [other, sinceMs] of dialled) {
        if (nowMs - sinceMs >= DIALLED_MS) dialled.delete(other)
      }
      if (dialled.has(machine) || dialled.size >= MAX_DIALLED) return
      dialled.set(machine, nowMs)
    }
    this.#scene.do({ type: 'reach', machine })
  }

  /** Who was named first, then players and others in an order that chance decides anew each time. */
  #candidates(): string[] {
    const { followed, claimant } = this.#seeker
    const claimants = claimant === null ? [] : [claimant]
    const players = this.#scene.shuffled(followed.seatMachines)
    const others = this.#scene.shuffled([...this.#scene.peers])
    return [...new Set([...claimants, ...this.#hints, ...players, ...others])].filter(
      (machine) => machine !== this.#scene.machine && !this.isAvoided(machine),
    )
  }
}
