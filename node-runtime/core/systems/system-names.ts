// By which names a system can be meant: its key, its host in addresses, and the id that people type.
import { ownersByKey } from './former-keys.ts'

/** Characters of the key that tell two systems with one id apart in addresses; 60 bits of it. */
const KEY_PART_CHARS = 12

/** Between id and key in a host. No id holds it, so a host is never somebody's id. */
const HOST_MARK = '--'

export interface NamedSystem {
  key: string
  /** The name in `cloud://` addresses: unique on this machine, and kept once given. */
  host: string
  id: string
  /** Keys that it had before; see `former-keys.ts`. */
  formerKeys: readonly string[]
}

/** The host of a system that is new among `others`: its id if that is free. */
export function chooseHost(id: string, key: string, others: Iterable<NamedSystem>): string {
  const taken = new Set<string>()
  for (const other of others) taken.add(other.host).add(other.id)
  const short = `${id}${HOST_MARK}${key.slice(0, KEY_PART_CHARS)}`
  return [id, short].find((host) => !taken.has(host)) ?? `${id}${HOST_MARK}${key}`
}

/**
 * The systems that a name means: one by its key, a former key or its host, or all that have it as
 * their id. An id that several have means none of them alone, even if it is the host of one.
 */
export function findByName<S extends NamedSystem>(systems: Iterable<S>, name: string): S[] {
  const all = [...systems]
  const byKey = ownersByKey(all).get(name)
  if (byKey !== undefined) return [byKey]
  const byId = all.filter(({ id }) => id === name)
  return byId.length > 0 ? byId : all.filter(({ host }) => host === name)
}
