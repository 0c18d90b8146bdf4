// The machines of the cloud that this one remembers, as many as there is room for. Keys are free, so
// anyone can invent machines: those that have never been linked make room first.
import type { MachineEntry } from '../forms/machine-form.ts'

/** Enough for any cloud whose machines know of all others; ten times more would cost 20 MB. */
export const MAX_KNOWN = 4_096
/** Of all entries together. An ordinary one has 1,500 characters, the largest has 16,384. */
const MAX_KNOWN_CHARS = 8_000_000

export interface KnownMachine {
  entry: MachineEntry
  /** Time of day when it was last linked; 0 if it never was. */
  lastSeenMs: number
}

/** Machines that have a link now. */
type Linked = Pick<ReadonlyMap<string, unknown>, 'has'>

export class KnownMachines {
  readonly #machines = new Map<string, KnownMachine>()
  #chars = 0

  get size(): number {
    return this.#machines.size
  }

  get(machine: string): Readonly<KnownMachine> | undefined {
    return this.#machines.get(machine)
  }

  all(): Iterable<Readonly<KnownMachine>> {
    return this.#machines.values()
  }

  /** Remembers a machine, or says anew what it is; others may have to make room. */
  put(known: Readonly<KnownMachine>, linked: Linked): void {
    const { machine } = known.entry
    this.#forget(machine)
    this.#machines.set(machine, { ...known })
    this.#chars += charsOf(known)
    while (this.#machines.size > MAX_KNOWN || this.#chars > MAX_KNOWN_CHARS) {
      const last = this.#leastMissed(linked)
      if (last === null) return
      this.#forget(last)
    }
  }

  seen(machine: string, wallMs: number): void {
    const known = this.#machines.get(machine)
    if (known !== undefined) known.lastSeenMs = Math.max(known.lastSeenMs, wallMs)
  }

  #forget(machine: string): void {
    const known = this.#machines.get(machine)
    if (known === undefined) return
    this.#machines.delete(machine)
    this.#chars -= charsOf(known)
  }

  /** Without a link, longest not seen, longest known. */
  #leastMissed(linked: Linked): string | null {
    let least: string | null = null
    let leastSeenMs = Number.POSITIVE_INFINITY
    for (const [machine, { lastSeenMs }] of this.#machines) {
      if (lastSeenMs >= leastSeenMs || linked.has(machine)) continue
      least = machine
      leastSeenMs = lastSeenMs
      if (lastSeenMs === 0) break
    }
    return least
  }
}

function charsOf({ entry }: Readonly<KnownMachine>): number {
  return entry.form.body.length
}
