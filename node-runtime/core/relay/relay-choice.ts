// Decides which machines this one offers to go through, when it can't know that a direct link will come.

/** More than one, because one may be gone or full; few, because each is somebody's line. */
export const MAX_RELAYS = 3

/** A linked machine that relays. */
export interface RelayOffer {
  machine: string
  /** Under which it listens for those that want to go through it. */
  key: string
  /** Where it is; null on this very computer. */
  host: string | null
  latencyMs: number | null
}

/** The nearest, each from another network than the ones before. */
export function chooseRelays(offers: readonly RelayOffer[]): RelayOffer[] {
  const chosen: RelayOffer[] = []
  const networks = new Set<string>()
  for (const offer of offers.toSorted((a, b) => distance(a) - distance(b))) {
    if (chosen.length >= MAX_RELAYS) break
    const network = offer.host === null ? null : networkOf(offer.host)
    if (network !== null) {
      if (networks.has(network)) continue
      networks.add(network)
    }
    chosen.push(offer)
  }
  return chosen
}

function distance({ latencyMs }: RelayOffer): number {
  return latencyMs ?? Number.MAX_VALUE
}

/** The first two bytes of an IPv4 address: about what one provider has in one place. */
function networkOf(host: string): string {
  return host.split('.').slice(0, 2).join('.')
}
