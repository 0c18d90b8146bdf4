// The token that goes around ring 0: the form of it, and which of two counts.
import * as z from 'zod'
import { keySchema } from '../../contract/values.ts'

/** Small news that ride along for one lap. */
export const MAX_DELTAS = 16
export const MAX_DELTA_CHARS = 256
/** A token that is so many epochs ahead was made up. */
const MAX_LEAP = 1_000_000

const count = z
  .number()
  .int()
  .nonnegative()
  .max(2 ** 50)

export const deltaSchema = z.object({
  from: keySchema,
  /** At which step of the token it got on. */
  step: count,
  /** What for, such as `load`; who does not know the kind passes it on. */
  kind: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  text: z.string().max(MAX_DELTA_CHARS),
})
export type Delta = z.infer<typeof deltaSchema>

export const tokenSchema = z.object({
  /** Grows each time a token is made; a lower one is dropped wherever a higher one was seen. */
  epoch: count,
  /** Who made it: of two with one epoch the greater key counts. */
  maker: keySchema,
  /** Hops since it was made. */
  step: count,
  /** How long all these hops took together, ms. */
  hopsMs: z
    .number()
    .nonnegative()
    .max(2 ** 50),
  /** The time of the ring, ms: goes on while the token is held and while it is under way. */
  timeMs: z
    .number()
    .nonnegative()
    .max(2 ** 50),
  deltas: z.array(deltaSchema).max(MAX_DELTAS),
})
export type Token = z.infer<typeof tokenSchema>

/** Nobody counts so far. What is passed on grows, and must not outgrow what the next machine takes for a token. */
const MADE_UP = 2 ** 49

/** Was it made up, to be passed on until a machine is blamed for it? */
export function isMadeUp({ epoch, step, hopsMs, timeMs }: Token): boolean {
  return Math.max(epoch, step, hopsMs, timeMs) >= MADE_UP
}

/** Which token, and how far it has come. */
export const markSchema = tokenSchema.pick({ epoch: true, maker: true, step: true })
export type TokenMark = z.infer<typeof markSchema>

/** Do those around whom it goes know nothing of what was seen? Then that was made up. */
export function isOfOthers({ epoch }: TokenMark, seen: TokenMark | null): boolean {
  return seen !== null && epoch < seen.epoch - MAX_LEAP
}

/** Is this one older than, or the same as, what was seen? Then it is dropped. */
export function isOutdone(token: TokenMark, seen: TokenMark | null): boolean {
  if (seen === null) return false
  if (token.epoch !== seen.epoch) {
    return token.epoch < seen.epoch || token.epoch > seen.epoch + MAX_LEAP
  }
  if (token.maker !== seen.maker) return token.maker < seen.maker
  return token.step <= seen.step
}
