// Attempts to meet a machine that may go through a relay: which relay is named, how it serves, and when another one has
// its turn (`core/relay/dial-patience.ts`). The stack asks for a connection with a relay without saying for whom; that
// it does so within the attempt is how it is known here.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { SwarmConnection } from 'hyperswarm'
import { DialPatience } from '../../core/relay/dial-patience.ts'
import { encodeKey } from '../../core/keys.ts'
import type { MachineAddress } from '../../core/finding/dial-list.ts'

/** Links of this machine that go through relays, and attempts. Whoever dials can name a relay that is to be asked. */
export const MAX_RELAY_CONNECTIONS = 64
/** Of those that were named by the other side, and are not known to be relays of the cloud. */
export const MAX_UNKNOWN = 8
/** To machines that were not heard of as ones of the cloud, relays are named for so many at a time. */
const MAX_STRANGERS = 2
/** Answers, and what keeps the connection open for as long as a circuit lasts. */
export const MAX_RELAY_BYTES = 256 * 1024
/** A pairing, sealed. */
const MAX_FRAME_BYTES = 4 * 1024

/** The relays that this machine knows. */
export interface RelayRoutes {
  /** The key of the relay to name in an attempt to meet a machine; null for none. */
  through: (machine: string) => Uint8Array | null
  /** Is there one that has not failed with it? */
  hasFresh: (machine: string) => boolean
  /** Where a relay is; null if that is not known. */
  addressOf: (relayKey: Uint8Array) => MachineAddress | null
  /** Is it the key of a relay of the cloud? */
  isKnown: (relayKey: Uint8Array) => boolean
  /** Was the machine heard of as one of the cloud? */
  isMember: (machine: string) => boolean
  served: (relayKey: string, tookMs: number) => void
  failed: (relayKey: string, machine: string) => void
  /** The attempt was given up: the machine is to be dialled anew. */
  dialAgain: (machine: string) => void
}

/** What a handshake says of who dials. */
export interface DialledBy {
  /** As hyperdht counts: 1 is open. */
  firewall: number
  /** Null if it names no relay. */
  relayThrough: object | null
}
const OPEN = 1

interface Meeting {
  id: string
  machine: string
  /** Null if the other side dialled. */
  dial: SwarmConnection | null
  /** What its handshake said; null if this machine dialled. */
  by: DialledBy | null
  relay: SwarmConnection | null
}

export class Meetings {
  readonly #routes: RelayRoutes
  readonly #patience: DialPatience
  /** In whose course the code runs. */
  readonly #current = new AsyncLocalStorage<Meeting>()
  readonly #meetings = new Map<string, Meeting>()
  /** Connections with relays, of which each belongs to a link that goes, or may go, through it. */
  readonly #relays = new Set<SwarmConnection>()
  #nextId = 0
  #timer: NodeJS.Timeout | null = null
  #closed = false

  constructor(routes: RelayRoutes) {
    this.#routes = routes
    this.#patience = new DialPatience({
      failed: (relayKey, machine) => routes.failed(relayKey, machine),
      hasFresh: (machine) => routes.hasFresh(machine),
    })
  }

  /** Connections with relays. */
  get relayCount(): number {
    return this.#relays.size
  }

  /** The keys of the relays at an address through which links may go now. */
  relaysAt(host: string, port: number): Uint8Array[] {
    return [...this.#relays].filter((relay) => isAt(relay, host, port)).map(keyOf)
  }

  /** Dials a machine. @param connect  is called with the key of the relay to name, or null */
  dial(
    machine: string,
    connect: (relayKey: Uint8Array | null) => SwarmConnection,
  ): SwarmConnection {
    const relayKey = this.#routes.through(machine)
    const meeting = this.#begin(machine, null)
    const connection = this.#current.run(meeting, () => connect(relayKey))
    meeting.dial = connection
    this.#meetings.set(meeting.id, meeting)
    this.#patience.began(meeting.id, machine, relayKey !== null, performance.now())
    connection.once('open', () => {
      if (!isThrough(connection, meeting.relay)) this.#end(meeting)
    })
    connection.once('close', () => this.#end(meeting))
    this.#wait()
    return connection
  }

  /** Dials without any relay, whatever the other side names. */
  dialAlone(connect: () => SwarmConnection): SwarmConnection {
    return this.#current.exit(connect)
  }

  /** A machine dials this one: what follows in the handshake belongs to that. */
  answer(machine: string, by: DialledBy): void {
    this.#current.enterWith(this.#begin(machine, by))
  }

  /** The relay to name in the answer to who dials: only where the other side neither names one nor needs none. */
  answerThrough(): Uint8Array | null {
    const meeting = this.#current.getStore()
    if (meeting?.by == null) return null
    const { by, machine } = meeting
    if (by.relayThrough !== null || by.firewall === OPEN) return null
    if (!this.#routes.isMember(machine) && this.#strangerCount >= MAX_STRANGERS) return null
    return this.#routes.through(machine)
  }

  /** The stack wants a connection with a relay, in the course of an attempt. */
  askRelay(relayKey: Uint8Array, connect: () => SwarmConnection): SwarmConnection {
    const key = encodeKey(relayKey)
    const meeting = this.#current.getStore()
    const connection = this.#current.exit(connect)
    if (meeting === undefined || this.#isFull(relayKey)) {
      connection.destroy()
      return connection
    }
    if (meeting.dial === null) this.#endEarlier(meeting)
    meeting.relay = connection
    this.#meetings.set(meeting.id, meeting)
    this.#relays.add(connection)
    this.#patience.asked(meeting.id, meeting.machine, key, performance.now())
    bound(connection)
    connection.once('close', () => {
      this.#relays.delete(connection)
      this.#patience.refused(meeting.id)
      if (meeting.dial === null) this.#meetings.delete(meeting.id)
      this.look()
    })
    this.#wait()
    return connection
  }

  /** A machine has proved itself over this connection: relays that are asked for it and are not needed are let go. */
  met(machine: string, connection: SwarmConnection): void {
    for (const meeting of this.#meetings.values()) {
      if (meeting.machine !== machine) continue
      if (meeting.dial !== null && meeting.dial !== connection) continue
      if (!isThrough(connection, meeting.relay)) {
        this.#end(meeting)
        continue
      }
      const served = this.#patience.met(meeting.id, performance.now())
      this.#meetings.delete(meeting.id)
      if (served !== null) this.#routes.served(served.relayKey, served.tookMs)
    }
  }

  /** Other relays may be known than before. */
  look(): void {
    if (this.#closed) return
    for (const { id, isForNext } of this.#patience.look(performance.now())) {
      const meeting = this.#meetings.get(id)
      if (meeting?.dial == null) continue
      const { machine, dial } = meeting
      this.#end(meeting)
      if (isForNext) {
        // The stack has to see first that this attempt is over.
        dial.once('close', () =>
          setImmediate(() => this.#closed || this.#routes.dialAgain(machine)),
        )
      }
      dial.destroy()
    }
    this.#wait()
  }

  close(): void {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  get #strangerCount(): number {
    let count = 0
    for (const { dial, machine } of this.#meetings.values()) {
      if (dial === null && !this.#routes.isMember(machine)) count++
    }
    return count
  }

  #isFull(relayKey: Uint8Array): boolean {
    if (this.#closed || this.#relays.size >= MAX_RELAY_CONNECTIONS) return true
    if (this.#routes.isKnown(relayKey)) return false
    const unknown = [...this.#relays].filter((relay) => !this.#routes.isKnown(keyOf(relay)))
    return unknown.length >= MAX_UNKNOWN
  }

  #begin(machine: string, by: DialledBy | null): Meeting {
    return { id: String(this.#nextId++), machine, dial: null, by, relay: null }
  }

  /** Who dials anew has given up what it began before. */
  #endEarlier({ machine, id }: Meeting): void {
    for (const other of this.#meetings.values()) {
      if (other.machine === machine && other.dial === null && other.id !== id) this.#end(other)
    }
  }

  /** Lets the relay go that is asked in it: what it holds there is free for the next one. */
  #end(meeting: Meeting): void {
    this.#patience.ended(meeting.id)
    if (this.#meetings.delete(meeting.id)) meeting.relay?.destroy()
  }

  #wait(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#closed) return
    const nowMs = performance.now()
    const nextMs = this.#patience.nextMs(nowMs)
    if (nextMs === null) return
    this.#timer = setTimeout(() => this.look(), Math.ceil(nextMs - nowMs))
    this.#timer.unref()
  }
}

/** Ends it when the relay sends more than a relay has to say, from the first byte on. */
function bound(connection: SwarmConnection): void {
  const start = connection.start.bind(connection)
  connection.start = (rawStream, options) => {
    start(rawStream, options)
    rawStream.on('data', () => {
      const isTooMuch = rawStream.bytesReceived > MAX_RELAY_BYTES
      if (isTooMuch || connection._len > MAX_FRAME_BYTES) connection.destroy()
    })
  }
}

function keyOf(connection: SwarmConnection): Uint8Array {
  return connection.remotePublicKey
}

function isThrough(connection: SwarmConnection, relay: SwarmConnection | null): boolean {
  const { remoteHost, remotePort } = connection.rawStream
  return relay !== null && remoteHost !== null && isAt(relay, remoteHost, remotePort)
}

/** Before it is connected it is nowhere. */
function isAt({ rawStream }: SwarmConnection, host: string, port: number): boolean {
  return rawStream?.remoteHost === host && rawStream.remotePort === port
}
