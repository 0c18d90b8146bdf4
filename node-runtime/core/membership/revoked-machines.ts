// Which machines persons have revoked, as many as there is room for. Keys are free, so anyone can revoke
// machines of invented persons: who has revoked most makes room first.
import { versionTimeMs } from '../db/hybrid-clock.ts'
import type { Attested, Revocation } from '../forms/revocation.ts'

/** Of one person: a machine a week for as long as anybody uses this. */
const MAX_OF_PERSON = 1_000
/** About 20 MB. To have one forgotten, so many persons have to be invented, with a record for each. */
const MAX_REVOKED = 50_000

export class RevokedMachines {
  /** By person, then by machine; who was heard of first stands first. */
  readonly #byPerson = new Map<string, Map<string, Revocation>>()
  readonly #limits: { ofPerson: number; all: number }
  #size = 0

  constructor(limits = { ofPerson: MAX_OF_PERSON, all: MAX_REVOKED }) {
    this.#limits = limits
  }

  get size(): number {
    return this.#size
  }

  /** Has this person revoked a machine? */
  hasPerson(person: string): boolean {
    return this.#byPerson.has(person)
  }

  get({ person, machine }: Pick<Attested, 'person' | 'machine'>): Revocation | undefined {
    return this.#byPerson.get(person)?.get(machine)
  }

  /** Takes one in; false if it changes nothing: it is known, or a later one is. */
  take(revocation: Revocation): boolean {
    const { person, machine } = revocation
    const held = this.get(revocation)
    if (held !== undefined && !replaces(revocation, held)) return false
    let machines = this.#byPerson.get(person)
    if (machines === undefined) this.#byPerson.set(person, (machines = new Map()))
    if (held === undefined) {
      if (machines.size >= this.#limits.ofPerson) return false
      this.#size++
    }
    machines.set(machine, revocation)
    if (this.#size > this.#limits.all) this.#makeRoom(person)
    return this.get(revocation) === revocation
  }

  /** Is a machine with this attestation its person's no more? */
  isRevoked(attested: Attested): boolean {
    const revocation = this.get(attested)
    return revocation !== undefined && attested.sequence <= revocation.sequence
  }

  /** Does what was signed under this attestation, with this version, not count? */
  revokes(attested: Attested, version: string): boolean {
    const revocation = this.get(attested)
    if (revocation === undefined || attested.sequence > revocation.sequence) return false
    return revocation.validUntil === null || version > revocation.validUntil
  }

  /** The same of what was signed at a time, ms since 1970, and has no version. */
  revokesAt(attested: Attested, timeMs: number): boolean {
    const revocation = this.get(attested)
    if (revocation === undefined || attested.sequence > revocation.sequence) return false
    const { validUntil } = revocation
    return validUntil === null || timeMs > versionTimeMs(validUntil)
  }

  /** Of the person with most; of equal ones, of the one that came last. */
  #makeRoom(last: string): void {
    let most = last
    let count = this.#byPerson.get(last)?.size ?? 0
    for (const [person, { size }] of this.#byPerson) {
      if (size > count) [most, count] = [person, size]
    }
    const machines = this.#byPerson.get(most)
    const newest = [...(machines?.keys() ?? [])].at(-1)
    if (machines === undefined || newest === undefined) return
    machines.delete(newest)
    if (machines.size === 0) this.#byPerson.delete(most)
    this.#size--
  }
}

/** The greater sequence; of equal ones, which only a fault can sign, the stricter. */
function replaces(one: Revocation, held: Revocation): boolean {
  if (one.sequence !== held.sequence) return one.sequence > held.sequence
  return (one.validUntil ?? '') < (held.validUntil ?? '')
}
