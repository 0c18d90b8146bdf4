// The `sessions` service: live peer-to-peer exchanges with seats and spectators.
import { eventIterator } from '@orpc/contract'
import * as z from 'zod'
import { call } from './procedure.ts'
import {
  hashSchema,
  jsonSchema,
  keySchema,
  signatureSchema,
  systemIdSchema,
  timeMsSchema,
} from './values.ts'

/**
 * What a session is. Its id is the hash of this, so that all who know it mean the same session,
 * and nobody needs to hand out ids.
 */
export const sessionDescriptorSchema = z.object({
  system: systemIdSchema,
  kind: z.string().max(40),
  /** The persons by seat, 0 first. */
  seats: z.array(keySchema).min(1).max(16),
  seed: z.string().max(200),
  options: jsonSchema,
  /** The system's own reference, such as the event, the round and the table. */
  context: jsonSchema,
})
export type SessionDescriptor = z.infer<typeof sessionDescriptorSchema>

/** One action, signed by the person in the seat, linked to the action before it (any seat's). */
export const signedActionSchema = z.object({
  session: hashSchema,
  /** 0 for the first action of the session. */
  ply: z.number().int().nonnegative(),
  seat: z.number().int().nonnegative(),
  action: jsonSchema,
  /** Hash of the action before, or the session id at ply 0. */
  previous: hashSchema,
  /** The mover's clock. A claim; the order comes from the links. */
  atMs: timeMsSchema,
  signature: signatureSchema,
})
export type SignedAction = z.infer<typeof signedActionSchema>

/** How a session ended, as the rules say: points by seat, and a word for the person. */
export const outcomeSchema = z.object({
  /** Points by seat; 1, 0 and 0.5 for the usual win, loss and draw. */
  scores: z.array(z.number()),
  reason: z.string().max(200),
})
export type Outcome = z.infer<typeof outcomeSchema>

/** The value of a result record. Both the rules and the signatures can be checked from it alone. */
export const resultValueSchema = z.object({
  session: hashSchema,
  descriptor: sessionDescriptorSchema,
  actions: z.array(signedActionSchema),
  outcome: outcomeSchema,
  /** Top-level copies, for `where` in queries. */
  kind: z.string(),
  context: jsonSchema,
})
export type ResultValue = z.infer<typeof resultValueSchema>

const seatInfoSchema = z.object({
  person: keySchema,
  /** Is the machine that holds the seat reachable from here? Null until it has taken its seat. */
  online: z.boolean().nullable(),
})

export const sessionSummarySchema = z.object({
  session: hashSchema,
  descriptor: sessionDescriptorSchema,
  /** `waiting`: not every seat is taken. `live`: play goes on. `over`: the rules say so. */
  state: z.enum(['waiting', 'live', 'over']),
  seats: z.array(seatInfoSchema),
  ply: z.number().int(),
  outcome: outcomeSchema.nullable(),
  startedMs: timeMsSchema,
  /** The seat of this machine's person, if it has one. */
  ownSeat: z.number().int().nullable(),
})
export type SessionSummary = z.infer<typeof sessionSummarySchema>

export const sessionFrameSchema = sessionSummarySchema.extend({
  /** What the rules show to this person's seat, or to a spectator. */
  view: jsonSchema,
  /** The legal actions of the own seat now; empty when it is not to move. */
  legal: z.array(jsonSchema),
  /** The seats that may act now. */
  toAct: z.array(z.number().int()),
  actions: z.array(z.object({ ply: z.number().int(), seat: z.number().int(), action: jsonSchema })),
  /** Once a result record is stored: its id in the kind's results collection. */
  resultId: hashSchema.nullable(),
  /** Set when a seat broke the rules; the proof is the block itself. */
  fault: z
    .object({ seat: z.number().int(), ply: z.number().int(), message: z.string() })
    .nullable(),
})
export type SessionFrame = z.infer<typeof sessionFrameSchema>

const permitted = { access: 'system', permission: 'sessions' } as const

export const sessionsContract = {
  /**
   * Takes the person's seat in a session and announces it; the same descriptor gives the same
   * session on every machine. Opening a session that is open already changes nothing.
   */
  open: call({
    input: sessionDescriptorSchema,
    output: z.object({ session: hashSchema }),
    errors: [
      'SYSTEM_NOT_INSTALLED',
      'SESSION_KIND_UNKNOWN',
      'SESSION_SEATS_INVALID',
      'SESSION_NOT_SEATED',
      'SESSION_SEAT_ELSEWHERE',
      'RULES_FAILED',
    ],
    ...permitted,
    scope: 'own-system',
  }),
  /** Makes a move in the own seat. It is on this machine's disk when the call returns. */
  act: call({
    input: z.object({ session: hashSchema, action: jsonSchema }),
    output: z.object({ ply: z.number().int() }),
    errors: [
      'SESSION_UNKNOWN',
      'SESSION_NOT_SEATED',
      'SESSION_NOT_YOUR_TURN',
      'SESSION_ACTION_ILLEGAL',
      'SESSION_OVER',
      'SESSION_TRANSCRIPT_FORGED',
    ],
    ...permitted,
    scope: 'own-session',
  }),
  /** The sessions of a system known in the cloud, newest first. */
  list: call({
    input: z.object({
      system: systemIdSchema,
      state: z.enum(['waiting', 'live', 'over']).optional(),
      limit: z.number().int().min(1).max(500).default(100),
    }),
    output: z.object({ sessions: z.array(sessionSummarySchema) }),
    ...permitted,
    scope: 'own-system',
  }),
  /** The session now, and again after every action: for players and spectators alike. */
  watch: call({
    input: z.object({ session: hashSchema }),
    output: eventIterator(sessionFrameSchema),
    errors: ['SESSION_UNKNOWN', 'SYSTEM_NOT_INSTALLED', 'RULES_FAILED'],
    ...permitted,
    scope: 'own-session',
  }),
  /**
   * Checks every signature and every action of a result and gives the positions from the first to
   * the last. Fails if anything in it does not hold.
   */
  replay: call({
    input: z.object({ result: resultValueSchema }),
    output: z.object({
      frames: z.array(
        z.object({
          ply: z.number().int(),
          /** Null for the position before the first action. */
          seat: z.number().int().nullable(),
          action: jsonSchema,
          view: jsonSchema,
        }),
      ),
      outcome: outcomeSchema,
      /** The persons whose signatures were checked. */
      signers: z.array(keySchema),
    }),
    errors: [
      'SYSTEM_NOT_INSTALLED',
      'SESSION_KIND_UNKNOWN',
      'SESSION_TRANSCRIPT_FORGED',
      'RULES_FAILED',
    ],
    ...permitted,
    scope: 'own-result',
  }),
}
