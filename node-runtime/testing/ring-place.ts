// One machine's place on the rings without a machine under it, for tests: members stand where a test puts them.
import { RingCore } from '../core/rings/ring-core.ts'
import type { Member, RingEffect, RingEvent, RingMessage } from '../core/rings/ring-events.ts'

/** At one position on all rings, or at one on each. */
export function memberAt(
  machine: string,
  at: number | number[],
  changes: Partial<Member> = {},
): Member {
  const positions = typeof at === 'number' ? [at, at, at, at] : at
  return { machine, at: positions, incarnation: 1, network: null, ...changes }
}

const own = memberAt('own', 0)

/** `count` members all around, in the order of their names. */
export function circle(count: number): Member[] {
  return Array.from({ length: count }, (_, i) => memberAt(`m${i}`, (i + 1) / (count + 1)))
}

/** One machine on a made-up clock, and chance that a test sets. */
export function start({
  needs = () => false,
  prefers = () => false,
  chance = 0.5,
}: {
  needs?: (machine: string) => boolean
  prefers?: (machine: string) => boolean
  chance?: number
} = {}) {
  const random = { next: chance }
  const core = new RingCore({ own, random: () => random.next, needs, prefers })
  let nowMs = 1_000_000
  const post = (event: RingEvent): RingEffect[] => core.step(event, nowMs)
  const open = (member: Member, dialled = true, network: string | null = null): RingEffect[] =>
    post({ type: 'linkOpened', member, dialled, network })
  const hear = (from: string, message: RingMessage): RingEffect[] =>
    post({ type: 'received', from, message })
  const know = (...members: Member[]): RingEffect[] =>
    post({ type: 'told', members: members.map((member) => ({ member, ageMs: 0 })) })
  const tick = (afterMs: number): RingEffect[] => {
    nowMs += afterMs
    return post({ type: 'timer', id: 'tick' })
  }
  /** Ticks of a second each; what came of them, by the second. */
  const seconds = (count: number): RingEffect[][] =>
    Array.from({ length: count }, () => tick(1_000))
  const later = (ms: number): void => void (nowMs += ms)
  return { core, random, post, open, hear, know, tick, seconds, later }
}

/** Whom it dials. */
export const reached = (effects: readonly RingEffect[]): string[] =>
  effects.flatMap((effect) => (effect.type === 'reach' ? [effect.member.machine] : []))
/** To whom it says something of a kind. */
export const sent = (effects: readonly RingEffect[], kind: RingMessage['kind']): string[] =>
  effects.flatMap((effect) =>
    effect.type === 'send' && effect.message.kind === kind ? [effect.to] : [],
  )
