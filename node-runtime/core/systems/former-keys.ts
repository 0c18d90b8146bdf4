// Keys that a system had before it went on under another: what was written under them is its own.

interface KeyedSystem {
  key: string
  /** From the first to the newest. */
  formerKeys: readonly string[]
}

/** How many of them count, the newest: each is one more place to look for every record. */
export const MAX_FORMER_KEYS = 8

/** The former keys of a system with this key, of all that it claims with right; from the first on. */
export function formerKeysOf(key: string, claimed: Iterable<string>): string[] {
  return [...new Set(claimed)].filter((former) => former !== key).slice(-MAX_FORMER_KEYS)
}

/** Which system each key means: the one that has it, else the first that goes on from it. */
export function ownersByKey<S extends KeyedSystem>(systems: Iterable<S>): Map<string, S> {
  const all = [...systems]
  const owners = new Map(all.map((system) => [system.key, system]))
  for (const system of all) {
    for (const former of system.formerKeys) {
      if (!owners.has(former)) owners.set(former, system)
    }
  }
  return owners
}
