// Which keys publishers have replaced by which. Whoever holds a replaced key may be a thief, so what was
// learned of a publisher holds for all its systems, and outlives them.

/** The keys of one publisher as far as a machine has seen them, from the first, which names it, on. */
export type KeyChain = readonly string[]

/** Of so many publishers it is kept when nothing of theirs is installed; each has 101 keys at most. */
export const MAX_KEPT_CHAINS = 200

/** What to keep when something with these keys is uninstalled; the last that was learned stands last. */
export function keepChain(kept: readonly KeyChain[], keys: KeyChain): readonly KeyChain[] {
  if (keys.length < 2) return kept
  const known = kept.find(([publisher]) => publisher === keys[0])
  const longer = known !== undefined && known.length > keys.length ? known : keys
  return [...kept.filter((chain) => chain !== known), longer].slice(-MAX_KEPT_CHAINS)
}

/** Why keys of a publisher do not go on from what is known of it. */
export type KeyConflict =
  /** They end where `known` goes on: with a key that was replaced. */
  | { kind: 'replaced'; known: KeyChain }
  /** One key, `by`, has handed over to two: whoever stole it, and its owner. Nobody else can tell who is who. */
  | { kind: 'forked'; known: KeyChain; by: string; knownNext: string; otherNext: string }

/** What keeps these keys from going on from what is known of their publisher; undefined if nothing does. */
export function findConflict(known: Iterable<KeyChain>, keys: KeyChain): KeyConflict | undefined {
  let replaced: KeyConflict | undefined
  for (const chain of known) {
    if (chain[0] !== keys[0]) continue
    const at = chain.findIndex((key, place) => keys[place] !== key)
    if (at === -1) continue
    const [by, knownNext, otherNext] = [chain[at - 1], chain[at], keys[at]]
    if (by === undefined || knownNext === undefined || otherNext === undefined) {
      replaced ??= { kind: 'replaced', known: chain }
    } else return { kind: 'forked', known: chain, by, knownNext, otherNext }
  }
  return replaced
}

/** What to keep when the person decides anew whom to believe: nothing of this publisher. */
export function forgetChains(kept: readonly KeyChain[], publisher: string): readonly KeyChain[] {
  return kept.filter(([first]) => first !== publisher)
}
