// Who has connected and has not greeted yet. Such a connection may send one frame of limited size in
// limited time, and there are only so many at once; nothing else of the machine is within its reach.
import type { SwarmConnection } from 'hyperswarm'
import { MAX_GREETING_BYTES, readGreeting, writeGreeting } from './greeting.ts'
import type { Greeted } from './greeting.ts'
import type { MachineEntry } from '../core/forms/machine-form.ts'

/**
 * Who says nothing for so long is a stranger, or a connection that the other side gave up when both
 * dialled at once; a new one is made then. The greeting takes one round trip.
 */
const GREETING_TIMEOUT_MS = 3_000
/** Connections that have not greeted; when more come, the oldest go, which had their time. */
const MAX_WAITING = 256
/** Of one address, behind which a whole school may be. */
const MAX_WAITING_PER_ADDRESS = 32
/** Signature and length of an encrypted frame around the greeting. */
const FRAME_OVERHEAD_BYTES = 64

export interface DoorkeeperOptions {
  cloud: string
  /** The cloud's id, as bytes. */
  cloudKey: Uint8Array
  ownEntry: () => MachineEntry
  genesis: () => string | null
  /** The other side is a machine of this cloud. What it sends next is for whoever listens by then. */
  onGreeted: (connection: SwarmConnection, greeted: Greeted) => void
  onRefused: (reason: string) => void
}

interface Waiting {
  connection: SwarmConnection
  address: string
}

export class Doorkeeper {
  readonly #options: DoorkeeperOptions
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting>()
  #closed = false

  constructor(options: DoorkeeperOptions) {
    this.#options = options
  }

  get waitingCount(): number {
    return this.#waiting.size
  }

  receive(connection: SwarmConnection): void {
    const { onRefused, onGreeted, ownEntry, genesis, cloud, cloudKey } = this.#options
    const waiting = { connection, address: connection.rawStream.remoteHost ?? '' }
    const leave = (): void => {
      clearTimeout(timer)
      this.#waiting.delete(waiting)
      connection.off('data', onFrame)
      connection.rawStream.off('data', onBytes)
    }
    const refuse = (reason: string): void => {
      if (!this.#waiting.has(waiting)) return
      leave()
      onRefused(reason)
      connection.destroy()
    }
    const onBytes = (): void => {
      if (connection._len > MAX_GREETING_BYTES + FRAME_OVERHEAD_BYTES) {
        refuse('its greeting is too long')
      }
    }
    const onFrame = (bytes: Uint8Array): void => {
      // Keeps the connection open; says nothing.
      if (bytes.byteLength === 0) return
      const { handshakeHash, remotePublicKey } = connection
      const greeted = readGreeting(bytes, {
        handshakeHash,
        publicKey: remotePublicKey,
        cloud,
        cloudKey,
      })
      if (typeof greeted === 'string') return refuse(greeted)
      leave()
      onGreeted(connection, greeted)
    }
    const timer = setTimeout(() => refuse('it does not greet'), GREETING_TIMEOUT_MS)
    // The stack reports network faults here; the close that follows is what matters to us.
    connection.on('error', (error) => onRefused(error.message))
    connection.on('close', leave)
    if (this.#closed) return void connection.destroy()
    this.#waiting.add(waiting)
    this.#makeRoom(waiting.address)
    connection.rawStream.on('data', onBytes)
    connection.on('data', onFrame)
    const { handshakeHash, publicKey } = connection
    connection.write(
      writeGreeting(
        { handshakeHash, publicKey, cloud, cloudKey },
        { entry: ownEntry(), genesis: genesis() },
      ),
    )
  }

  close(): void {
    this.#closed = true
    for (const { connection } of this.#waiting) connection.destroy()
  }

  #makeRoom(address: string): void {
    const neighbours = [...this.#waiting].filter((waiting) => waiting.address === address)
    if (neighbours.length > MAX_WAITING_PER_ADDRESS) neighbours[0]?.connection.destroy()
    if (this.#waiting.size <= MAX_WAITING) return
    for (const { connection } of this.#waiting) {
      connection.destroy()
      return
    }
  }
}
