// A talk of a few messages with somebody who has proved nothing yet: one frame after the other, each of limited
// size, all in limited time.
import type { SwarmConnection } from 'hyperswarm'
import type { Codec } from './codec.ts'

export type { SwarmConnection } from 'hyperswarm'

/** Signature and length of an encrypted frame around a message. */
const FRAME_OVERHEAD_BYTES = 64

/** The other side went away, was too slow, or said what can't be read. */
export class TalkEnded extends Error {}

export class Frames<M> {
  readonly #connection: SwarmConnection
  readonly #codec: Codec<M>
  readonly #timer: NodeJS.Timeout
  /** Come, and not asked for yet; who sends more than it was asked for is gone. */
  #next: M | null = null
  #waiting: { resolve: (message: M) => void; reject: (error: Error) => void } | null = null
  #ended: TalkEnded | null = null

  /** @param limitMs  for the whole talk */
  constructor(connection: SwarmConnection, codec: Codec<M>, limitMs: number) {
    this.#connection = connection
    this.#codec = codec
    this.#timer = setTimeout(() => this.#end('the other side was too slow'), limitMs)
    connection.on('error', (error) => this.#end(error.message))
    connection.on('close', () => this.#end('the other side went away'))
    const measure = (): void => {
      connection.rawStream.on('data', () => {
        if (connection._len > codec.maxBytes + FRAME_OVERHEAD_BYTES)
          this.#end('a message is too long')
      })
    }
    // One that was dialled has no raw stream before it is open.
    if (connection.isInitiator) connection.once('open', measure)
    else measure()
    connection.on('data', (bytes: Uint8Array) => this.#received(bytes))
  }

  /** Of a connection that was dialled. @throws TalkEnded */
  opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== null) return reject(this.#ended)
      this.#connection.once('open', resolve)
      this.#connection.once('close', () => reject(this.#ended ?? new TalkEnded('nobody answers')))
    })
  }

  /** @throws TalkEnded */
  next(): Promise<M> {
    if (this.#ended !== null) return Promise.reject(this.#ended)
    if (this.#next !== null) {
      const message = this.#next
      this.#next = null
      return Promise.resolve(message)
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  send(message: M): void {
    if (this.#ended === null) this.#connection.write(this.#codec.encode(message))
  }

  /** Nothing more is said; what was said still leaves. */
  finish(): void {
    this.#connection.end()
  }

  close(): void {
    this.#end('this side ended it')
  }

  #received(bytes: Uint8Array): void {
    // Keeps the connection open; says nothing.
    if (bytes.byteLength === 0) return
    const message = this.#codec.decode(bytes)
    if (message === null) return this.#end('a message is not understood')
    const waiting = this.#waiting
    if (waiting !== null) {
      this.#waiting = null
      waiting.resolve(message)
    } else if (this.#next === null) this.#next = message
    else this.#end('it says more than it was asked')
  }

  #end(reason: string): void {
    if (this.#ended !== null) return
    clearTimeout(this.#timer)
    this.#ended = new TalkEnded(reason)
    this.#waiting?.reject(this.#ended)
    this.#waiting = null
    this.#connection.destroy()
  }
}
