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

/** What is known of the publisher of `keys` and these do not go on from; undefined if there is none. */
export function findReplacing(known: Iterable<KeyChain>, keys: KeyChain): KeyChain | undefined {
  for (const chain of known) {
    if (chain[0] === keys[0] && chain.some((key, at) => keys[at] !== key)) return chain
  }
  return undefined
}
