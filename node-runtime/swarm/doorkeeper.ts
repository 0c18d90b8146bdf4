// Who has connected and has not greeted yet. Such a connection may send one frame of limited size in
// limited time, and there are only so many at once; nothing else of the machine is within its reach.
import type { SwarmConnection } from 'hyperswarm'
import { MAX_GREETING_BYTES, readGreeting, refusalCodec, writeGreeting } from './greeting.ts'
import type { Greeted } from './greeting.ts'
import type { AdmissionFault, Guest, Pass } from '../core/admission/pass.ts'
import type { MachineEntry } from '../core/forms/machine-form.ts'
import { encodeKey } from '../core/keys.ts'

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

/** What lets machines into the cloud. */
export interface Admissions {
  /** What this machine shows on a connection; null if it has nothing to show. */
  pass: (handshakeHash: Uint8Array) => Pass | null
  /**
   * Why a guest is not let in, by the cloud's genesis; by the one that it told if this machine has none.
   * Null if it is.
   */
  faultOf: (
    pass: Pass | null,
    guest: Guest & { address: string },
    told: string | null,
  ) => AdmissionFault | null
  /**
   * Must this machine get a pass first? The guest would turn it away.
   */
  lacksPass: (told: string | null) => boolean
  /** A machine did not let this one in, and says why: a word of `AdmissionFault`, or of a later version. */
  refused: (fault: string) => void
}

/** Whoever knows the cloud's id comes in. */
export const ADMIT_ALL: Admissions = {
  pass: () => null,
  faultOf: () => null,
  lacksPass: () => false,
  refused: () => {},
}

export interface DoorkeeperOptions {
  cloud: string
  /** The cloud's id, as bytes. */
  cloudKey: Uint8Array
  ownEntry: () => MachineEntry
  genesis: () => string | null
  /** The time of day. */
  now: () => number
  admissions: Admissions
  /** The other side is a machine of this cloud. What it sends next is for whoever listens by then. */
  onGreeted: (connection: SwarmConnection, greeted: Greeted) => void
  onRefused: (reason: string) => void
  /** A machine of the cloud does not let this one in, or would not. */
  onTurnedAway: (machine: string) => void
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
    const { onRefused, onTurnedAway, onGreeted, ownEntry, genesis, now, admissions } = this.#options
    const { cloud, cloudKey } = this.#options
    const waiting = { connection, address: connection.rawStream.remoteHost ?? '' }
    const shown = admissions.pass(connection.handshakeHash)
    let isTurnedAway = false
    const leave = (): void => {
      clearTimeout(timer)
      this.#waiting.delete(waiting)
      connection.off('data', onFrame)
      connection.rawStream.off('data', onBytes)
    }
    const refuse = (reason: string): void => {
      if (!this.#waiting.has(waiting)) return
      leave()
      if (!isTurnedAway) onRefused(reason)
      connection.destroy()
    }
    /** Whoever knows the cloud is told why; it waits at the door until it has heard that. */
    const turnAway = (fault: AdmissionFault): void => {
      isTurnedAway = true
      onRefused(`it may not come in: ${fault}`)
      connection.off('data', onFrame)
      // It may turn this machine away, too. Why, a stranger is not believed.
      connection.once('data', onRefusalOfStranger)
      connection.write(refusalCodec.encode({ kind: 'dharma/refusal/1', fault }))
      connection.end()
    }
    const onRefusal = (frame: Uint8Array): void => {
      const refusal = refusalCodec.decode(frame)
      if (refusal === null) return
      admissions.refused(refusal.fault)
      onTurnedAway(encodeKey(connection.remotePublicKey))
    }
    const onRefusalOfStranger = (frame: Uint8Array): void => {
      if (refusalCodec.decode(frame) !== null) onTurnedAway(encodeKey(connection.remotePublicKey))
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
      const { machine, person, attestation } = greeted.entry
      const { sequence } = attestation
      const guest = { machine, person, sequence, handshakeHash, address: waiting.address }
      const fault = admissions.faultOf(greeted.pass, guest, greeted.genesis)
      if (fault !== null) return turnAway(fault)
      if (shown === null && admissions.lacksPass(greeted.genesis)) {
        onTurnedAway(machine)
        return refuse('this machine has nothing yet that lets it into the cloud')
      }
      leave()
      // It may say that it does not let this machine in; anything else is for whoever listens by then.
      connection.once('data', onRefusal)
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
        { entry: ownEntry(), genesis: genesis(), pass: shown, timeMs: now() },
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
