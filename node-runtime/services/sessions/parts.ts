// Rules and transcripts by their hash: kept here, and fetched from machines that have them, piece by
// piece, limited in size, and believed only when the hash is right.
import { randomInt } from 'node:crypto'
import * as z from 'zod'
import { CloudError } from '../../contract/errors.ts'
import { hashSchema } from '../../contract/values.ts'
import {
  MAX_TRANSCRIPT_BYTES,
  readTranscript,
  transcriptHash,
} from '../../core/sessions/transcript.ts'
import { readBundle } from '../../sandbox/rules-bundle.ts'
import { NOBODY } from '../../store/part-files.ts'
import type { PartFiles } from '../../store/part-files.ts'
import { jsonCodec } from '../../swarm/codec.ts'
import type { Network, Protocol } from '../../swarm/network.ts'

const PROTOCOL = 'dharma/session-parts/1'
const PIECE_BYTES = 48 * 1024
/** A piece in base64, and what is around it. */
const MAX_MESSAGE_BYTES = 2 * PIECE_BYTES
const ANSWER_LIMIT_MS = 3_000
/** Who sends the whole more slowly than this is taken for one that never ends, and the next is asked. */
const LEAST_BYTES_PER_MS = 64
/** Of a large cloud not everybody is asked. */
const MAX_ASKED = 24
/** Of those that are likely to have it and are not linked, so many are reached for. */
const MAX_REACHED = 4
/** A link with one that is there takes less; the linked ones are asked meanwhile. */
const REACH_LIMIT_MS = 5_000
/** Pieces that one machine may be preparing for another at a time. */
const MAX_SERVED = 4

export type PartKind = 'rules' | 'transcript'

interface Part {
  kind: PartKind
  bytes: Uint8Array
}

const messageSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('want'),
    hash: hashSchema,
    from: z.number().int().min(0).max(MAX_TRANSCRIPT_BYTES),
  }),
  z.object({
    type: z.literal('piece'),
    hash: hashSchema,
    from: z.number().int().min(0).max(MAX_TRANSCRIPT_BYTES),
    /** Of the whole; 0 where it is not to be had. */
    total: z.number().int().min(0).max(MAX_TRANSCRIPT_BYTES),
    data: z.base64().max(MAX_MESSAGE_BYTES),
  }),
])
type Message = z.infer<typeof messageSchema>
type Piece = Extract<Message, { type: 'piece' }>

/**
 * What the bytes are, if they are what the hash names; null if they are damaged, or neither. The kinds
 * are named by different hashes, so whoever asks for the wrong kind says nothing about the bytes.
 */
function readPart(hash: string, bytes: Uint8Array): Part | null {
  if (bytes.length > MAX_TRANSCRIPT_BYTES) return null
  if (transcriptHash(bytes) === hash) {
    return readTranscript(bytes) === null ? null : { kind: 'transcript', bytes }
  }
  return readBundle(bytes)?.hash === hash ? { kind: 'rules', bytes } : null
}

export class Parts {
  readonly #files: PartFiles
  readonly #network: Network
  readonly #protocol: Protocol<Message>
  /** By machine: what waits for a link with it. */
  readonly #reaching = new Map<string, Set<(isLinked: boolean) => void>>()
  readonly #awaited = new Map<string, (piece: Piece) => void>()
  readonly #fetching = new Map<string, Promise<Part | null>>()
  readonly #serving = new Map<string, number>()

  constructor(files: PartFiles, network: Network) {
    this.#files = files
    this.#network = network
    this.#protocol = network.openProtocol({
      name: PROTOCOL,
      codec: jsonCodec(messageSchema as z.ZodType<Message>, MAX_MESSAGE_BYTES),
      opened: ({ machine }) => {
        for (const finish of this.#reaching.get(machine) ?? []) finish(true)
      },
      received: ({ machine }, message) => {
        if (message.type === 'want') void this.#serve(machine, message)
        else this.#awaited.get(`${machine} ${message.hash} ${message.from}`)?.(message)
      },
    })
  }

  /**
   * Keeps bytes of our own making, in the share of a person whose result names them.
   * @throws CloudError INTERNAL if no machine would take them for what the hash names
   */
  async put(hash: string, bytes: Uint8Array, owner = NOBODY): Promise<void> {
    if (readPart(hash, bytes) === null) {
      throw new CloudError(
        'INTERNAL',
        'What this machine wants to keep is no transcript or rules.',
        {
          hash,
          sizeBytes: bytes.length,
          limitBytes: MAX_TRANSCRIPT_BYTES,
        },
      )
    }
    await this.#files.put(hash, bytes, owner)
  }

  /**
   * The bytes from here, or from a machine that has them; null if none in reach has, or if the hash is
   * that of another kind.
   * @param likely  machines that are asked first, and linked with if need be
   * @param owner  the person whose result names it: it is kept in their share
   */
  async get(
    kind: PartKind,
    hash: string,
    likely: readonly string[] = [],
    owner = NOBODY,
  ): Promise<Uint8Array | null> {
    const part = (await this.#held(hash)) ?? (await this.#fetchOnce(hash, likely, owner))
    if (part?.kind !== kind) return null
    // Of two who want it at once, it is kept for both.
    await this.#files.claim(hash, owner)
    return part.bytes
  }

  /** Asks and answers no more, and waits for what is being written. */
  async close(): Promise<void> {
    this.#protocol.close()
    for (const waiting of this.#reaching.values()) for (const finish of waiting) finish(false)
    await this.#files.close()
  }

  /** What is here. Damaged bytes are none, and make room for good ones. */
  async #held(hash: string): Promise<Part | null> {
    const bytes = await this.#files.get(hash)
    const part = bytes === null ? null : readPart(hash, bytes)
    if (bytes !== null && part === null) await this.#files.remove(hash)
    return part
  }

  /** Of whichever kind it is: once it is here, nobody fetches it again to see that it is another. */
  #fetchOnce(hash: string, likely: readonly string[], owner: string): Promise<Part | null> {
    let fetching = this.#fetching.get(hash)
    if (fetching === undefined) {
      fetching = this.#fetch(hash, likely, owner).finally(() => this.#fetching.delete(hash))
      this.#fetching.set(hash, fetching)
    }
    return fetching
  }

  async #fetch(hash: string, likely: readonly string[], owner: string): Promise<Part | null> {
    const linked = this.#protocol.peers().map(({ machine }) => machine)
    const first = likely.filter((machine) => linked.includes(machine))
    const others = linked.filter((machine) => !first.includes(machine))
    for (let i = others.length - 1; i > 0; i--) {
      const j = randomInt(i + 1)
      ;[others[i], others[j]] = [others[j] as string, others[i] as string]
    }
    const reached = likely
      .filter((machine) => !linked.includes(machine))
      .slice(0, MAX_REACHED)
      .map((machine) => ({ machine, isLinked: this.#link(machine) }))
    for (const machine of [...first, ...others].slice(0, MAX_ASKED)) {
      const part = await this.#fetchFrom(machine, hash, owner)
      if (part !== null) return part
    }
    for (const { machine, isLinked } of reached) {
      const part = (await isLinked) ? await this.#fetchFrom(machine, hash, owner) : null
      if (part !== null) return part
    }
    return null
  }

  /** Reaches for a machine. @returns is there a link with it before long? */
  #link(machine: string): Promise<boolean> {
    return new Promise((resolve) => {
      const waiting = this.#reaching.get(machine) ?? new Set()
      const finish = (isLinked: boolean): void => {
        clearTimeout(timer)
        waiting.delete(finish)
        if (waiting.size === 0) this.#reaching.delete(machine)
        resolve(isLinked)
      }
      const timer = setTimeout(() => finish(false), REACH_LIMIT_MS)
      waiting.add(finish)
      this.#reaching.set(machine, waiting)
      this.#network.reach(machine)
    })
  }

  /** The part as that machine has it, which is kept. */
  async #fetchFrom(machine: string, hash: string, owner: string): Promise<Part | null> {
    const part = await this.#piecesOf(machine, hash)
    if (part !== null) await this.#files.put(hash, part.bytes, owner)
    return part
  }

  async #piecesOf(machine: string, hash: string): Promise<Part | null> {
    const beganMs = performance.now()
    const pieces: Uint8Array[] = []
    let length = 0
    let total = 0
    do {
      const piece = await this.#ask(machine, hash, length)
      if (piece === null) return null
      const data = Buffer.from(piece.data, 'base64')
      if (length === 0) total = piece.total
      // Whoever has it sends whole pieces, and always of the same.
      if (piece.total !== total || data.length !== Math.min(PIECE_BYTES, total - length))
        return null
      if (data.length === 0) return null
      if (performance.now() - beganMs > ANSWER_LIMIT_MS + length / LEAST_BYTES_PER_MS) return null
      pieces.push(data)
      length += data.length
    } while (length < total)
    return readPart(hash, Buffer.concat(pieces))
  }

  #ask(machine: string, hash: string, from: number): Promise<Piece | null> {
    const key = `${machine} ${hash} ${from}`
    return new Promise((resolve) => {
      const finish = (piece: Piece | null): void => {
        clearTimeout(timer)
        this.#awaited.delete(key)
        resolve(piece)
      }
      const timer = setTimeout(() => finish(null), ANSWER_LIMIT_MS)
      this.#awaited.set(key, finish)
      if (!this.#protocol.send(machine, { type: 'want', hash, from })) finish(null)
    })
  }

  async #serve(machine: string, { hash, from }: { hash: string; from: number }): Promise<void> {
    const serving = this.#serving.get(machine) ?? 0
    if (serving >= MAX_SERVED) return
    this.#serving.set(machine, serving + 1)
    try {
      const bytes = (await this.#files.get(hash)) ?? new Uint8Array()
      const data = Buffer.from(bytes.subarray(from, from + PIECE_BYTES)).toString('base64')
      this.#protocol.send(machine, { type: 'piece', hash, from, total: bytes.length, data })
    } finally {
      const left = (this.#serving.get(machine) ?? 1) - 1
      if (left === 0) this.#serving.delete(machine)
      else this.#serving.set(machine, left)
    }
  }
}
