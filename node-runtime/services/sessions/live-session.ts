// One session as this machine follows it: reads the seats' logs, replays every action under the rules,
// and writes the own seat's. What the logs say decides; nothing else changes a position.
import { EventEmitter } from 'node:events'
import * as z from 'zod'
import { CloudError } from '../../contract/errors.ts'
import { signedActionSchema } from '../../contract/sessions.ts'
import type { SessionFrame } from '../../contract/sessions.ts'
import { signatureSchema } from '../../contract/values.ts'
import type { Json } from '../../contract/values.ts'
import { decodeKey, fromHex, verify } from '../../core/keys.ts'
import { SerialQueue } from '../../flow/serial-queue.ts'
import {
  actionBytes,
  extendChain,
  jsonEqual,
  nextAction,
  seatToAct,
} from '../../core/sessions/session-chain.ts'
import type { ChainHead, RulesRunner } from '../../core/sessions/session-chain.ts'
import type { SeatLog } from '../../store/session-logs.ts'

export type Fault = NonNullable<SessionFrame['fault']>

/** A longer block is no action of any game. */
const MAX_BLOCK_CHARS = 65_536

const blockSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('action'), action: signedActionSchema }),
  /** The last block of a seat: its co-signature under the result. */
  z.object({ type: z.literal('result'), signature: signatureSchema }),
])
type Block = z.infer<typeof blockSchema>

interface Seat {
  log: SeatLog | null
  /** Blocks of the log that have become part of the session. */
  taken: number
  /** The index of the block that is on its way from another machine. */
  fetching: number
  signature: string | null
}

/** What the person at this machine needs to act. */
export interface OwnSeat {
  seat: number
  log: SeatLog
  /** Signs as the person; hex. */
  sign: (bytes: Uint8Array) => string
  now: () => number
}

export interface LiveSessionOptions {
  head: ChainHead
  rules: RulesRunner
  /** What every seat co-signs when the session is over. */
  resultBytes: (head: ChainHead) => Uint8Array
}

export class LiveSession extends EventEmitter<{ changed: [] }> {
  readonly #options: LiveSessionOptions
  readonly #seats: Seat[]
  readonly #steps = new SerialQueue()
  #head: ChainHead
  #own: OwnSeat | null = null
  #fault: Fault | null = null
  #closed = false

  constructor(options: LiveSessionOptions) {
    super()
    this.setMaxListeners(0)
    this.#options = options
    this.#head = options.head
    this.#seats = options.head.descriptor.seats.map(() => ({
      log: null,
      taken: 0,
      fetching: -1,
      signature: null,
    }))
  }

  get head(): ChainHead {
    return this.#head
  }

  get fault(): Fault | null {
    return this.#fault
  }

  get ownSeat(): number | null {
    return this.#own?.seat ?? null
  }

  get logs(): SeatLog[] {
    return this.#seats.flatMap(({ log }) => (log === null ? [] : [log]))
  }

  logOf(seat: number): SeatLog | null {
    return this.#seats[seat]?.log ?? null
  }

  /** The seats' co-signatures under the result, by seat; null until each has given it. */
  get signatures(): (string | null)[] {
    return this.#seats.map(({ signature }) => signature)
  }

  /** Follows another's seat from its log. */
  follow(seat: number, log: SeatLog): void {
    this.#attach(seat, log)
    this.#advanceSoon()
  }

  /** Takes the own seat, with all that its log holds already. Resolves when that is replayed. */
  async hold(own: OwnSeat): Promise<void> {
    this.#own = own
    this.#attach(own.seat, own.log)
    await this.#steps.run(() => this.#advance())
  }

  /**
   * Makes an action in the own seat. It is on disk when the promise resolves, with its ply.
   * @throws CloudError SESSION_NOT_SEATED, SESSION_OVER, SESSION_NOT_YOUR_TURN,
   *   SESSION_ACTION_ILLEGAL, SESSION_TRANSCRIPT_FORGED
   */
  act(action: Json): Promise<number> {
    return this.#steps.run(async () => {
      await this.#advance()
      const own = this.#own
      if (own === null) throw notSeated()
      this.#checkMayAct(own, action)
      const unsigned = nextAction(this.#head, { seat: own.seat, action, atMs: own.now() })
      const signed = { ...unsigned, signature: own.sign(actionBytes(unsigned)) }
      // Replayed before it is written: an action that the rules fail on must not reach the log.
      const extended = await extendChain(this.#head, signed, this.#options.rules)
      await this.#write(own, { type: 'action', action: signed })
      this.#head = extended
      this.emit('changed')
      await this.#advance()
      return signed.ply
    })
  }

  /** Stops reading. The logs are closed too. */
  async close(): Promise<void> {
    this.#closed = true
    this.removeAllListeners()
    await this.#steps.run(() => Promise.all(this.logs.map((log) => log.close())))
  }

  #attach(seatNumber: number, log: SeatLog): void {
    const seat = this.#seats[seatNumber]
    if (seat === undefined) throw new RangeError(`there is no seat ${seatNumber}`)
    seat.log = log
    log.on('grown', () => this.#advanceSoon())
    log.on('conflicted', () => this.#blame(seatNumber, 'it signed two different moves'))
  }

  #checkMayAct({ seat, log }: OwnSeat, action: Json): void {
    const { position, actions } = this.#head
    const details = { ply: actions.length, seat }
    if (this.#fault !== null) {
      throw new CloudError(
        'SESSION_TRANSCRIPT_FORGED',
        `Play has stopped: seat ${this.#fault.seat} broke the rules.`,
        this.#fault,
      )
    }
    if (position.outcome !== null) {
      throw new CloudError('SESSION_OVER', `It is over: ${position.outcome.reason}.`, details)
    }
    // More blocks than are part of the session: the others' moves before them are still to come.
    if (seatToAct(this.#head) !== seat || log.length > (this.#seats[seat]?.taken ?? 0)) {
      throw new CloudError('SESSION_NOT_YOUR_TURN', 'It is not your turn.', details)
    }
    const legal = position.legal[seat] ?? []
    if (!legal.some((allowed) => jsonEqual(allowed, action))) {
      throw new CloudError('SESSION_ACTION_ILLEGAL', 'The rules do not allow this move.', {
        ...details,
        action,
      })
    }
  }

  async #write({ seat, log }: OwnSeat, block: Block): Promise<void> {
    await log.append(JSON.stringify(block))
    const own = this.#seats[seat]
    if (own !== undefined) own.taken++
  }

  #advanceSoon(): void {
    this.#steps
      .run(() => this.#advance())
      .catch((error: unknown) => {
        // Logs that were closed in the middle of reading are no news.
        if (!this.#closed) this.#blame(seatToAct(this.#head) ?? 0, describe(error))
      })
  }

  /** Takes what the logs have and the rules allow, as far as it goes. */
  async #advance(): Promise<void> {
    while (!this.#closed && this.#fault === null) {
      const acting = seatToAct(this.#head)
      let moved = false
      for (const seat of this.#seats.keys()) {
        const block = await this.#nextBlock(seat)
        if (block === null || this.#fault !== null) continue
        if (acting === null) moved = this.#takeSignature(seat, block) || moved
        else if (seat === acting) moved = await this.#takeAction(seat, block)
        else if (block.type === 'result') this.#blame(seat, 'it signed a result before the end')
        else if (block.action.ply <= this.#head.actions.length) {
          this.#blame(seat, 'it was not its turn')
        }
        if (moved && acting !== null) break
      }
      if (acting === null) moved = (await this.#signResult()) || moved
      if (!moved) return
      this.emit('changed')
    }
  }

  /** The first block of a seat's log that is not part of the session yet; null until it is here. */
  async #nextBlock(seatNumber: number): Promise<Block | null> {
    const seat = this.#seats[seatNumber]
    if (seat === undefined || seat.log === null || seat.taken >= seat.log.length) return null
    if (seat.signature !== null) {
      this.#blame(seatNumber, 'it went on after the end')
      return null
    }
    const text = await seat.log.readLocal(seat.taken)
    if (text === null) {
      this.#fetch(seat, seat.log)
      return null
    }
    const parsed = blockSchema.safeParse(text.length > MAX_BLOCK_CHARS ? null : parseJson(text))
    if (parsed.success) return parsed.data
    this.#blame(seatNumber, 'what it wrote is no move')
    return null
  }

  #fetch(seat: Seat, log: SeatLog): void {
    const index = seat.taken
    if (seat.fetching === index) return
    seat.fetching = index
    log.read(index).then(
      () => this.#advanceSoon(),
      () => {
        // The log was closed; if it is opened again, it is asked again.
        seat.fetching = -1
      },
    )
  }

  async #takeAction(seatNumber: number, block: Block): Promise<boolean> {
    const seat = this.#seats[seatNumber]
    if (seat === undefined) return false
    if (block.type === 'result') {
      this.#blame(seatNumber, 'it signed a result before the end')
      return false
    }
    try {
      this.#head = await extendChain(this.#head, block.action, this.#options.rules)
    } catch (error) {
      if (!this.#closed) this.#blame(seatNumber, describe(error))
      return false
    }
    seat.taken++
    return true
  }

  #takeSignature(seatNumber: number, block: Block): boolean {
    const seat = this.#seats[seatNumber]
    const key = decodeKey(this.#head.descriptor.seats[seatNumber] ?? '')
    if (seat === undefined || key === null) return false
    if (block.type !== 'result') {
      this.#blame(seatNumber, 'it moved after the end')
      return false
    }
    if (!verify(this.#options.resultBytes(this.#head), fromHex(block.signature), key)) {
      this.#blame(seatNumber, 'its signature under the result does not hold')
      return false
    }
    seat.signature = block.signature
    seat.taken++
    return true
  }

  async #signResult(): Promise<boolean> {
    const own = this.#own
    const seat = own === null ? undefined : this.#seats[own.seat]
    if (own === null || seat === undefined || this.#fault !== null) return false
    if (seat.signature !== null || seat.taken < own.log.length) return false
    const signature = own.sign(this.#options.resultBytes(this.#head))
    await this.#write(own, { type: 'result', signature })
    seat.signature = signature
    return true
  }

  #blame(seat: number, message: string): void {
    if (this.#fault !== null || this.#closed) return
    this.#fault = { seat, ply: this.#head.actions.length, message }
    this.emit('changed')
  }
}

export function notSeated(): CloudError {
  return new CloudError(
    'SESSION_NOT_SEATED',
    'You have no seat in this session on this machine. You can watch it.',
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function describe(error: unknown): string {
  if (!(error instanceof CloudError)) return 'it could not be replayed'
  const { details } = error
  return typeof details === 'object' && details !== null && 'reason' in details
    ? String(details.reason)
    : error.message
}
