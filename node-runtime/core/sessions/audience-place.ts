// One machine's place in the audience of one session: between its source and those that it serves. Players
// need no source, as they replicate with each other.
import { MAX_PATH } from './audience-messages.ts'
import type { AudienceMessage } from './audience-messages.ts'
import type { Followed, Scene, TimerKind } from './audience-scene.ts'
import { Serving } from './audience-serving.ts'
import { Source } from './audience-source.ts'
import { SourceWatch } from './audience-watch.ts'

export class AudiencePlace {
  readonly session: string
  readonly #scene: Scene
  readonly #serving: Serving
  readonly #source: Source
  readonly #watch: SourceWatch
  #followed: Followed
  #replicated = ''

  constructor(scene: Scene, followed: Followed) {
    this.session = followed.session
    this.#scene = scene
    this.#followed = followed
    this.#serving = new Serving(scene, this)
    this.#source = new Source(scene, this)
    this.#watch = new SourceWatch(scene, this.session)
  }

  get followed(): Followed {
    return this.#followed
  }

  get source(): string | null {
    return this.#source.machine
  }

  /** Who is served from here. */
  get served(): string[] {
    return this.#serving.machines
  }

  get claimant(): string | null {
    return this.#watch.claimant
  }

  serves(machine: string): boolean {
    return this.#serving.hasChild(machine)
  }

  /** Begins to follow, or takes in what has changed. */
  follow(followed: Followed): void {
    this.#followed = followed
    this.#delivered()
    if (followed.seated) {
      this.#leaveSource()
      this.#source.stopAsking()
      for (const machine of followed.seatMachines) {
        if (!this.#scene.peers.has(machine)) this.#scene.do({ type: 'reach', machine })
      }
    }
    this.#reconcile()
    this.#source.seek()
  }

  /** Follows no more. */
  end(): void {
    const { session } = this
    if (this.source !== null) this.#scene.send(this.source, { type: 'unfollow', session })
    for (const child of this.served) this.#scene.send(child, { type: 'unavailable', session })
    this.#scene.do({ type: 'replicate', session, machines: [] })
    this.#scene.clearTimers(session)
  }

  timer(kind: TimerKind): void {
    if (kind === 'watch') this.#watchOver()
    else if (kind === 'guest') this.#serving.endGuest()
    else this.#source.seekAgain()
  }

  opened(machine: string): void {
    this.#source.retry(machine)
    this.#reconcile()
    this.#source.seek()
  }

  closed(machine: string): void {
    this.#serving.leave(machine)
    this.#watch.forget(machine)
    this.#lost(machine)
    this.#reconcile()
  }

  received(from: string, message: AudienceMessage): void {
    const { session } = this
    switch (message.type) {
      case 'follow':
        return this.#asked(from, message.failed)
      case 'unfollow':
        this.#serving.leave(from)
        return this.#reconcile()
      case 'serving':
        return this.#served(from, message)
      case 'redirect':
        if (!this.#source.isAsked(from)) return
        this.#source.hint(message.machines)
        return this.#source.seekOn()
      case 'unavailable':
        this.#watch.forget(from)
        return this.#refused(from)
      case 'compare':
        return this.#scene.send(from, { type: 'have', session, length: this.#followed.length })
      case 'have':
        return this.#heard(from, message.length)
    }
  }

  /** Tells a machine that it is served, and by which way what it gets has come. */
  tellServed(machine: string): void {
    this.#scene.send(machine, {
      type: 'serving',
      session: this.session,
      path: [this.#scene.machine, ...this.#source.path],
      length: this.#followed.length,
    })
  }

  servedChanged(): void {
    this.#reconcile()
  }

  /** What is replicated with whom follows from the place; said only when it has changed. */
  #reconcile(): void {
    const { seated, seatMachines } = this.#followed
    const wanted = new Set(this.served)
    if (seated) for (const machine of seatMachines) wanted.add(machine)
    if (this.source !== null) wanted.add(this.source)
    const machines = [...wanted].filter((machine) => this.#scene.peers.has(machine)).sort()
    const key = machines.join()
    if (key === this.#replicated) return
    this.#replicated = key
    this.#scene.do({ type: 'replicate', session: this.session, machines })
  }

  /** Who has nothing, or has it from the one that asks, serves nobody. */
  #asked(from: string, failed: boolean): void {
    const { seated, length } = this.#followed
    const hasIt = seated || this.source !== null || length > 0
    if (!hasIt || this.#source.path.includes(from)) {
      return this.#scene.send(from, { type: 'unavailable', session: this.session })
    }
    this.#serving.ask(from, { seated, failed })
  }

  #served(from: string, { path, length }: { path: string[]; length: number }): void {
    const { seated, seatMachines } = this.#followed
    // A guest's place may be given long after it was asked for.
    const isSource = this.source === from
    const awaited =
      this.#source.isAsked(from) ||
      isSource ||
      (this.source === null && seatMachines.includes(from))
    // Two that serve each other serve nobody.
    const circular = path.includes(this.#scene.machine) || path.length >= MAX_PATH
    if (!awaited || circular || seated || this.#source.isAvoided(from)) {
      if (!isSource) this.#scene.send(from, { type: 'unfollow', session: this.session })
      return this.#refused(from)
    }
    const changed = this.#source.take(from, path)
    // Another way to the same source puts nothing off.
    if (!isSource) this.#watch.sourceChanged()
    this.#heard(from, length)
    if (!changed) return
    this.#reconcile()
    for (const child of this.served) this.tellServed(child)
  }

  /** It does not serve, and is not asked again at once. */
  #refused(machine: string): void {
    this.#source.skip(machine)
    this.#lost(machine)
  }

  /** It is left if it was the source, and the next is asked if it was asked. */
  #lost(machine: string): void {
    if (this.source === machine) this.#leaveSource()
    else if (!this.#source.isAsked(machine)) return
    this.#source.seekOn()
  }

  #leaveSource(): void {
    const source = this.#source.leave()
    this.#watch.sourceLeft()
    if (source === null) return
    this.#scene.send(source, { type: 'unfollow', session: this.session })
    this.#reconcile()
    for (const child of this.served) this.tellServed(child)
  }

  /** Somebody says how far the session is with them. */
  #heard(from: string, length: number): void {
    const { seated, length: here } = this.#followed
    if (length <= here || seated || this.#source.isAvoided(from)) return
    this.#watch.heard(from, length, this.source)
  }

  #delivered(): void {
    const liars = this.#watch.delivered(this.#followed.length, this.source)
    for (const liar of liars) this.#avoid(liar)
  }

  #avoid(machine: string): void {
    this.#source.avoid(machine)
    this.#watch.forget(machine)
  }

  /** Leaves a source that does not keep up with what it says, or with what others have. */
  #watchOver(): void {
    const { source } = this
    if (this.#followed.seated) return
    if (source === null) {
      if (this.#watch.isClaimDue && this.#source.isIdle) this.#watch.forgetClaim()
    } else if (this.#watch.isSourceDue) {
      this.#leaveSource()
      this.#avoid(source)
    } else if (this.#watch.isClaimDue) {
      this.#watch.suspect(source)
      this.#leaveSource()
      // Not at once again; whether it held something back shows when another delivers.
      this.#source.doubt(source)
    }
    this.#watch.compare(this.#followed, this.source)
    this.#source.seek()
  }
}
