// Broadcast over the links: what is new goes on at once over the links that brought this author's news first before,
// and only its id over the others, from where it is fetched if it does not come. So each machine gets it about
// once, by the shortest ways there were, and gets it all the same when a link dies under it.
// Source of the idea: Leitão et al., "Epidemic Broadcast Trees" (SRDS 2007); here a tree for each author, so that
// none is longer than the shortest ways from it.
import { Budget } from '../budget.ts'
import type { Core } from '../step.ts'

/** Ids that were seen: an hour of one a second. */
export const MAX_SEEN = 4_096
/** What can still be asked for, by number, by characters together, and by age. */
const MAX_KEPT = 256
const MAX_KEPT_CHARS = 4_000_000
const KEPT_MS = 120_000
/** Authors whose ways are known; news of others go over all links. */
const MAX_AUTHORS = 256
/** Ids that one link may say it has, and this machine waits for; as many as it says at once. */
const MAX_MISSING = 256
/** Ids are gathered for so long before they are told. */
const GATHER_MS = 200
/** What others have for so long and did not come is asked for. */
const MISSING_MS = 700
/** No way through a cloud is longer. */
export const MAX_HOPS = 1_000
/** Ids in one message. */
export const MAX_HEADS = 256
/** What one link may push and ask for. */
const PUSHES = { burst: 512, perSecond: 64 }

export interface Item {
  /** The hash of the payload, which the receiver has checked: the same of two authors is one. */
  id: string
  /** Whose news it is; opaque here. */
  author: string
  payload: string
}

/** What somebody has, and over how many links it came. */
export interface Head {
  id: string
  hops: number
}

export type BroadcastMessage =
  | { kind: 'push'; item: Item; hops: number }
  | { kind: 'have'; heads: readonly Head[] }
  | { kind: 'want'; ids: readonly string[] }
  /** Send me this author's news unasked. */
  | { kind: 'graft'; author: string }
  /** Send me no more of this author's news unasked. */
  | { kind: 'prune'; author: string }

export type BroadcastEvent =
  | { type: 'publish'; item: Item }
  | { type: 'linkOpened'; machine: string }
  | { type: 'linkClosed'; machine: string }
  | { type: 'received'; from: string; message: BroadcastMessage }
  | { type: 'timer'; id: string }

export type BroadcastEffect =
  | { type: 'send'; to: string; message: BroadcastMessage }
  /** Once for each item. @param hops links that it came over */
  | { type: 'deliver'; item: Item; hops: number }
  | { type: 'setTimer'; id: string; afterMs: number }

interface Kept {
  item: Item
  hops: number
  atMs: number
  /** Whom it came from; null if it is this machine's own. */
  from: string | null
}

interface LinkState {
  budget: Budget
  tells: Head[]
  /** What it says it has, and was not asked for yet. */
  offers: Set<string>
}

export class BroadcastCore implements Core<BroadcastEvent, BroadcastEffect> {
  readonly #links = new Map<string, LinkState>()
  readonly #seen = new Set<string>()
  readonly #kept = new Map<string, Kept>()
  #keptChars = 0
  /** Of each author: over which links only ids go. */
  readonly #pruned = new Map<string, Set<string>>()
  /** Who says that it has it, in this order; nobody else's word keeps out another's. */
  readonly #missing = new Map<string, { holders: Set<string>; dueMs: number }>()
  #timerSet = false
  #effects: BroadcastEffect[] = []
  #nowMs = 0

  hasSeen(id: string): boolean {
    return this.#seen.has(id)
  }

  /** How many things are kept in memory. */
  get waiting(): number {
    return this.#kept.size + this.#missing.size + this.#pruned.size
  }

  step(event: BroadcastEvent, nowMs: number): BroadcastEffect[] {
    this.#nowMs = nowMs
    this.#effects = []
    switch (event.type) {
      case 'publish':
        if (this.#note(event.item, 0, null)) this.#spread(event.item, 0, null)
        break
      case 'linkOpened':
        this.#opened(event.machine)
        break
      case 'linkClosed':
        for (const id of this.#links.get(event.machine)?.offers ?? []) {
          this.#missing.get(id)?.holders.delete(event.machine)
        }
        this.#links.delete(event.machine)
        for (const links of this.#pruned.values()) links.delete(event.machine)
        break
      case 'received':
        this.#received(event.from, event.message)
        break
      case 'timer':
        this.#timer()
        break
    }
    return this.#effects
  }

  /** Who comes anew may lack what was said lately. */
  #opened(machine: string): void {
    const tells = [...this.#kept].slice(-MAX_HEADS).map(([id, { hops }]) => ({ id, hops }))
    const budget = new Budget(PUSHES, this.#nowMs)
    this.#links.set(machine, { budget, tells, offers: new Set() })
    if (tells.length > 0) this.#later(GATHER_MS)
  }

  #received(from: string, message: BroadcastMessage): void {
    const link = this.#links.get(from)
    if (link === undefined) return
    switch (message.kind) {
      case 'push':
        if (link.budget.tryUse(1, this.#nowMs)) this.#pushed(from, message.item, message.hops)
        return
      case 'have':
        for (const head of message.heads.slice(0, MAX_HEADS)) this.#has(from, link, head)
        return
      case 'want':
        for (const id of message.ids.slice(0, MAX_HEADS)) {
          const kept = this.#kept.get(id)
          if (kept === undefined || !link.budget.tryUse(1, this.#nowMs)) continue
          // Who had to ask was reached by nobody else: from now on it is told at once.
          this.#pruned.get(kept.item.author)?.delete(from)
          this.#push(from, kept)
        }
        return
      case 'graft':
        this.#pruned.get(message.author)?.delete(from)
        return
      case 'prune':
        this.#prunedBy(message.author).add(from)
    }
  }

  #pushed(from: string, item: Item, hops: number): void {
    this.#found(item.id)
    if (!this.#note(item, hops, from)) {
      if (!this.#isShorter(from, item.id, hops)) this.#prune(from, item.author)
      return
    }
    this.#prunedBy(item.author).delete(from)
    this.#effects.push({ type: 'deliver', item, hops })
    this.#spread(item, hops, from)
  }

  /** True if it is new. */
  #note(item: Item, hops: number, from: string | null): boolean {
    if (this.#seen.has(item.id)) return false
    this.#seen.add(item.id)
    for (const first of this.#seen) {
      if (this.#seen.size <= MAX_SEEN) break
      this.#seen.delete(first)
    }
    this.#kept.set(item.id, { item, hops, atMs: this.#nowMs, from })
    this.#keptChars += item.payload.length
    for (const [first, { atMs, item: oldest }] of this.#kept) {
      const isOver = this.#kept.size > MAX_KEPT || this.#keptChars > MAX_KEPT_CHARS
      if (!isOver && this.#nowMs - atMs < KEPT_MS) break
      this.#kept.delete(first)
      this.#keptChars -= oldest.payload.length
    }
    return true
  }

  #spread(item: Item, hops: number, from: string | null): void {
    const pruned = this.#pruned.get(item.author)
    for (const [machine, link] of this.#links) {
      if (machine === from) continue
      if (pruned?.has(machine) !== true) {
        this.#push(machine, { item, hops })
        continue
      }
      if (link.tells.length < MAX_HEADS) link.tells.push({ id: item.id, hops })
      this.#later(GATHER_MS)
    }
  }

  #push(to: string, { item, hops }: Pick<Kept, 'item' | 'hops'>): void {
    // Who lies about the way must not make this machine say what nobody may.
    const message = { kind: 'push', item, hops: Math.min(hops + 1, MAX_HOPS) } as const
    this.#effects.push({ type: 'send', to, message })
  }

  #prune(machine: string, author: string): void {
    this.#effects.push({ type: 'send', to: machine, message: { kind: 'prune', author } })
    this.#prunedBy(author).add(machine)
  }

  /** Takes the way of who brings it later, if that is shorter than the one by which it came, although it is slower. */
  #isShorter(from: string, id: string, hops: number): boolean {
    const kept = this.#kept.get(id)
    if (kept === undefined || kept.from === null || kept.from === from) return false
    if (hops >= kept.hops) return false
    const { author } = kept.item
    this.#prune(kept.from, author)
    this.#prunedBy(author).delete(from)
    kept.from = from
    kept.hops = hops
    return true
  }

  #has(from: string, link: LinkState, { id, hops }: Head): void {
    if (this.#seen.has(id)) {
      const author = this.#kept.get(id)?.item.author
      if (author === undefined || !this.#isShorter(from, id, hops + 1)) return
      this.#effects.push({ type: 'send', to: from, message: { kind: 'graft', author } })
      return
    }
    if (link.offers.size >= MAX_MISSING) return
    link.offers.add(id)
    const missing = this.#missing.get(id)
    if (missing !== undefined) {
      missing.holders.add(from)
      return
    }
    this.#missing.set(id, { holders: new Set([from]), dueMs: this.#nowMs + MISSING_MS })
    this.#later(GATHER_MS)
  }

  /** It came, or nobody has it. */
  #found(id: string): void {
    for (const holder of this.#missing.get(id)?.holders ?? []) {
      this.#links.get(holder)?.offers.delete(id)
    }
    this.#missing.delete(id)
  }

  /** Tells what was gathered, and asks for what did not come. */
  #timer(): void {
    this.#timerSet = false
    for (const [machine, link] of this.#links) {
      if (link.tells.length === 0) continue
      const heads = link.tells.splice(0)
      this.#effects.push({ type: 'send', to: machine, message: { kind: 'have', heads } })
    }
    const wanted = new Map<string, string[]>()
    for (const [id, missing] of this.#missing) {
      if (missing.dueMs > this.#nowMs) continue
      const [holder] = missing.holders
      if (holder === undefined) {
        this.#found(id)
        continue
      }
      missing.holders.delete(holder)
      this.#links.get(holder)?.offers.delete(id)
      missing.dueMs = this.#nowMs + MISSING_MS
      wanted.set(holder, [...(wanted.get(holder) ?? []), id])
    }
    for (const [to, ids] of wanted) {
      for (let at = 0; at < ids.length; at += MAX_HEADS) {
        const message: BroadcastMessage = { kind: 'want', ids: ids.slice(at, at + MAX_HEADS) }
        this.#effects.push({ type: 'send', to, message })
      }
    }
    if (this.#missing.size > 0) this.#later(GATHER_MS)
  }

  #prunedBy(author: string): Set<string> {
    let links = this.#pruned.get(author)
    if (links !== undefined) {
      this.#pruned.delete(author)
    } else {
      links = new Set()
      const [first] = this.#pruned.keys()
      if (this.#pruned.size >= MAX_AUTHORS && first !== undefined) this.#pruned.delete(first)
    }
    this.#pruned.set(author, links)
    return links
  }

  #later(afterMs: number): void {
    if (this.#timerSet) return
    this.#timerSet = true
    this.#effects.push({ type: 'setTimer', id: 'gather', afterMs })
  }
}
