// Links between parts of one process that have no swarm, for tests of what is said over them.
import type { Network, PeerInfo, Protocol, ProtocolDefinition } from '../swarm/network.ts'

interface Opened {
  definition: ProtocolDefinition<unknown>
}

/** One machine's end. Messages go through the codec, and arrive when `deliver` is called. */
export class FakeNetwork implements Network {
  readonly machine: string
  readonly reached = new Set<string>()
  readonly dropped: string[] = []
  /** Set to false to see what is said when a link takes no more. */
  takesMore = true
  /** Sees what this machine says, as it is written. */
  onSent: (bytes: Uint8Array) => void = () => {}
  readonly #peers = new Map<string, FakeNetwork>()
  readonly #protocols = new Map<string, Opened>()
  readonly #arriving: (() => void)[] = []

  constructor(machine: string) {
    this.machine = machine
  }

  /** Opens a link, and all protocols that both have. */
  link(other: FakeNetwork): void {
    for (const [a, b] of [
      [this, other],
      [other, this],
    ] as const) {
      a.#peers.set(b.machine, b)
      for (const { definition } of a.#protocols.values()) definition.opened?.(infoOf(b))
    }
  }

  /** What has been sent to this machine arrives. True if there was something. */
  deliver(): boolean {
    const arriving = this.#arriving.splice(0)
    for (const arrive of arriving) arrive()
    return arriving.length > 0
  }

  drain(machine: string): void {
    this.takesMore = true
    for (const { definition } of this.#protocols.values()) {
      definition.drained?.({ machine, person: machine })
    }
  }

  /** The other side has ended one protocol, and nothing else. */
  endProtocol(protocol: string, by: FakeNetwork): void {
    this.#protocols.get(protocol)?.definition.closed?.(infoOf(by))
  }

  /** Bytes from whoever: false if the protocol can't read them, which would end the link. */
  receive(protocol: string, from: FakeNetwork, bytes: Uint8Array): boolean {
    const definition = this.#protocols.get(protocol)?.definition
    const message = definition?.codec.decode(bytes) ?? null
    if (definition === undefined || message === null) return false
    definition.received(infoOf(from), message)
    return true
  }

  openProtocol<M>(definition: ProtocolDefinition<M>): Protocol<M> {
    const { name, codec } = definition
    this.#protocols.set(name, { definition: definition as ProtocolDefinition<unknown> })
    const send = (machine: string, message: M): boolean => {
      const peer = this.#peers.get(machine)
      if (peer === undefined) return false
      const bytes = codec.encode(message)
      this.onSent(bytes)
      peer.#arriving.push(() => void peer.receive(name, this, bytes))
      return true
    }
    return {
      send,
      writable: (machine) => this.#peers.has(machine) && this.takesMore,
      broadcast: (message) => {
        for (const machine of this.#peers.keys()) send(machine, message)
      },
      peers: () => [...this.#peers.values()].map((peer) => infoOf(peer)),
      close: () => void this.#protocols.delete(name),
    }
  }

  isOnline(machine: string): boolean {
    return this.#peers.has(machine)
  }

  reach(machine: string): void {
    this.reached.add(machine)
  }

  seek(machine: string): void {
    this.reached.add(machine)
  }

  drop(machine: string): void {
    this.dropped.push(machine)
  }

  isRelayed(): boolean {
    return false
  }

  latencyOf(): number | null {
    return null
  }

  onLink(): () => void {
    return () => {}
  }
}

function infoOf({ machine }: FakeNetwork): PeerInfo {
  return { machine, person: machine }
}
