// At which addresses this machine knocks, and how often: few times at one host, whoever names it, for whoever
// names addresses may name a stranger's.
import type { MachineAddress } from './dial-list.ts'

const WINDOW_MS = 10_000
/** Machines of one house share an address; that many are tried at once. */
export const MAX_KNOCKS_PER_HOST = 16
/** More hosts than the largest cloud names in ten seconds in earnest. */
const MAX_HOSTS = 256
/** Addresses of one machine: its own and that of its router, old ones too. */
export const MAX_ADDRESSES = 4

export class Knocks {
  readonly #loopback: boolean
  /** When each port of a host was knocked at. */
  readonly #hosts = new Map<string, Map<number, number>>()

  /** @param loopback  are machines on this very computer? */
  constructor(loopback: boolean) {
    this.#loopback = loopback
  }

  /** Of these addresses of one machine, those to knock at now. */
  take(addresses: readonly MachineAddress[], nowMs: number): MachineAddress[] {
    const due: MachineAddress[] = []
    for (const { host, port } of addresses.slice(0, MAX_ADDRESSES)) {
      if (this.#mayBeMachine(host) && this.#take(host, port, nowMs)) due.push({ host, port })
    }
    return due
  }

  #take(host: string, port: number, nowMs: number): boolean {
    const ports = this.#hosts.get(host) ?? new Map<number, number>()
    for (const [known, atMs] of ports) if (nowMs - atMs >= WINDOW_MS) ports.delete(known)
    if (ports.has(port) || ports.size >= MAX_KNOCKS_PER_HOST) return false
    if (!this.#hosts.has(host) && !this.#hasRoom(nowMs)) return false
    ports.set(port, nowMs)
    this.#hosts.set(host, ports)
    return true
  }

  /** Hosts are forgotten only once nothing was sent there for a while. */
  #hasRoom(nowMs: number): boolean {
    if (this.#hosts.size < MAX_HOSTS) return true
    for (const [host, ports] of this.#hosts) {
      if ([...ports.values()].every((atMs) => nowMs - atMs >= WINDOW_MS)) this.#hosts.delete(host)
    }
    return this.#hosts.size < MAX_HOSTS
  }

  /** Neither this computer nor many at once. */
  #mayBeMachine(host: string): boolean {
    const first = Number(host.split('.')[0])
    if (first === 127) return this.#loopback
    return first > 0 && first < 224
  }
}
