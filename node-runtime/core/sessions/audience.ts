// How the logs of sessions reach their audience: players replicate with each other, each serves one
// spectator at a time, and spectators serve the others, so that a player's upload does not grow with
// the audience. Who says that it serves and does not deliver is left, and avoided for a while.
import * as z from 'zod'
import { hashSchema, keySchema } from '../../contract/values.ts'
import type { Core } from '../step.ts'

/** One is enough for the audience to grow from, and keeps a player's upload the same for any number. */
const PLAYER_FANOUT = 1
/** Two make a tree: its depth grows with the logarithm of the audience. */
const SPECTATOR_FANOUT = 2
const ANSWER_LIMIT_MS = 2_000
/** So long a source may be behind what is known elsewhere. */
const DELIVERY_LIMIT_MS = 2_000
/** How often those with a source ask how far others are; doubled while nobody is further. */
const COMPARE_MS = 1_000
const MAX_COMPARE_MS = 8_000
/** When nobody could serve: the pause before asking all again, and how much it varies. */
const SEEK_AGAIN_MS = 700
const SEEK_AGAIN_SPREAD_MS = 600
/** So long a machine that did not deliver is not asked again. */
const AVOID_MS = 60_000
/**
 * A player whose places are taken gives a spectator whom they did not help a place of its own, drawn
 * among those who ask, and so long: whoever sits in the other place cannot keep the game to itself.
 */
const GUEST_MS = 3_000
const MAX_WAITING_GUESTS = 64
/** A tree of millions is no deeper. */
const MAX_PATH = 64
const MAX_HINTS = 32
const MAX_AVOIDED = 256
/** Machines without a link that one session may have dialled in a while, seats' machines aside. */
const MAX_DIALLED = 8
const DIALLED_MS = 60_000

const session = hashSchema
const length = z.number().int().nonnegative()
export const audienceMessageSchema = z.discriminatedUnion('type', [
  /** May I replicate this session from you? `failed`: those you named before did not help. */
  z.object({ type: z.literal('follow'), session, failed: z.boolean() }),
  /** You may. `path`: the sender, its own source, and so on; sent again when it changes. */
  z.object({ type: z.literal('serving'), session, path: z.array(keySchema).max(MAX_PATH), length }),
  /** I serve as many as I can: ask these. */
  z.object({ type: z.literal('redirect'), session, machines: z.array(keySchema).max(16) }),
  /** I do not have it, or no longer. */
  z.object({ type: z.literal('unavailable'), session }),
  z.object({ type: z.literal('unfollow'), session }),
  /** How many actions do you have? */
  z.object({ type: z.literal('compare'), session }),
  z.object({ type: z.literal('have'), session, length }),
])
export type AudienceMessage = z.infer<typeof audienceMessageSchema>

/** What is followed here: whether a seat is held, the machines of the seats, and how far it has come. */
export interface Followed {
  session: string
  seated: boolean
  seatMachines: readonly string[]
  length: number
}

export type AudienceEvent =
  | { type: 'peerOpened'; machine: string }
  | { type: 'peerClosed'; machine: string }
  | { type: 'received'; from: string; message: AudienceMessage }
  /** Begins to follow a session, or says what has changed. */
  | { type: 'followed'; followed: Followed }
  | { type: 'unfollowed'; session: string }
  | { type: 'timer'; id: string }

export type AudienceEffect =
  | { type: 'send'; to: string; message: AudienceMessage }
  | { type: 'reach'; machine: string }
  /** With exactly these machines the session's logs are replicated now. */
  | { type: 'replicate'; session: string; machines: string[] }
  /** Replaces the timer of that id. */
  | { type: 'setTimer'; id: string; afterMs: number }

interface Claim {
  machine: string
  length: number
  sinceMs: number
}

interface Branch {
  followed: Followed
  source: string | null
  /** The source, its source, and so on. */
  path: string[]
  /** What the source says it has. */
  sourceClaim: Claim | null
  /** The longest that another says it has, while it is longer than what is here. */
  claim: Claim | null
  /** Left for another that claims more; it is avoided if that one delivers. */
  suspect: { machine: string; length: number } | null
  children: Set<string>
  guest: { machine: string; sinceMs: number } | null
  waitingGuests: string[]
  asked: { machine: string; sinceMs: number } | null
  tried: Set<string>
  /** Did anyone name machines that did not help? */
  failed: boolean
  hints: string[]
  avoided: Map<string, number>
  dialled: Map<string, number>
  compareMs: number
  replicated: string
}

/** The timers of a session: seeking a source, watching over it, and the guest's end. */
type TimerKind = 'seek' | 'watch' | 'guest'

export interface AudienceOptions {
  machine: string
  /** From 0 to 1, less than 1. */
  random: () => number
}

export class Audience implements Core<AudienceEvent, AudienceEffect> {
  readonly #machine: string
  readonly #random: () => number
  readonly #branches = new Map<string, Branch>()
  /** The machines that speak the protocol with this one now. */
  readonly #peers = new Set<string>()
  #effects: AudienceEffect[] = []
  #nowMs = 0

  constructor({ machine, random }: AudienceOptions) {
    this.#machine = machine
    this.#random = random
  }

  /** Can sessions be followed with that machine now? */
  isOnline(machine: string): boolean {
    return this.#peers.has(machine)
  }

  /** Who serves this machine, and whom it serves. */
  placeOf(sessionId: string): { source: string | null; children: string[] } | null {
    const branch = this.#branches.get(sessionId)
    return branch === undefined ? null : { source: branch.source, children: served(branch) }
  }

  step(event: AudienceEvent, nowMs: number): AudienceEffect[] {
    this.#effects = []
    this.#nowMs = nowMs
    switch (event.type) {
      case 'peerOpened':
        this.#opened(event.machine)
        break
      case 'peerClosed':
        this.#closed(event.machine)
        break
      case 'received':
        this.#received(event.from, event.message)
        break
      case 'followed':
        this.#follow(event.followed)
        break
      case 'unfollowed':
        this.#unfollow(event.session)
        break
      case 'timer':
        this.#timer(event.id)
        break
    }
    return this.#effects
  }

  #send(to: string, message: AudienceMessage): void {
    this.#effects.push({ type: 'send', to, message })
  }

  #setTimer(kind: TimerKind, { followed }: Branch, afterMs: number): void {
    this.#effects.push({ type: 'setTimer', id: `${kind} ${followed.session}`, afterMs })
  }

  #timer(id: string): void {
    const [kind, sessionId = ''] = id.split(' ')
    const branch = this.#branches.get(sessionId)
    if (branch === undefined) return
    if (kind === 'watch') this.#watchOver(branch)
    else if (kind === 'guest') this.#endGuest(branch)
    else this.#seekAgain(branch)
  }

  #follow(followed: Followed): void {
    let branch = this.#branches.get(followed.session)
    if (branch === undefined) {
      branch = newBranch(followed)
      this.#branches.set(followed.session, branch)
      this.#setTimer('watch', branch, this.#soon(COMPARE_MS))
    }
    const grown = followed.length > branch.followed.length
    branch.followed = followed
    if (grown) this.#delivered(branch)
    if (followed.seated) {
      // A player needs no source: the other seats' machines are always replicated with.
      this.#leaveSource(branch)
      branch.asked = null
      for (const machine of followed.seatMachines) {
        if (!this.#peers.has(machine)) this.#effects.push({ type: 'reach', machine })
      }
    }
    this.#reconcile(branch)
    this.#seek(branch)
  }

  #unfollow(sessionId: string): void {
    const branch = this.#branches.get(sessionId)
    if (branch === undefined) return
    this.#branches.delete(sessionId)
    if (branch.source !== null) this.#send(branch.source, { type: 'unfollow', session: sessionId })
    for (const child of served(branch)) {
      this.#send(child, { type: 'unavailable', session: sessionId })
    }
    this.#effects.push({ type: 'replicate', session: sessionId, machines: [] })
  }

  /** What is replicated with whom follows from the branch; said only when it has changed. */
  #reconcile(branch: Branch): void {
    const { followed, source } = branch
    const wanted = new Set(served(branch))
    if (followed.seated) for (const machine of followed.seatMachines) wanted.add(machine)
    if (source !== null) wanted.add(source)
    const machines = [...wanted].filter((machine) => this.#peers.has(machine)).sort()
    const key = machines.join()
    if (key === branch.replicated) return
    branch.replicated = key
    this.#effects.push({ type: 'replicate', session: followed.session, machines })
  }

  #setSource(branch: Branch, source: string, path: string[], claimed: number): void {
    const changed = branch.source !== source || branch.path.join() !== path.join()
    branch.source = source
    branch.path = path
    branch.asked = null
    if (claimed > branch.followed.length) {
      branch.sourceClaim ??= { machine: source, length: claimed, sinceMs: this.#nowMs }
    }
    if (!changed) return
    branch.tried.clear()
    branch.compareMs = COMPARE_MS
    this.#setTimer('watch', branch, this.#soon(COMPARE_MS))
    this.#reconcile(branch)
    for (const child of served(branch)) this.#sendServing(branch, child)
  }

  #leaveSource(branch: Branch): void {
    const { source, followed } = branch
    branch.source = null
    branch.path = []
    branch.sourceClaim = null
    if (source === null) return
    this.#send(source, { type: 'unfollow', session: followed.session })
    this.#reconcile(branch)
    for (const child of served(branch)) this.#sendServing(branch, child)
  }

  #sendServing(branch: Branch, to: string): void {
    const { followed, path } = branch
    this.#send(to, {
      type: 'serving',
      session: followed.session,
      path: [this.#machine, ...path].slice(0, MAX_PATH),
      length: followed.length,
    })
  }

  /** Asks the next machine that may serve this one; after the last, begins again a little later. */
  #seek(branch: Branch): void {
    const { followed } = branch
    if (followed.seated || branch.source !== null || branch.asked !== null) return
    for (const machine of this.#candidates(branch)) {
      if (branch.tried.has(machine) || branch.children.has(machine)) continue
      branch.tried.add(machine)
      if (!this.#peers.has(machine)) {
        this.#reach(branch, machine)
        continue
      }
      branch.asked = { machine, sinceMs: this.#nowMs }
      const { failed } = branch
      this.#send(machine, { type: 'follow', session: followed.session, failed })
      this.#setTimer('seek', branch, ANSWER_LIMIT_MS)
      return
    }
    this.#setTimer('seek', branch, SEEK_AGAIN_MS + this.#random() * SEEK_AGAIN_SPREAD_MS)
  }

  #seekOn(branch: Branch): void {
    branch.asked = null
    this.#seek(branch)
  }

  /** The machine that was asked has not answered; or all were, and it begins anew. */
  #seekAgain(branch: Branch): void {
    if (branch.asked === null) {
      branch.failed ||= branch.hints.length > 0
      branch.tried.clear()
      branch.hints = []
    } else if (this.#nowMs - branch.asked.sinceMs < ANSWER_LIMIT_MS) {
      return
    }
    this.#seekOn(branch)
  }

  /** Names of machines cost nothing: only the seats' are dialled without limit. */
  #reach(branch: Branch, machine: string): void {
    const { dialled, followed } = branch
    if (!followed.seatMachines.includes(machine)) {
      for (const [other, sinceMs] of dialled) {
        if (this.#nowMs - sinceMs >= DIALLED_MS) dialled.delete(other)
      }
      if (dialled.has(machine) || dialled.size >= MAX_DIALLED) return
      dialled.set(machine, this.#nowMs)
    }
    this.#effects.push({ type: 'reach', machine })
  }

  /** Who was named first, then players and others in an order that chance decides anew each time. */
  #candidates(branch: Branch): string[] {
    const { followed, hints } = branch
    const claimant = branch.claim === null ? [] : [branch.claim.machine]
    const players = this.#shuffled(followed.seatMachines)
    const others = this.#shuffled([...this.#peers])
    return [...new Set([...claimant, ...hints, ...players, ...others])].filter(
      (machine) => machine !== this.#machine && !this.#isAvoided(branch, machine),
    )
  }

  #shuffled(machines: readonly string[]): string[] {
    return machines
      .map((machine) => ({ machine, at: this.#random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ machine }) => machine)
  }

  #avoid(branch: Branch, machine: string): void {
    const { avoided } = branch
    avoided.delete(machine)
    avoided.set(machine, this.#nowMs)
    const [oldest] = avoided.keys()
    if (avoided.size > MAX_AVOIDED && oldest !== undefined) avoided.delete(oldest)
    branch.failed = true
    if (branch.claim?.machine === machine) branch.claim = null
  }

  #isAvoided({ avoided }: Branch, machine: string): boolean {
    const sinceMs = avoided.get(machine)
    if (sinceMs === undefined) return false
    if (this.#nowMs - sinceMs < AVOID_MS) return true
    avoided.delete(machine)
    return false
  }

  #received(from: string, message: AudienceMessage): void {
    const branch = this.#branches.get(message.session)
    if (message.type === 'follow') return this.#answer(from, message, branch)
    if (branch === undefined) {
      if (message.type === 'serving') {
        this.#send(from, { type: 'unfollow', session: message.session })
      }
      return
    }
    switch (message.type) {
      case 'unfollow':
        branch.children.delete(from)
        if (branch.guest?.machine === from) this.#endGuest(branch)
        return this.#reconcile(branch)
      case 'serving':
        return this.#served(branch, from, message)
      case 'redirect':
        if (branch.asked?.machine !== from) return
        branch.hints = [...new Set([...message.machines, ...branch.hints])].slice(0, MAX_HINTS)
        return this.#seekOn(branch)
      case 'unavailable':
        if (branch.source === from) this.#leaveSource(branch)
        else if (branch.asked?.machine !== from) return
        return this.#seekOn(branch)
      case 'compare':
        return this.#send(from, {
          type: 'have',
          session: message.session,
          length: branch.followed.length,
        })
      case 'have':
        return this.#heard(branch, from, message.length)
    }
  }

  #answer(
    from: string,
    { session: sessionId, failed }: { session: string; failed: boolean },
    branch: Branch | undefined,
  ): void {
    const useful =
      branch !== undefined &&
      !branch.path.includes(from) &&
      (branch.followed.seated || branch.source !== null || branch.followed.length > 0)
    if (!useful) return this.#send(from, { type: 'unavailable', session: sessionId })
    const { seated } = branch.followed
    if (served(branch).includes(from)) return this.#sendServing(branch, from)
    if (branch.children.size < (seated ? PLAYER_FANOUT : SPECTATOR_FANOUT)) {
      branch.children.add(from)
      this.#reconcile(branch)
      return this.#sendServing(branch, from)
    }
    if (seated && failed && this.#invite(branch, from)) return
    this.#send(from, { type: 'redirect', session: sessionId, machines: [...branch.children] })
  }

  /** The guest's place: at once if it is free, else perhaps when the one who has it must go. */
  #invite(branch: Branch, from: string): boolean {
    if (branch.guest === null) {
      branch.guest = { machine: from, sinceMs: this.#nowMs }
      this.#setTimer('guest', branch, GUEST_MS)
      this.#reconcile(branch)
      this.#sendServing(branch, from)
      return true
    }
    const { waitingGuests } = branch
    if (!waitingGuests.includes(from) && waitingGuests.length < MAX_WAITING_GUESTS) {
      waitingGuests.push(from)
    }
    return false
  }

  /** Whoever still waits draws lots. */
  #endGuest(branch: Branch): void {
    const { guest, followed, waitingGuests } = branch
    if (guest === null) return
    branch.guest = null
    branch.waitingGuests = []
    const here = waitingGuests.filter((machine) => this.#peers.has(machine))
    const next = here[Math.floor(this.#random() * here.length)]
    // Without anybody who waits, the guest may stay.
    if (next === undefined && this.#peers.has(guest.machine)) {
      branch.guest = { ...guest, sinceMs: this.#nowMs }
      this.#setTimer('guest', branch, GUEST_MS)
      return
    }
    this.#send(guest.machine, { type: 'unavailable', session: followed.session })
    if (next !== undefined) this.#invite(branch, next)
    this.#reconcile(branch)
  }

  #served(
    branch: Branch,
    from: string,
    { path, length }: { path: string[]; length: number },
  ): void {
    // A guest's place may be given long after it was asked for.
    const awaited =
      branch.asked?.machine === from ||
      branch.source === from ||
      (branch.source === null && branch.followed.seatMachines.includes(from))
    // Two that serve each other serve nobody.
    const circular = path.includes(this.#machine) || path.length >= MAX_PATH
    if (!awaited || circular || branch.followed.seated || this.#isAvoided(branch, from)) {
      this.#send(from, { type: 'unfollow', session: branch.followed.session })
      if (branch.source === from) this.#leaveSource(branch)
      if (awaited) this.#seekOn(branch)
      return
    }
    this.#setSource(branch, from, path, length)
  }

  /** Somebody says how far the session is with them. It moves nothing before it has delivered that. */
  #heard(branch: Branch, from: string, length: number): void {
    const { followed, source } = branch
    if (length <= followed.length || followed.seated || this.#isAvoided(branch, from)) return
    const claim = { machine: from, length, sinceMs: this.#nowMs }
    if (from === source) branch.sourceClaim ??= claim
    else if (branch.claim === null || branch.claim.length < length) {
      branch.claim = { ...claim, sinceMs: branch.claim?.sinceMs ?? this.#nowMs }
    } else return
    branch.compareMs = COMPARE_MS
    this.#setTimer('watch', branch, DELIVERY_LIMIT_MS)
  }

  /** More has come: claims that it fulfils are settled, and who was left for them is shown up. */
  #delivered(branch: Branch): void {
    const { length } = branch.followed
    if (branch.sourceClaim !== null && branch.sourceClaim.length <= length) {
      branch.sourceClaim = null
    }
    if (branch.claim !== null && branch.claim.length <= length) branch.claim = null
    const { suspect, source } = branch
    if (suspect === null || source === suspect.machine || length <= suspect.length) return
    branch.suspect = null
    this.#avoid(branch, suspect.machine)
  }

  /** Does the source keep up with what it says, and with what others have? */
  #watchOver(branch: Branch): void {
    const { followed, source, sourceClaim, claim } = branch
    if (followed.seated) return
    const isDue = (one: Claim | null): boolean =>
      one !== null && this.#nowMs - one.sinceMs >= DELIVERY_LIMIT_MS
    if (source !== null && isDue(sourceClaim)) {
      this.#leaveSource(branch)
      this.#avoid(branch, source)
    } else if (source !== null && isDue(claim)) {
      branch.suspect = { machine: source, length: followed.length }
      this.#leaveSource(branch)
      // Not at once again; whether it held something back shows when another delivers.
      branch.tried.add(source)
    } else if (source === null && isDue(claim) && branch.asked === null) {
      branch.claim = null
    }
    this.#compare(branch)
    this.#setTimer('watch', branch, this.#soon(branch.compareMs))
    branch.compareMs = Math.min(MAX_COMPARE_MS, branch.compareMs * 2)
    this.#seek(branch)
  }

  /** Asks the source and one other, drawn anew each time, how far they are. */
  #compare({ followed, source }: Branch): void {
    const others = this.#shuffled(
      [...new Set([...followed.seatMachines, ...this.#peers])].filter(
        (machine) => machine !== source && this.#peers.has(machine),
      ),
    )
    const players = others.filter((machine) => followed.seatMachines.includes(machine))
    const chosen = new Set([source, players[0], others[0]])
    for (const machine of chosen) {
      if (machine == null) continue
      this.#send(machine, { type: 'compare', session: followed.session })
    }
  }

  /** Somewhere around this time, so that an audience does not ask all at once. */
  #soon(afterMs: number): number {
    return afterMs * (0.75 + this.#random() / 2)
  }

  #opened(machine: string): void {
    this.#peers.add(machine)
    for (const branch of this.#branches.values()) {
      branch.tried.delete(machine)
      this.#reconcile(branch)
      this.#seek(branch)
    }
  }

  #closed(machine: string): void {
    this.#peers.delete(machine)
    for (const branch of this.#branches.values()) {
      branch.children.delete(machine)
      if (branch.guest?.machine === machine) this.#endGuest(branch)
      if (branch.claim?.machine === machine) branch.claim = null
      if (branch.source === machine) this.#leaveSource(branch)
      else if (branch.asked?.machine !== machine) {
        this.#reconcile(branch)
        continue
      }
      this.#seekOn(branch)
    }
  }
}

function newBranch(followed: Followed): Branch {
  return {
    followed,
    source: null,
    path: [],
    sourceClaim: null,
    claim: null,
    suspect: null,
    children: new Set(),
    guest: null,
    waitingGuests: [],
    asked: null,
    tried: new Set(),
    failed: false,
    hints: [],
    avoided: new Map(),
    dialled: new Map(),
    compareMs: COMPARE_MS,
    replicated: '',
  }
}

function served({ children, guest }: Branch): string[] {
  return guest === null ? [...children] : [...children, guest.machine]
}
