// What machines say to each other about who serves whom the logs of a session: `dharma/sessions/2`.
import * as z from 'zod'
import { hashSchema, keySchema } from '../../contract/values.ts'

/** Who serves a machine, who serves that one, and so on. A tree of millions is no deeper. */
export const MAX_PATH = 64

const session = hashSchema
const length = z.number().int().nonnegative()
export const audienceMessageSchema = z.discriminatedUnion('type', [
  /** May I replicate this session from you? `failed`: those you named before did not help. */
  z.object({ type: z.literal('follow'), session, failed: z.boolean() }),
  /** You may. `path`: the sender, its own source, and so on; sent again when it changes. */
  z.object({ type: z.literal('serving'), session, path: z.array(keySchema).max(MAX_PATH), length }),
  /** I serve as many as I can: ask these. */
  z.object({ type: z.literal('redirect'), session, machines: z.array(keySchema).max(16) }),
  /** I do not have it, or no longer. */
  z.object({ type: z.literal('unavailable'), session }),
  z.object({ type: z.literal('unfollow'), session }),
  /** How many actions do you have? */
  z.object({ type: z.literal('compare'), session }),
  z.object({ type: z.literal('have'), session, length }),
])
export type AudienceMessage = z.infer<typeof audienceMessageSchema>
