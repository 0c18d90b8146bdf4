// What an open machine does for two others of its cloud that can't meet directly: passes on what they send each
// other, sealed for them (the stack's blind relay). How much of that it does decides `core/relay/relay-desk.ts`;
// here are the connections of those who ask, and the pairs of raw streams.
import relay from 'blind-relay'
import type { Pairing } from 'blind-relay'
import c from 'compact-encoding'
import type { DhtServer, RawStream } from 'hyperdht'
import type DHT from 'hyperdht'
import type { SwarmConnection } from 'hyperswarm'
import type { MessageType } from 'protomux'
import { MAX_CIRCUITS, MAX_CIRCUITS_PER_MACHINE, RelayDesk } from '../../core/relay/relay-desk.ts'
import type { RelayEffect, RelayEvent } from '../../core/relay/relay-desk.ts'
import { encodeKey, toHex } from '../../core/keys.ts'
import type { KeyPair } from '../../core/keys.ts'
import { Driver } from '../../flow/driver.ts'
import type { Log } from '../../ports/log.ts'
import { untouchedBytes } from '../codec.ts'
import { GuardedMux } from '../guarded-mux.ts'
import { PeerFault } from '../peer-fault.ts'

const PROTOCOL = 'blind-relay'
const MEASURE_MS = 1_000
/** Who connects asks at once. */
const ASK_WITHIN_MS = 5_000
/** Two ends of each circuit, and some that are on their way out. */
const MAX_CONNECTIONS = 3 * MAX_CIRCUITS
const MAX_CONNECTIONS_PER_MACHINE = 3 * MAX_CIRCUITS_PER_MACHINE
/** A question, and what keeps the connection open for as long as a circuit lasts. */
const MAX_CONNECTION_BYTES = 256 * 1024
/** A token, and an id. */
const MAX_QUESTION_BYTES = 64

export interface RelayServiceOptions {
  dht: DHT
  /** Under which it is reached. */
  keyPair: KeyPair
  /** Is it a machine of this cloud? All others are turned away before they can say anything. */
  isMember: (machine: string) => boolean
  log: Log
}

interface Guest {
  connection: SwarmConnection
  machine: string
  /** Of the guest's raw stream; null before it asked. */
  asked: Pairing | null
  answer: MessageType<Uint8Array>
}

export class RelayService {
  readonly #options: RelayServiceOptions
  readonly #server: DhtServer
  readonly #desk = new RelayDesk()
  readonly #driver: Driver<RelayEvent, RelayEffect>
  readonly #guests = new Map<string, Guest>()
  readonly #circuits = new Map<string, readonly [RawStream, RawStream]>()
  #nextId = 0
  #measureTimer: NodeJS.Timeout | null = null
  #closed = false

  constructor(options: RelayServiceOptions) {
    this.#options = options
    const { dht, isMember, log } = options
    this.#driver = new Driver<RelayEvent, RelayEffect>({
      core: this.#desk,
      perform: (effect) => this.#perform(effect),
      onFault: (error) => log.error('relaying failed through our own fault', { error }),
      // What guests can cause is bounded by their number, and each asks once.
      mustKeep: () => true,
    })
    this.#server = dht.createServer(
      {
        firewall: (publicKey) => !isMember(encodeKey(publicKey)) || this.#isFull(publicKey),
        shareLocalAddress: false,
      },
      (connection) => this.#receive(connection),
    )
  }

  /** Circuits that are open now. */
  get circuitCount(): number {
    return this.#desk.circuitCount
  }

  get guestCount(): number {
    return this.#guests.size
  }

  /** Resolves once others can find it. */
  listen(): Promise<void> {
    return this.#server.listen(this.#options.keyPair)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#driver.close()
    if (this.#measureTimer !== null) clearInterval(this.#measureTimer)
    for (const { connection } of this.#guests.values()) connection.destroy()
    for (const circuit of this.#circuits.keys()) this.#end(circuit)
    await this.#server.close()
  }

  #isFull(publicKey: Uint8Array): boolean {
    if (this.#guests.size >= MAX_CONNECTIONS) return true
    const machine = encodeKey(publicKey)
    let ofMachine = 0
    for (const guest of this.#guests.values()) if (guest.machine === machine) ofMachine++
    return ofMachine >= MAX_CONNECTIONS_PER_MACHINE
  }

  #receive(connection: SwarmConnection): void {
    connection.on('error', () => {
      // It is closed then, and that is heard below.
    })
    // Handshakes that ran at the same time were all let in.
    if (this.#closed || this.#isFull(connection.remotePublicKey)) return void connection.destroy()
    const id = String(this.#nextId++)
    const { rawStream, remotePublicKey } = connection
    const timer = setTimeout(() => connection.destroy(), ASK_WITHIN_MS)
    rawStream.on('data', () => {
      if (rawStream.bytesReceived > MAX_CONNECTION_BYTES) connection.destroy()
    })
    connection.on('close', () => {
      clearTimeout(timer)
      this.#guests.delete(id)
      this.#driver.post({ type: 'left', end: id })
    })
    const mux = new GuardedMux(connection, {
      onFault: (reason, error) => {
        if (error !== undefined) this.#options.log.info('a relay’s guest failed', { reason, error })
      },
    })
    const channel = mux.createChannel({ protocol: PROTOCOL, id: remotePublicKey })
    if (channel === null) return void connection.destroy()
    const pair = channel.addMessage({
      encoding: untouchedBytes,
      onmessage: (bytes) => {
        clearTimeout(timer)
        this.#asked(id, bytes)
      },
    })
    // The other side takes its question back.
    channel.addMessage({ encoding: untouchedBytes, onmessage: () => connection.destroy() })
    this.#guests.set(id, {
      connection,
      machine: encodeKey(remotePublicKey),
      asked: null,
      answer: pair,
    })
    channel.open()
  }

  #asked(id: string, bytes: Uint8Array): void {
    const guest = this.#guests.get(id)
    if (guest === undefined) return
    const asked = readQuestion(bytes)
    if (asked === null) throw new PeerFault('its question is not understood')
    if (guest.asked !== null) throw new PeerFault('it asks more than once')
    guest.asked = asked
    const { machine } = guest
    const { isInitiator } = asked
    this.#driver.post({ type: 'asked', end: id, machine, token: toHex(asked.token), isInitiator })
    this.#measureTimer ??= setInterval(() => this.#measure(), MEASURE_MS)
  }

  #perform(effect: RelayEffect): void {
    switch (effect.type) {
      case 'pair':
        return this.#pair(effect.circuit, effect.ends)
      case 'dismiss':
        this.#guests.get(effect.end)?.connection.destroy()
        return
      case 'cut':
        this.#options.log.info('a relayed link ended', { reason: effect.reason })
        this.#end(effect.circuit)
    }
  }

  #pair(circuit: string, ends: readonly [string, string]): void {
    const [initiator, other] = ends.map((id) => this.#guests.get(id))
    if (initiator === undefined || other === undefined) return
    const streams = [this.#openStream(initiator), this.#openStream(other)] as const
    this.#circuits.set(circuit, streams)
    const [first, second] = streams
    first.relayTo(second)
    second.relayTo(first)
    for (const [guest, stream] of [
      [initiator, first],
      [other, second],
    ] as const) {
      if (guest.asked === null) continue
      const { isInitiator, token } = guest.asked
      guest.answer.send(
        c.encode(relay.messages.pair, { isInitiator, token, id: stream.id, seq: 0 }),
      )
    }
  }

  /** Connected to where the guest's own connection is: from there and nowhere else its stream comes. */
  #openStream({ connection, asked }: Guest): RawStream {
    const { remoteHost, remotePort, socket } = connection.rawStream
    const stream = this.#options.dht.createRawStream({
      framed: true,
      firewall: (_, port, host) => host !== remoteHost || port !== remotePort,
    })
    stream.on('error', () => {
      // One end gave its stream up: both connections say so, too.
    })
    if (asked !== null && socket !== null && remoteHost !== null) {
      stream.connect(socket, asked.id, remotePort, remoteHost)
    }
    return stream
  }

  /** Whose circuit it was has lost it, and hears that. */
  #end(circuit: string): void {
    const streams = this.#circuits.get(circuit)
    if (streams === undefined) return
    this.#circuits.delete(circuit)
    for (const stream of streams) stream.destroy()
    for (const { connection, asked } of this.#guests.values()) {
      if (asked !== null && toHex(asked.token) === circuit) connection.destroy()
    }
  }

  #measure(): void {
    const bytes = new Map<string, number>()
    for (const [circuit, [first, second]] of this.#circuits) {
      bytes.set(circuit, first.bytesReceived + second.bytesReceived)
    }
    this.#driver.post({ type: 'measured', bytes })
    // Who has just asked may wait in the inbox.
    const isIdle = this.#desk.isIdle && this.#driver.waiting === 0
    if (!isIdle || this.#measureTimer === null) return
    clearInterval(this.#measureTimer)
    this.#measureTimer = null
  }
}

function readQuestion(bytes: Uint8Array): Pairing | null {
  if (bytes.byteLength > MAX_QUESTION_BYTES) return null
  try {
    return c.decode(relay.messages.pair, bytes)
  } catch {
    // Cut short: the same as any other that is not understood.
    return null
  }
}
