// Who fell silent, and whether others still hear them. They are asked before a machine is taken for gone, and a machine
// that lost most of its links at once takes itself for the one that is cut off. Nobody's word says that another is
// gone: who asks of a machine has each look at its own link.
import type { Member, RingEffect } from './ring-events.ts'

/** Who was asked whether a machine that was lost answers, and says nothing for so long, has no answer from it. */
const ANSWERED_MS = 2_000
/** Who lost a machine so lately says the same as one that is asked. */
const LOST_TOO_MS = 10_000
/** Machines of which others ask, and who asks of each. */
const MAX_ASKED = 64
const MAX_ASKERS = 16
/** Links that were lost within this time count as lost at once. */
const TOGETHER_MS = 10_000
const MAX_LOST = 64

interface Suspect {
  member: Member
  dueMs: number
  /** Who has not said yet whether it answers. */
  helpers: Set<string>
}

/** Who asked of a machine, and when last. */
interface Asked {
  by: Set<string>
  atMs: number
}

export class Suspicion {
  /** By machine: with whom this one is linked. */
  readonly #links: ReadonlyMap<string, unknown>
  readonly #suspects = new Map<string, Suspect>()
  readonly #asked = new Map<string, Asked>()
  #lostMs: number[] = []

  constructor(links: ReadonlyMap<string, unknown>) {
    this.#links = links
  }

  /** Were links lost lately, as of the last tick? */
  get hasLosses(): boolean {
    return this.#lostMs.length > 0
  }

  /** Did this machine lose so many links at once that it is likelier to be cut off itself? */
  isCutOff(nowMs: number): boolean {
    const lost = this.#lostMs.filter((atMs) => nowMs - atMs < TOGETHER_MS).length
    return this.#links.size === 0 || lost > this.#links.size
  }

  /** Was it lost, and are others asked now whether it answers them? */
  has(machine: string): boolean {
    return this.#suspects.has(machine)
  }

  /** Do others wait to hear whether it answers this machine? */
  isAskedOf(machine: string): boolean {
    return (this.#asked.get(machine)?.by.size ?? 0) > 0
  }

  /** A link with it is there again. */
  clear(machine: string): void {
    this.#suspects.delete(machine)
  }

  /** All who are linked here are asked, but for those that ask of it themselves: each looks at its own link. */
  probe(machine: string): RingEffect[] {
    return this.#toProbe(machine).map((to) => probeTo(to, machine))
  }

  /** Its link fell silent, and is no more: asks others before it is taken for gone. */
  lost(member: Member, nowMs: number): RingEffect[] {
    const { machine } = member
    this.#lostMs = [...this.#lostMs, nowMs].slice(-MAX_LOST)
    const asked = this.#asked.get(machine)
    const isLostByOthers = asked !== undefined && nowMs - asked.atMs < LOST_TOO_MS
    const helpers = this.#toProbe(machine)
    const effects = helpers.map((to) => probeTo(to, machine))
    this.#suspects.set(machine, {
      member,
      dueMs: nowMs + ANSWERED_MS,
      helpers: new Set(isLostByOthers ? [] : helpers),
    })
    if (isLostByOthers) effects.push(...this.#confirm(member, nowMs))
    return [...effects, ...this.answer(machine, false)]
  }

  /** Says whether that machine answers, once this one knows: it asks it by a link, if there is one. */
  askedOf(machine: string, by: string, nowMs: number): RingEffect[] {
    const asked = this.#asked.get(machine) ?? { by: new Set<string>(), atMs: 0 }
    this.#asked.delete(machine)
    this.#asked.set(machine, asked)
    const [first] = this.#asked.keys()
    if (this.#asked.size > MAX_ASKED && first !== undefined) this.#asked.delete(first)
    asked.atMs = nowMs
    if (asked.by.size < MAX_ASKERS) asked.by.add(by)
    return this.#links.has(machine) ? [{ type: 'check', machine }] : []
  }

  /** Tells those who asked of it whether it answers this machine, once. */
  answer(machine: string, answers: boolean): RingEffect[] {
    const asked = this.#asked.get(machine)
    const effects = [...(asked?.by ?? [])].map(
      (to): RingEffect => ({ type: 'send', to, message: { kind: 'probed', machine, answers } }),
    )
    asked?.by.clear()
    return effects
  }

  /**
   * One of those that were asked has said whether it answers.
   * @returns `answered`: who is there, since one whom it answers is enough: the way to it is broken, and the machine is
   *   not
   */
  probed(
    machine: string,
    { by, answers }: { by: string; answers: boolean },
    nowMs: number,
  ): { effects: RingEffect[]; answered: Member | null } {
    const suspect = this.#suspects.get(machine)
    if (suspect?.helpers.delete(by) !== true) return { effects: [], answered: null }
    if (answers) {
      this.#suspects.delete(machine)
      return { effects: [], answered: suspect.member }
    }
    const effects = suspect.helpers.size === 0 ? this.#confirm(suspect.member, nowMs) : []
    return { effects, answered: null }
  }

  /** Who was asked and said nothing has said enough. */
  tick(nowMs: number): RingEffect[] {
    this.#lostMs = this.#lostMs.filter((atMs) => nowMs - atMs < TOGETHER_MS)
    const due = [...this.#suspects.values()].filter(({ dueMs }) => dueMs <= nowMs)
    const effects = due.flatMap(({ member }) => this.#confirm(member, nowMs))
    for (const [machine, { atMs }] of this.#asked) {
      if (nowMs - atMs > LOST_TOO_MS) this.#asked.delete(machine)
    }
    return effects
  }

  /** Nobody whom it answers was found. */
  #confirm({ machine }: Member, nowMs: number): RingEffect[] {
    this.#suspects.delete(machine)
    return this.isCutOff(nowMs) ? [] : [{ type: 'gone', machine }]
  }

  #toProbe(machine: string): string[] {
    const asked = this.#asked.get(machine)
    return [...this.#links.keys()].filter(
      (peer) => peer !== machine && asked?.by.has(peer) !== true,
    )
  }
}

function probeTo(to: string, machine: string): RingEffect {
  return { type: 'send', to, message: { kind: 'probe', machine } }
}
