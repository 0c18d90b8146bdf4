// How the logs of a session reach its audience: players replicate with each other, each serves one
// spectator at most, and spectators serve the others, so that a player's upload does not grow with
// the audience. Who is full names those it serves; who loses its source asks again.
import * as z from 'zod'
import { hashSchema, keySchema } from '../../contract/values.ts'
import { domainBytes, hash, toHex } from '../../core/keys.ts'
import type { SeatLog } from '../../store/session-logs.ts'
import { jsonCodec } from '../../swarm/codec.ts'
import type { LinkMux, Network, Protocol } from '../../swarm/network.ts'

const PROTOCOL = 'dharma/sessions/1'
/** One is enough for the audience to grow from, and keeps a player's upload the same for any number. */
const PLAYER_FANOUT = 1
/** Two make a tree: its depth grows with the logarithm of the audience. */
const SPECTATOR_FANOUT = 2
const ANSWER_LIMIT_MS = 2_000
/** When nobody could serve: the pause before asking all again, and how much it varies. */
const SEEK_AGAIN_MS = 700
const SEEK_AGAIN_SPREAD_MS = 600
/** Ancestors in a tree that is a chain in the worst case. */
const MAX_PATH = 1_000
/** The longest path, of 52 characters a machine. */
const MAX_MESSAGE_BYTES = 60_000

const session = hashSchema
const messageSchema = z.discriminatedUnion('type', [
  /** May I replicate this session from you? */
  z.object({ type: z.literal('follow'), session }),
  /** You may. `path`: the sender, its own source, and so on; sent again when it changes. */
  z.object({ type: z.literal('serving'), session, path: z.array(keySchema).max(MAX_PATH) }),
  /** I serve as many as I can: ask these. */
  z.object({ type: z.literal('redirect'), session, machines: z.array(keySchema).max(16) }),
  /** I do not have it, or no longer. */
  z.object({ type: z.literal('unavailable'), session }),
  z.object({ type: z.literal('unfollow'), session }),
])
type Message = z.infer<typeof messageSchema>

/** What the tree needs to know of a session that this machine follows. */
export interface FollowedSession {
  session: string
  logs: () => readonly SeatLog[]
  /** Does this machine hold a seat? */
  seated: () => boolean
  /** The machines of the other seats, as far as they are known. */
  seatMachines: () => readonly string[]
}

class Branch {
  readonly followed: FollowedSession
  source: string | null = null
  /** The source, its source, and so on. */
  path: string[] = []
  readonly children = new Set<string>()
  asked: string | null = null
  readonly tried = new Set<string>()
  hints: string[] = []
  timer: NodeJS.Timeout | null = null

  constructor(followed: FollowedSession) {
    this.followed = followed
  }

  setTimer(afterMs: number, action: () => void): void {
    this.clearTimer()
    this.timer = setTimeout(action, afterMs)
    this.timer.unref()
  }

  clearTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
  }

  get fanout(): number {
    return this.followed.seated() ? PLAYER_FANOUT : SPECTATOR_FANOUT
  }
}

export class SpectatorTree {
  readonly #network: Network
  readonly #machine: string
  readonly #protocol: Protocol<Message>
  readonly #branches = new Map<string, Branch>()
  readonly #links = new Map<string, LinkMux>()
  /** The machines that speak the protocol with this one now. */
  readonly #peers = new Set<string>()
  readonly #stopLinks: () => void

  /** @param onPeers  called when a machine comes or goes */
  constructor(network: Network, machine: string, onPeers: () => void) {
    this.#network = network
    this.#machine = machine
    this.#stopLinks = network.onLink((mux, { machine: other }) => {
      this.#links.set(other, mux)
      for (const branch of this.#branches.values()) this.#reconcile(branch)
    })
    this.#protocol = network.openProtocol({
      name: PROTOCOL,
      codec: jsonCodec(messageSchema, MAX_MESSAGE_BYTES),
      opened: (peer) => {
        this.#opened(peer.machine)
        onPeers()
      },
      received: (peer, message) => this.#received(peer.machine, message),
      closed: (peer) => {
        this.#closed(peer.machine)
        onPeers()
      },
    })
  }

  add(followed: FollowedSession): void {
    const branch = new Branch(followed)
    this.#branches.set(followed.session, branch)
    this.#update(branch)
  }

  /** A log or a seat's machine has become known, or a seat was taken here. */
  update(sessionId: string): void {
    const branch = this.#branches.get(sessionId)
    if (branch !== undefined) this.#update(branch)
  }

  remove(sessionId: string): void {
    const branch = this.#branches.get(sessionId)
    if (branch === undefined) return
    this.#branches.delete(sessionId)
    branch.clearTimer()
    if (branch.source !== null) this.#send(branch.source, { type: 'unfollow', session: sessionId })
    for (const child of branch.children) {
      this.#send(child, { type: 'unavailable', session: sessionId })
    }
    for (const mux of this.#links.values()) {
      for (const log of branch.followed.logs()) log.stopReplicating(mux)
    }
  }

  /** Can sessions be followed with that machine now? */
  isOnline(machine: string): boolean {
    return this.#peers.has(machine)
  }

  /** Who serves this machine, and whom it serves. */
  placeOf(sessionId: string): { source: string | null; children: string[] } | null {
    const branch = this.#branches.get(sessionId)
    return branch === undefined ? null : { source: branch.source, children: [...branch.children] }
  }

  close(): void {
    for (const sessionId of [...this.#branches.keys()]) this.remove(sessionId)
    this.#stopLinks()
    this.#protocol.close()
  }

  #send(machine: string, message: Message): boolean {
    return this.#protocol.send(machine, message)
  }

  #update(branch: Branch): void {
    const { followed } = branch
    if (followed.seated() && branch.source !== null) {
      this.#send(branch.source, { type: 'unfollow', session: followed.session })
      this.#setSource(branch, null, [])
    }
    for (const machine of followed.seatMachines()) this.#network.reach(machine)
    this.#reconcile(branch)
    this.#seek(branch)
  }

  /** Makes the links carry the logs exactly where they should. */
  #reconcile({ followed, source, children }: Branch): void {
    const players = followed.seated() ? followed.seatMachines() : []
    for (const [machine, mux] of this.#links) {
      const wanted = machine === source || children.has(machine) || players.includes(machine)
      for (const log of followed.logs()) {
        if (wanted) log.replicate(mux)
        else log.stopReplicating(mux)
      }
    }
  }

  #setSource(branch: Branch, source: string | null, path: string[]): void {
    branch.source = source
    branch.path = path
    this.#reconcile(branch)
    for (const child of branch.children) this.#sendServing(branch, child)
  }

  #sendServing({ followed, path }: Branch, child: string): void {
    this.#send(child, {
      type: 'serving',
      session: followed.session,
      path: [this.#machine, ...path].slice(0, MAX_PATH),
    })
  }

  /** Asks the next machine that may serve this one; after the last, begins again a little later. */
  #seek(branch: Branch): void {
    const { followed } = branch
    if (followed.seated() || branch.source !== null || branch.asked !== null) return
    if (this.#branches.get(followed.session) !== branch) return
    for (const machine of this.#candidates(branch)) {
      if (branch.tried.has(machine) || branch.children.has(machine)) continue
      branch.tried.add(machine)
      if (!this.#send(machine, { type: 'follow', session: followed.session })) {
        this.#network.reach(machine)
        continue
      }
      branch.asked = machine
      branch.setTimer(ANSWER_LIMIT_MS, () => this.#seekOn(branch))
      return
    }
    branch.setTimer(SEEK_AGAIN_MS + Math.random() * SEEK_AGAIN_SPREAD_MS, () => {
      branch.tried.clear()
      branch.hints = []
      this.#seek(branch)
    })
  }

  #seekOn(branch: Branch): void {
    branch.asked = null
    branch.clearTimer()
    this.#seek(branch)
  }

  /** Players first, in an order that differs between spectators; then who was named; then anyone. */
  #candidates({ followed, hints }: Branch): Set<string> {
    const rank = (machine: string): string =>
      toHex(hash(domainBytes(this.#machine, `${followed.session}${machine}`)))
    const players = [...followed.seatMachines()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
    const candidates = new Set([...hints, ...players, ...this.#peers])
    candidates.delete(this.#machine)
    return candidates
  }

  #received(from: string, message: Message): void {
    const branch = this.#branches.get(message.session)
    if (message.type === 'follow') return this.#answer(from, message.session, branch)
    if (branch === undefined) {
      if (message.type === 'serving') {
        this.#send(from, { type: 'unfollow', session: message.session })
      }
      return
    }
    switch (message.type) {
      case 'unfollow':
        branch.children.delete(from)
        return this.#reconcile(branch)
      case 'serving':
        return this.#served(branch, from, message.path)
      case 'redirect':
        if (branch.asked !== from) return
        branch.hints = [...message.machines, ...branch.hints]
        return this.#seekOn(branch)
      case 'unavailable':
        if (branch.source === from) this.#setSource(branch, null, [])
        else if (branch.asked !== from) return
        return this.#seekOn(branch)
    }
  }

  #answer(from: string, sessionId: string, branch: Branch | undefined): void {
    const useful =
      branch !== undefined &&
      !branch.path.includes(from) &&
      (branch.followed.seated() ||
        branch.source !== null ||
        branch.followed.logs().some(({ length }) => length > 0))
    if (!useful) {
      this.#send(from, { type: 'unavailable', session: sessionId })
    } else if (branch.children.size < branch.fanout || branch.children.has(from)) {
      branch.children.add(from)
      this.#reconcile(branch)
      this.#sendServing(branch, from)
    } else {
      const machines = [...branch.children]
      this.#send(from, { type: 'redirect', session: sessionId, machines })
    }
  }

  #served(branch: Branch, from: string, path: string[]): void {
    const awaited = branch.asked === from || branch.source === from
    // Two that serve each other serve nobody.
    const circular = path.includes(this.#machine)
    if (!awaited || circular || branch.followed.seated()) {
      this.#send(from, { type: 'unfollow', session: branch.followed.session })
      if (branch.source === from) this.#setSource(branch, null, [])
      if (awaited) this.#seekOn(branch)
      return
    }
    if (branch.asked === from) {
      branch.asked = null
      branch.clearTimer()
      branch.tried.clear()
      branch.hints = []
    }
    this.#setSource(branch, from, path)
  }

  #opened(machine: string): void {
    this.#peers.add(machine)
    for (const branch of this.#branches.values()) {
      branch.tried.delete(machine)
      this.#seek(branch)
    }
  }

  #closed(machine: string): void {
    this.#peers.delete(machine)
    this.#links.delete(machine)
    for (const branch of this.#branches.values()) {
      branch.children.delete(machine)
      if (branch.source === machine) {
        this.#setSource(branch, null, [])
        this.#seekOn(branch)
      } else if (branch.asked === machine) {
        this.#seekOn(branch)
      }
    }
  }
}
