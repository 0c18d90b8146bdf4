// Whom to knock at of those that a list names.
import type { MachineAddress } from '../../../core/finding/dial-list.ts'
import type { MachineEntry } from '../../../core/forms/machine-form.ts'
import type { ReadList } from './list-reader.ts'

/** Tried at once, of each list; others when it is asked again. */
const TRIED_AT_ONCE = 16
/** Once somebody is linked, a few are enough to find the other half of a cloud that was torn apart. */
const TRIED_WHEN_LINKED = 4

interface Machines {
  ownEntry: () => MachineEntry
  entryOf: (machine: string) => MachineEntry | undefined
  isLinked: (machine: string) => boolean
  linkCount: () => number
  /** The time of day. */
  now: () => number
}

/** Those on the list that need not be tried. */
export function linkedOnes(
  { machines }: ReadList,
  { isLinked }: Pick<Machines, 'isLinked'>,
): string[] {
  return [...machines.values()].map(({ entry }) => entry.machine).filter(isLinked)
}

/** Some that chance chooses, with the newest that is known of where they are. */
export function whomToTry(
  { machines }: ReadList,
  { ownEntry, entryOf, isLinked, linkCount, now }: Machines,
): [machine: string, addresses: readonly MachineAddress[]][] {
  const own = ownEntry().machine
  const open = [...machines.values()].filter(
    ({ entry }) =>
      entry.machine !== own && !isLinked(entry.machine) && (entry.listedUntilMs ?? 0) > now(),
  )
  const count = linkCount() > 0 ? TRIED_WHEN_LINKED : TRIED_AT_ONCE
  return shuffled(open)
    .slice(0, count)
    .map(({ entry }) => {
      const known = entryOf(entry.machine)
      const newest = known !== undefined && known.sequence > entry.sequence ? known : entry
      return [entry.machine, newest.addresses ?? []]
    })
}

function shuffled<T>(items: readonly T[]): T[] {
  const rest = [...items]
  for (let at = rest.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1))
    const held = rest[at] as T
    rest[at] = rest[other] as T
    rest[other] = held
  }
  return rest
}
