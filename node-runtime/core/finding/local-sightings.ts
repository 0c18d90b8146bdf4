// Machines that named themselves on the local network, as long as that is news; and how much is listened to
// there, for anybody can speak.
import { Budget } from '../budget.ts'
import type { LanSighting } from '../forms/lan-form.ts'
import type { MachineAddress } from './dial-list.ts'

/** Who is there names itself again within a minute. */
export const SIGHTING_MS = 120_000
/** As many as are dialled. */
export const MAX_SIGHTINGS = 256
/** Of one host: dozens of machines on one computer. */
const PACKETS_OF_HOST = { perSecond: 50, burst: 200 }
/**
 * A host can take the addresses of others, so that all together are bounded, too: hundreds of machines that begin at
 * once. The worst packet takes half a millisecond, and so all of them a tenth of a processor.
 */
const PACKETS = { perSecond: 200, burst: 500 }
const MAX_HOSTS = 256

interface Sighting {
  address: MachineAddress
  untilMs: number
}

export class LocalSightings {
  readonly #machines = new Map<string, Sighting>()
  readonly #hosts = new Map<string, Budget>()
  readonly #packets: Budget

  constructor(nowMs: number) {
    this.#packets = new Budget(PACKETS, nowMs)
  }

  /** Is a packet from this host to be read? */
  admits(host: string, nowMs: number): boolean {
    let budget = this.#hosts.get(host)
    if (budget === undefined) {
      budget = new Budget(PACKETS_OF_HOST, nowMs)
      this.#hosts.set(host, budget)
      if (this.#hosts.size > MAX_HOSTS) forgetOldest(this.#hosts)
    }
    return budget.tryUse(1, nowMs) && this.#packets.tryUse(1, nowMs)
  }

  /** A machine named itself, in a packet from this host. */
  note({ machine, port }: LanSighting, host: string, nowMs: number): void {
    this.#machines.delete(machine)
    this.#machines.set(machine, { address: { host, port }, untilMs: nowMs + SIGHTING_MS })
    if (this.#machines.size > MAX_SIGHTINGS) forgetOldest(this.#machines)
  }

  /** It said goodbye. Only from where it was seen, so that nobody does it from elsewhere. */
  forget({ machine, port }: LanSighting, host: string): void {
    const known = this.#machines.get(machine)
    if (known?.address.host === host && known.address.port === port) this.#machines.delete(machine)
  }

  /** Who has named itself lately, and where it is. */
  live(nowMs: number): { machine: string; address: MachineAddress }[] {
    for (const [machine, { untilMs }] of this.#machines) {
      if (untilMs <= nowMs) this.#machines.delete(machine)
    }
    return [...this.#machines].map(([machine, { address }]) => ({ machine, address }))
  }
}

function forgetOldest(map: Map<string, unknown>): void {
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
