// One local network: a socket that hears what is said to the group there, and speaks to it. Several machines of one
// computer share the port, as do other programs that speak multicast DNS.
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { isOnLink } from './interfaces.ts'
import type { LocalInterface } from './interfaces.ts'
import { MDNS_GROUP } from './mdns-packet.ts'

/** As RFC 6762 wants it, section 11. */
const HOPS = 255

export interface LanSocketOptions {
  network: LocalInterface
  /** UDP; the standard's but in tests. */
  port: number
  /** A packet came from a host of this network; from this one, too. */
  onPacket: (bytes: Uint8Array, host: string) => void
  /** It can hear nothing any more, and is to be closed. */
  onFault: (error: Error) => void
}

export class LanSocket {
  readonly network: LocalInterface
  readonly #port: number
  readonly #onFault: (error: Error) => void
  readonly #socket: Socket
  #closed = false

  constructor({ network, port, onPacket, onFault }: LanSocketOptions) {
    this.network = network
    this.#port = port
    this.#onFault = onFault
    this.#socket = createSocket({ type: 'udp4', reuseAddr: true })
    this.#socket.on('message', (bytes, { address }) => {
      // Sockets that share a port all hear what came by any network.
      if (isOnLink(address, network)) onPacket(bytes, address)
    })
  }

  /** Rejects with what the system says, `EADDRINUSE`, `ENODEV` and the like; then it is to be closed. */
  async open(): Promise<void> {
    const socket = this.#socket
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind({ port: this.#port, exclusive: true }, () => {
        socket.off('error', reject)
        resolve()
      })
    })
    socket.on('error', this.#onFault)
    socket.addMembership(MDNS_GROUP, this.network.host)
    socket.setMulticastInterface(this.network.host)
    socket.setMulticastTTL(HOPS)
    // Other machines on this computer hear it, too; and that it comes back shows that it was let through.
    socket.setMulticastLoopback(true)
  }

  /** To everybody in this network. Rejects with what the system says. */
  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return resolve()
      this.#socket.send(bytes, this.#port, MDNS_GROUP, (error) => {
        if (error === null) resolve()
        else reject(error)
      })
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await new Promise<void>((resolve) => {
      this.#socket.close(() => resolve())
    })
  }
}
