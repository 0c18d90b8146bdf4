// Decides through which machine this one goes to another, when it can't know that a direct link will come: one at a
// time, as the stack names one in each attempt, those first that have served well. Who fails is tried last for a while,
// and again when all others have: what one relay, or the other side, did wrong is never the end of it.

/** A pair that took longer than that to meet was served, but others may serve it better. */
export const SLOW_MS = 1_000
/** So long it is held against a relay that it did not bring two machines together. */
export const FORGET_MS = 10 * 60_000
/** Of one relay, the newest: with whom it failed. */
export const MAX_FAILURES = 8
/** Relays that are remembered: several times those that a machine is linked with. */
export const MAX_REMEMBERED = 128

/** A linked machine that relays. */
export interface RelayOffer {
  machine: string
  /** Under which it listens for those that want to go through it. */
  key: string
  /** Where it is; null on this very computer. */
  host: string | null
  latencyMs: number | null
}

interface Past {
  /** How long it took the last pair to meet that it served; null if it has served none. */
  tookMs: number | null
  /** With whom it failed since then, and when. */
  failures: Map<string, number>
}

export class RelayChoice {
  /** By key of the relay; the one that was heard of last comes last. */
  readonly #past = new Map<string, Past>()

  /** Two machines met through it, so long after this one asked. */
  served(key: string, tookMs: number): void {
    this.#remember(key, { tookMs, failures: new Map() })
  }

  /** It did not bring this machine together with `target`; which of the two was to blame is not known. */
  failed(key: string, target: string, nowMs: number): void {
    const past = this.#past.get(key) ?? { tookMs: null, failures: new Map<string, number>() }
    past.failures.delete(target)
    past.failures.set(target, nowMs)
    const [oldest] = past.failures.keys()
    if (past.failures.size > MAX_FAILURES && oldest !== undefined) past.failures.delete(oldest)
    this.#remember(key, past)
  }

  /** In another network everything may be otherwise. */
  forget(): void {
    this.#past.clear()
  }

  /**
   * The one to go through to a machine; null if there is none. First come those that have not failed with that very
   * machine, or whose failure is longest ago, and of these, those that failed with the fewest others lately, that
   * served fast, that are in another network than who failed, and that are near.
   */
  choose(offers: readonly RelayOffer[], target: string, nowMs: number): RelayOffer | null {
    const hasFailed = ({ key }: RelayOffer): boolean => this.hasFailed(key, target, nowMs)
    const badNetworks = new Set(offers.filter(hasFailed).map(networkOf))
    badNetworks.delete(null)
    const rank = (offer: RelayOffer): number[] => [
      hasFailed(offer) ? 1 : 0,
      hasFailed(offer) ? (this.#past.get(offer.key)?.failures.get(target) ?? 0) : 0,
      this.#failuresOf(offer.key, nowMs),
      this.#paceOf(offer.key),
      badNetworks.has(networkOf(offer)) ? 1 : 0,
      offer.latencyMs ?? Number.MAX_VALUE,
    ]
    const [best] = offers
      .map((offer) => ({ offer, rank: rank(offer) }))
      .toSorted((one, other) => compare(one.rank, other.rank))
    return best?.offer ?? null
  }

  /** Did it fail with that machine lately? */
  hasFailed(key: string, target: string, nowMs: number): boolean {
    const failedMs = this.#past.get(key)?.failures.get(target)
    return failedMs !== undefined && nowMs - failedMs < FORGET_MS
  }

  #failuresOf(key: string, nowMs: number): number {
    const times = [...(this.#past.get(key)?.failures.values() ?? [])]
    return times.filter((failedMs) => nowMs - failedMs < FORGET_MS).length
  }

  /** Proved, not known, slow. */
  #paceOf(key: string): number {
    const tookMs = this.#past.get(key)?.tookMs ?? null
    if (tookMs === null) return 1
    return tookMs <= SLOW_MS ? 0 : 2
  }

  #remember(key: string, past: Past): void {
    this.#past.delete(key)
    this.#past.set(key, past)
    const [oldest] = this.#past.keys()
    if (this.#past.size > MAX_REMEMBERED && oldest !== undefined) this.#past.delete(oldest)
  }
}

function compare(one: readonly number[], other: readonly number[]): number {
  for (const [at, number] of one.entries()) {
    const difference = number - (other[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** The first two bytes of an IPv4 address: about what one provider has in one place. Null on this very computer. */
function networkOf({ host }: RelayOffer): string | null {
  return host === null ? null : host.split('.').slice(0, 2).join('.')
}
