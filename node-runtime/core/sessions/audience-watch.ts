// Whether the source of a session keeps up with what it says it has, and with what others say. What is
// said moves nothing before it is delivered: then who held something back is shown up.
import type { Followed, Scene } from './audience-scene.ts'

/** So long a source may be behind what is known elsewhere. */
const DELIVERY_LIMIT_MS = 2_000
/** How often those with a source ask how far others are; doubled while nobody is further. */
const COMPARE_MS = 1_000
const MAX_COMPARE_MS = 8_000
/** So long a machine for whose word a source was left is not believed again, unless the word proves true. */
const DOUBT_MS = 5_000

interface Claim {
  machine: string
  length: number
  sinceMs: number
}

/** A source was left since another claims more: one of them is not to be believed. */
interface Dispute {
  source: string
  claim: Claim
  sinceMs: number
}

export class SourceWatch {
  readonly #scene: Scene
  readonly #session: string
  /** What the source says it has. */
  #sourceClaim: Claim | null = null
  /** What another says it has, while it is more than what is here: the first that says so. */
  #claim: Claim | null = null
  #disputes: Dispute[] = []
  #compareMs = COMPARE_MS

  constructor(scene: Scene, session: string) {
    this.#scene = scene
    this.#session = session
    scene.setTimer('watch', session, scene.soon(COMPARE_MS))
  }

  /** Who, other than the source, says to have more than is here. */
  get claimant(): string | null {
    return this.#claim?.machine ?? null
  }

  /** Has the source not delivered for too long what it says it has? */
  get isSourceDue(): boolean {
    return this.#isDue(this.#sourceClaim)
  }

  /** Has nobody delivered for too long what another says it has? */
  get isClaimDue(): boolean {
    return this.#isDue(this.#claim)
  }

  /** There is another source: what was said before is not held against it, and it is compared again soon. */
  sourceChanged(): void {
    this.#claim = null
    this.#compareMs = COMPARE_MS
    this.#scene.setTimer('watch', this.#session, this.#scene.soon(COMPARE_MS))
  }

  sourceLeft(): void {
    this.#sourceClaim = null
  }

  /** Somebody, perhaps the source, says to be further than this machine. */
  heard(from: string, length: number, source: string | null): void {
    if (from !== source && this.#openDisputes().some(({ claim }) => claim.machine === from)) return
    // What is said again, or more of it, puts nothing off.
    const isFirst = this.#sourceClaim === null && this.#claim === null
    const claim = { machine: from, length, sinceMs: this.#scene.nowMs }
    if (from === source) this.#sourceClaim ??= claim
    else this.#claim ??= claim
    if (!isFirst) return
    this.#compareMs = COMPARE_MS
    this.#scene.setTimer('watch', this.#session, DELIVERY_LIMIT_MS)
  }

  /** Was that the claim of this machine? It counts no more. */
  forget(machine: string): void {
    if (this.#claim?.machine === machine) this.#claim = null
  }

  forgetClaim(): void {
    this.#claim = null
  }

  /** The source is left, as another claims more. */
  suspect(source: string): void {
    const claim = this.#claim
    if (claim === null) return
    this.#disputes = [...this.#openDisputes(), { source, claim, sinceMs: this.#scene.nowMs }]
  }

  /** So much has come: what it fulfils is settled. Gives who has held it back, as that shows now. */
  delivered(length: number, source: string | null): string[] {
    if (this.#sourceClaim !== null && this.#sourceClaim.length <= length) this.#sourceClaim = null
    if (this.#claim !== null && this.#claim.length <= length) this.#claim = null
    const disputes = this.#openDisputes()
    const isTrue = ({ claim }: Dispute): boolean => claim.length <= length
    this.#disputes = disputes.filter((dispute) => !isTrue(dispute))
    return disputes
      .filter((dispute) => isTrue(dispute) && dispute.source !== source)
      .map((dispute) => dispute.source)
  }

  /** Asks the source and others how far they are, and again after a while. */
  compare(followed: Followed, source: string | null): void {
    for (const machine of this.#chosen(followed, source)) {
      this.#scene.send(machine, { type: 'compare', session: this.#session })
    }
    this.#scene.setTimer('watch', this.#session, this.#scene.soon(this.#compareMs))
    this.#compareMs = Math.min(MAX_COMPARE_MS, this.#compareMs * 2)
  }

  /** The source, a player and one other, drawn anew each time. */
  #chosen({ seatMachines }: Followed, source: string | null): Set<string> {
    const others = this.#scene.shuffled(
      [...new Set([...seatMachines, ...this.#scene.peers])].filter(
        (machine) => machine !== source && this.#scene.peers.has(machine),
      ),
    )
    const players = others.filter((machine) => seatMachines.includes(machine))
    const chosen = [source, players[0], others[0]]
    return new Set(chosen.filter((machine) => machine != null))
  }

  #openDisputes(): Dispute[] {
    return this.#disputes.filter(({ sinceMs }) => this.#scene.nowMs - sinceMs < DOUBT_MS)
  }

  #isDue(claim: Claim | null): boolean {
    return claim !== null && this.#scene.nowMs - claim.sinceMs >= DELIVERY_LIMIT_MS
  }
}
