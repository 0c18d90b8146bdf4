// One machine's membership without a machine under it, for tests: entries, and a core on a made-up clock.
import type { MachineEntry } from '../core/forms/machine-form.ts'
import { MembershipCore } from '../core/membership/membership-core.ts'
import { KnownSummary } from '../core/membership/known-summary.ts'
import type {
  MembershipEffect,
  MembershipEvent,
  Offer,
} from '../core/membership/membership-core.ts'
import { keyOf, keysOf, signTestEntry } from './entries.ts'

const CLOUD = keyOf('cloud')
export const signed = (name: string, sequence = 1): MachineEntry =>
  signTestEntry({ keys: keysOf(name), cloud: CLOUD, name, sequence })
export const own = signed('own', 10)
export const ada = signed('ada')
export const bob = signed('bob')

/** An entry that costs no signature: the core trusts who verified it. */
export function invented(number: number, chars = 10): MachineEntry {
  const machine = `machine-${number}`
  return { ...ada, machine, form: { body: 'x'.repeat(chars), signature: '' } }
}

export const offer = ({ machine, sequence, form }: MachineEntry): Offer => ({
  machine,
  sequence,
  form,
})

/** The membership of one machine on a clock of its own, and what its driver would do. */
export function world() {
  const core = new MembershipCore(own)
  let nowMs = 0
  const timers = new Map<string, number>()
  const log: MembershipEffect[] = []
  const post = (event: MembershipEvent): MembershipEffect[] => {
    const effects = core.step(event, nowMs)
    for (const effect of effects) {
      if (effect.type === 'setTimer') timers.set(effect.id, nowMs + effect.afterMs)
      else log.push(effect)
    }
    return effects
  }
  const until = (endMs: number): void => {
    for (;;) {
      const next = [...timers].sort((a, b) => a[1] - b[1])[0]
      if (next === undefined || next[1] > endMs) break
      timers.delete(next[0])
      nowMs = Math.max(nowMs, next[1])
      post({ type: 'timer', id: next[0] })
    }
    nowMs = endMs
  }
  const link = (entry: MachineEntry): MembershipEffect[] => [
    ...post({ type: 'linkOpened', entry, wallMs: 1_000 + nowMs }),
    ...post({ type: 'channelOpened', machine: entry.machine }),
  ]
  /** What a driver does with offers: all of them are genuine here. */
  const hear = (from: MachineEntry, entries: readonly MachineEntry[]): MembershipEffect[] => {
    const offers = entries.map((entry) => offer(entry))
    const effects = post({ type: 'offered', from: from.machine, offers })
    const forms = effects.flatMap((effect) => (effect.type === 'verify' ? effect.forms : []))
    const wanted = entries.filter(({ form }) => forms.includes(form))
    return post({ type: 'verified', from: from.machine, entries: wanted, forged: 0 })
  }
  /** Another machine says what it knows, and is told of these. */
  const compare = (from: MachineEntry, entries: readonly MachineEntry[]): string[] => {
    const theirs = new KnownSummary(
      entries.map(({ machine, sequence }) => [machine, sequence] as const),
    )
    const ours = [...post({ type: 'compared', from: from.machine, digests: theirs.digests })]
    const ourDigests = log.findLast((effect) => effect.type === 'compare')!.digests
    const told = theirs
      .differing(ourDigests)
      .flatMap((named) => [...post({ type: 'named', from: from.machine, named })])
    // Of what differs both sides say what they have.
    if (told.length > 0 && !ours.some(({ type }) => type === 'name')) throw new Error('not named')
    return told.flatMap((effect) => (effect.type === 'tell' ? effect.machines : []))
  }
  const count = (type: MembershipEffect['type']): number =>
    log.filter((effect) => effect.type === type).length
  return { core, post, until, link, hear, compare, count, log, names: () => names(core) }
}

function names(core: MembershipCore): string[] {
  return [...core.known].map(({ entry }) => entry.name).sort()
}
