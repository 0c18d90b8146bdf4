// Machines that are linked and take no part on the rings: they never speak the protocol, or nothing shows where they
// stand. They may be of a later version, or hoard links; so few of them keep theirs.
import { GRACE_MS, MAX_LINKS } from './link-plan.ts'

/** As many as there are standing links: whoever hoards takes no more than the rings do. */
export const MAX_BYSTANDERS = MAX_LINKS

export class Bystanders {
  /** When each link was opened, in that order. */
  readonly #sinceMs = new Map<string, number>()

  opened(machine: string, nowMs: number): void {
    this.#sinceMs.delete(machine)
    this.#sinceMs.set(machine, nowMs)
  }

  /** It takes part now, or its link has ended. */
  left(machine: string): void {
    this.#sinceMs.delete(machine)
  }

  /** Those beyond their number that had time to take part, the first to come first; they count no more. */
  takeSurplus(nowMs: number, needs: (machine: string) => boolean): string[] {
    const idle = [...this.#sinceMs].filter(
      ([machine, sinceMs]) => nowMs - sinceMs > GRACE_MS && !needs(machine),
    )
    const surplus = idle.slice(0, Math.max(0, idle.length - MAX_BYSTANDERS))
    for (const [machine] of surplus) this.#sinceMs.delete(machine)
    return surplus.map(([machine]) => machine)
  }
}
