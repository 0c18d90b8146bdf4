// Where machines of the cloud were, and how often they were there when they were looked for: whom to try first
// the next time.
import type { MachineAddress } from './dial-list.ts'
import { MAX_ADDRESSES } from './knocks.ts'

/** More than can be tried in a moment; about 100 kB. */
export const MAX_REMEMBERED = 256
const DAY_MS = 24 * 3_600_000

export interface RememberedMachine {
  machine: string
  /** The newest first. */
  addresses: MachineAddress[]
  /** Times that it was looked for from memory, and links since, no more than those times. */
  tried: number
  reached: number
  /** Time of day of the last link. */
  linkedMs: number
}

export class AddressBook {
  readonly #machines = new Map<string, RememberedMachine>()

  /** @param remembered  from the last time */
  constructor(remembered: readonly RememberedMachine[] = []) {
    for (const machine of remembered.slice(0, MAX_REMEMBERED)) {
      const addresses = machine.addresses.slice(0, MAX_ADDRESSES)
      this.#machines.set(machine.machine, { ...machine, addresses })
    }
  }

  /**
   * There is a link with a machine.
   * @param addresses  where it is, the best first: that of the link, and those that it names itself
   */
  linked(machine: string, addresses: readonly MachineAddress[], wallMs: number): void {
    const known = this.#machines.get(machine)
    const { tried = 0, reached = 0 } = known ?? {}
    this.#machines.delete(machine)
    this.#machines.set(machine, {
      machine,
      addresses: distinct([...addresses, ...(known?.addresses ?? [])]),
      tried,
      reached: Math.min(reached + 1, tried),
      linkedMs: wallMs,
    })
    if (this.#machines.size > MAX_REMEMBERED) this.#forgetOne(machine, wallMs)
  }

  /** A machine is linked still. */
  seen(machine: string, wallMs: number): void {
    const known = this.#machines.get(machine)
    if (known !== undefined) known.linkedMs = Math.max(known.linkedMs, wallMs)
  }

  /**
   * The machines to look for, the likeliest first; each counts as tried.
   * @param isLinked  those need not be looked for
   */
  take(count: number, wallMs: number, isLinked: (machine: string) => boolean): RememberedMachine[] {
    const taken = this.#ranked(wallMs)
      .filter(({ machine }) => !isLinked(machine))
      .slice(0, count)
    for (const machine of taken) machine.tried++
    return taken
  }

  all(): readonly RememberedMachine[] {
    return [...this.#machines.values()]
  }

  /** Keys are free: one that was found again once is worth more than any number that were not. */
  #forgetOne(newest: string, wallMs: number): void {
    const others = this.#ranked(wallMs).filter(({ machine }) => machine !== newest)
    const worst = others.findLast(({ reached }) => reached === 0) ?? others.at(-1)
    if (worst !== undefined) this.#machines.delete(worst.machine)
  }

  #ranked(wallMs: number): RememberedMachine[] {
    return [...this.#machines.values()].sort((a, b) => rank(b, wallMs) - rank(a, wallMs))
  }
}

/**
 * How likely it is to be there, about: by how often it was (with one success and one failure beforehand, after
 * Laplace), and half as likely after each day without a link.
 */
function rank({ tried, reached, linkedMs }: RememberedMachine, wallMs: number): number {
  const days = Math.max(0, wallMs - linkedMs) / DAY_MS
  return ((reached + 1) / (tried + 2)) * 2 ** -days
}

function distinct(addresses: readonly MachineAddress[]): MachineAddress[] {
  const seen = new Map<string, MachineAddress>()
  for (const { host, port } of addresses) {
    const name = `${host}:${port}`
    if (!seen.has(name)) seen.set(name, { host, port })
  }
  return [...seen.values()].slice(0, MAX_ADDRESSES)
}
