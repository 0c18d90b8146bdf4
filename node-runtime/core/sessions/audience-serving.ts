// Whom this machine serves a session: a few for as long as they like, so that its upload does not grow
// with the audience; and a player one guest, for a while.
import type { Scene } from './audience-scene.ts'

/** One is enough for the audience to grow from, and keeps a player's upload the same for any number. */
const PLAYER_FANOUT = 1
/** Two make a tree: its depth grows with the logarithm of the audience. */
const SPECTATOR_FANOUT = 2
/**
 * A player whose places are taken gives a spectator whom they did not help a place of its own, drawn
 * among those who ask, and so long: whoever sits in the other place cannot keep the game to itself.
 */
const GUEST_MS = 3_000
const MAX_WAITING_GUESTS = 64

/** What the places are given in. */
interface Host {
  readonly session: string
  /** Tells a machine that it is served. */
  tellServed(machine: string): void
  /** Others are served than before. */
  servedChanged(): void
}

export class Serving {
  readonly #scene: Scene
  readonly #host: Host
  readonly #children = new Set<string>()
  #guest: string | null = null
  #waitingGuests: string[] = []

  constructor(scene: Scene, host: Host) {
    this.#scene = scene
    this.#host = host
  }

  /** All that are served now. */
  get machines(): string[] {
    return this.#guest === null ? [...this.#children] : [...this.#children, this.#guest]
  }

  /** Is it one of those that stay? */
  hasChild(machine: string): boolean {
    return this.#children.has(machine)
  }

  /** A machine wants to be served: it is, or learns who else may serve it. */
  ask(from: string, { seated, failed }: { seated: boolean; failed: boolean }): void {
    if (this.machines.includes(from)) return this.#host.tellServed(from)
    if (this.#children.size < (seated ? PLAYER_FANOUT : SPECTATOR_FANOUT)) {
      this.#children.add(from)
      this.#host.servedChanged()
      return this.#host.tellServed(from)
    }
    if (seated && failed && this.#invite(from)) return
    const { session } = this.#host
    this.#scene.send(from, { type: 'redirect', session, machines: [...this.#children] })
  }

  /** It is gone, or wants no more. */
  leave(machine: string): void {
    this.#children.delete(machine)
    if (this.#guest !== machine) return
    this.#guest = null
    const next = this.#drawGuest()
    if (next !== undefined) this.#invite(next)
  }

  /** The guest's time is over: whoever still waits draws lots. */
  endGuest(): void {
    const guest = this.#guest
    if (guest === null) return
    const next = this.#drawGuest()
    const { session } = this.#host
    // Without anybody who waits, the guest may stay.
    if (next === undefined) return this.#scene.setTimer('guest', session, GUEST_MS)
    this.#guest = null
    this.#scene.send(guest, { type: 'unavailable', session })
    this.#invite(next)
  }

  /** Who has waited for the place, and is still here; those who draw a blank ask again. */
  #drawGuest(): string | undefined {
    const here = this.#waitingGuests.filter(
      (machine) => this.#scene.peers.has(machine) && !this.#children.has(machine),
    )
    this.#waitingGuests = []
    return here[Math.floor(this.#scene.random() * here.length)]
  }

  /** The guest's place: at once if it is free, else perhaps when the one who has it must go. */
  #invite(from: string): boolean {
    if (this.#guest === null) {
      this.#guest = from
      this.#scene.setTimer('guest', this.#host.session, GUEST_MS)
      this.#host.servedChanged()
      this.#host.tellServed(from)
      return true
    }
    const waiting = this.#waitingGuests
    if (!waiting.includes(from) && waiting.length < MAX_WAITING_GUESTS) waiting.push(from)
    return false
  }
}
