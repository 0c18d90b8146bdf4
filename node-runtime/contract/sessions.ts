// The `sessions` service: live peer-to-peer exchanges with seats and spectators.
import { eventIterator } from '@orpc/contract'
import * as z from 'zod'
import { call } from './procedure.ts'
import {
  hashSchema,
  jsonSchema,
  keySchema,
  signedFormSchema,
  systemIdSchema,
  timeMsSchema,
} from './values.ts'

/** Seats of one session. */
export const MAX_SEATS = 16

/**
 * What a session is. Its id is the hash of this, so that all who know it mean the same session,
 * and nobody needs to hand out ids.
 */
export const sessionDescriptorSchema = z.object({
  system: systemIdSchema,
  kind: z.string().max(40),
  /** The persons by seat, 0 first. */
  seats: z.array(keySchema).min(1).max(MAX_SEATS),
  seed: z.string().max(200),
  options: jsonSchema,
  /** The system's own reference, such as the event, the round and the table. */
  context: jsonSchema,
  /**
   * The hash of the rules' bundle, so that an update of the system changes no session that has begun,
   * and old results can be checked for ever.
   */
  rules: hashSchema,
})
export type SessionDescriptor = z.infer<typeof sessionDescriptorSchema>

/** How a session ended: points by seat, and a word for the person. */
export const outcomeSchema = z.object({
  /** Points by seat; 1, 0 and 0.5 for the usual win, loss and draw. */
  scores: z.array(z.number()).max(MAX_SEATS),
  reason: z.string().max(200),
})
export type Outcome = z.infer<typeof outcomeSchema>

/**
 * By whose word a session ended: the rules', of a seat that resigned, of a claimant whom the others
 * left waiting, or of a proof that a seat broke the rules.
 */
export const endedBySchema = z.enum(['rules', 'resignation', 'claim', 'fault'])
export type EndedBy = z.infer<typeof endedBySchema>

/**
 * The value of a result record, which any seat writes in its own name under the session's id. What it
 * says counts when the rules say the same of its transcript; nobody needs to agree.
 */
export const resultValueSchema = z.object({
  session: hashSchema,
  descriptor: sessionDescriptorSchema,
  outcome: outcomeSchema,
  by: endedBySchema,
  /** Moves and what else took effect. */
  plies: z.number().int().nonnegative(),
  /** The clock of who made the last. A claim. */
  endedMs: timeMsSchema,
  /** All signed actions, kept by those who have the result; found by its hash. */
  transcript: z.object({
    /**
     * Of the Hypercore that holds it, which cannot grow; the same bytes give the same key. Null where
     * it travels as a part alone.
     */
    core: keySchema.nullable(),
    hash: hashSchema,
    /** In bytes. */
    length: z.number().int().positive(),
  }),
  /** Signed agreements of the seats, as far as they have come. A bonus. */
  signatures: z
    .array(z.object({ action: signedFormSchema, attestation: signedFormSchema }))
    .max(16),
  /** Top-level copies, for `where` in queries. */
  kind: z.string(),
  context: jsonSchema,
})
export type ResultValue = z.infer<typeof resultValueSchema>

/** What is found out about a result on this machine, from its transcript and the rules it was played by. */
export const verdictSchema = z.object({
  outcome: outcomeSchema,
  by: endedBySchema,
  plies: z.number().int(),
  /** The persons whose signed actions the transcript holds. */
  signers: z.array(keySchema),
  /** The persons who signed that they agree with the outcome. */
  agreed: z.array(keySchema),
})
export type ResultVerdict = z.infer<typeof verdictSchema>

const playedActionSchema = z.object({
  ply: z.number().int(),
  seat: z.number().int(),
  type: z.enum(['move', 'resign', 'claim']),
  /** Of a move, as the rules understand it; else null. */
  action: jsonSchema,
})

/** The newest actions that a frame holds; `replay` has all. */
export const MAX_FRAME_ACTIONS = 500

const seatInfoSchema = z.object({
  person: keySchema,
  /** Is a machine that holds the seat reachable from here? Null until it was taken. */
  online: z.boolean().nullable(),
})

export const sessionSummarySchema = z.object({
  session: hashSchema,
  descriptor: sessionDescriptorSchema,
  /**
   * `waiting`: not every seat is taken. `live`: play goes on. `over`: it has ended, by the rules where
   * there is an `outcome`; else a player's machine says so.
   */
  state: z.enum(['waiting', 'live', 'over']),
  seats: z.array(seatInfoSchema),
  /** Actions that took effect. Of a session that is not open here, what its players' machines say. */
  ply: z.number().int(),
  /**
   * What the rules make of the signed actions, on this machine. Null while it goes on, and while it is
   * not judged here, whatever has been stored as its result: `verify` judges that.
   */
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
  /** The newest `MAX_FRAME_ACTIONS`. */
  actions: z.array(playedActionSchema),
  /** Once it is over: by whose word. */
  by: endedBySchema.nullable(),
  /** Once it is over: the seats that have signed that they agree. */
  agreed: z.array(z.number().int()),
  /** Once a result is in the database: its id in the kind's results collection. */
  resultId: hashSchema.nullable(),
  /** Results of two seats give different outcomes. */
  disputed: z.boolean(),
  /**
   * Set when a seat broke the rules. The proof: the signed actions that show it; none where it is all that
   * the seat has signed, as in the transcript.
   */
  fault: z
    .object({
      seat: z.number().int(),
      ply: z.number().int(),
      message: z.string(),
      proof: z.array(signedFormSchema),
    })
    .nullable(),
  /**
   * What this machine can't do now. Not a fault of any player. `rules` and `disk` are tried again;
   * `seat`: what it signed in its seat is damaged, and it signs no more in this session.
   */
  trouble: z.object({ what: z.enum(['rules', 'disk', 'seat']), message: z.string() }).nullable(),
  /** So long the seats that are to act may be silent before another may claim. */
  claimAfterMs: z.number(),
  /**
   * So long from this frame on until the own seat may claim; 0 once it may. Null while there is nothing
   * to claim: it is to act itself, has no seat, or it is over.
   */
  claimInMs: z.number().nonnegative().nullable(),
})
export type SessionFrame = z.infer<typeof sessionFrameSchema>

const actErrors = [
  'SESSION_UNKNOWN',
  'SESSION_NOT_SEATED',
  'SESSION_NOT_YOUR_TURN',
  'SESSION_ACTION_ILLEGAL',
  'SESSION_OVER',
  'SESSION_TOO_LARGE',
  'SESSION_TRANSCRIPT_FORGED',
  'UNAVAILABLE',
] as const

const permitted = { access: 'system', permission: 'sessions' } as const

/** A page of positions, from the first to the last. */
const replaySchema = verdictSchema.extend({
  frames: z.array(
    z.object({
      /** Actions before this position. */
      ply: z.number().int(),
      /** Who made the last of them; null before the first. */
      seat: z.number().int().nullable(),
      type: z.enum(['move', 'resign', 'claim']).nullable(),
      action: jsonSchema,
      view: jsonSchema,
    }),
  ),
  /** Where the next page begins; null when this was the last. */
  nextPly: z.number().int().nullable(),
})

const resultErrors = [
  'SYSTEM_NOT_INSTALLED',
  'SESSION_KIND_UNKNOWN',
  'SESSION_TRANSCRIPT_FORGED',
  'SESSION_TRANSCRIPT_MISSING',
  'RULES_FAILED',
  'RULES_MISSING',
] as const

export const sessionsContract = {
  /**
   * The hash of the rules that the installed version has for a kind. What many are to play by, such as
   * the start of an event, names it.
   */
  rules: call({
    input: z.object({ system: systemIdSchema, kind: z.string().max(40) }),
    output: z.object({ rules: hashSchema }),
    errors: ['SYSTEM_NOT_INSTALLED', 'SESSION_KIND_UNKNOWN', 'RULES_FAILED'],
    ...permitted,
    scope: 'own-system',
  }),
  /**
   * Takes the person's seat in a session and announces it; each player does so, by the same descriptor, which
   * gives the same session on every machine. Without `rules`, those of the installed version. A person may sit on
   * several machines. Opening a session that is open already changes nothing.
   */
  open: call({
    input: sessionDescriptorSchema.extend({ rules: hashSchema.optional() }),
    output: z.object({ session: hashSchema }),
    errors: [
      'SYSTEM_NOT_INSTALLED',
      'SESSION_KIND_UNKNOWN',
      'SESSION_SEATS_INVALID',
      'SESSION_NOT_SEATED',
      'SESSION_TOO_LARGE',
      'RULES_FAILED',
      'RULES_MISSING',
    ],
    ...permitted,
    scope: 'own-system',
  }),
  /** Makes a move in the own seat. It is on this machine's disk when the call returns. */
  act: call({
    input: z.object({ session: hashSchema, action: jsonSchema }),
    output: z.object({ ply: z.number().int() }),
    errors: actErrors,
    ...permitted,
    scope: 'own-session',
  }),
  /** Gives up in the own seat, in turn or not. */
  resign: call({
    input: z.object({ session: hashSchema }),
    output: z.object({ ply: z.number().int() }),
    errors: actErrors,
    ...permitted,
    scope: 'own-session',
  }),
  /**
   * Claims the session because the others, who are to act, have been silent for the session's time
   * (`options.claimAfterMs`, else 5 minutes). It is this person's word, and shown as that. Claimed too
   * early, the error's details have `leftMs`.
   */
  claim: call({
    input: z.object({ session: hashSchema }),
    output: z.object({ ply: z.number().int() }),
    errors: [...actErrors, 'SESSION_CLAIM_EARLY'],
    ...permitted,
    scope: 'own-session',
  }),
  /**
   * The newest sessions of a system that this machine knows, newest first. Those that are played,
   * watched or served here are judged; of the others it shows what their players announce.
   */
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
    errors: ['SESSION_UNKNOWN', 'SYSTEM_NOT_INSTALLED', 'RULES_FAILED', 'RULES_MISSING'],
    ...permitted,
    scope: 'own-session',
  }),
  /**
   * Checks every signature and every action of a result's transcript. Fails if anything in it does
   * not hold, or if it says something else than the result.
   */
  verify: call({
    input: z.object({ result: resultValueSchema }),
    output: verdictSchema,
    errors: resultErrors,
    ...permitted,
    scope: 'own-result',
  }),
  /** The same, and the positions: page by page, each of about a megabyte at most. */
  replay: call({
    input: z.object({
      result: resultValueSchema,
      fromPly: z.number().int().nonnegative().default(0),
    }),
    output: replaySchema,
    errors: resultErrors,
    ...permitted,
    scope: 'own-result',
  }),
}
