// The `identity` service: who the person and the machine are.
import { eventIterator } from '@orpc/contract'
import * as z from 'zod'
import { call } from './procedure.ts'
import { displayNameSchema, emptySchema, keySchema } from './values.ts'

export const whoamiSchema = z.object({ person: keySchema, machine: keySchema, name: z.string() })
export type Whoami = z.infer<typeof whoamiSchema>

const phraseSchema = z.string().max(500)

export const identityContract = {
  whoami: call({
    input: emptySchema,
    output: whoamiSchema,
    access: 'system',
    // The person asked, not the caller: there is no one else whose it could be.
    scope: 'none',
    permission: 'identity',
  }),
  /** The same now, and again after every change. */
  watch: call({ input: emptySchema, output: eventIterator(whoamiSchema) }),
  /** Sets the name under which others see this person. It is a label, not a proof. */
  rename: call({ input: z.object({ name: displayNameSchema }), output: emptySchema }),
  /** The 24 words from which the person's keys derive. Whoever has them is this person. */
  recoveryPhrase: call({ input: emptySchema, output: z.object({ phrase: z.string() }) }),
  /** Whose recovery phrase this is. It changes nothing. */
  personOf: call({
    input: z.object({ phrase: phraseSchema }),
    output: z.object({ person: keySchema }),
    errors: ['IDENTITY_PHRASE_INVALID'],
  }),
  /**
   * Makes this machine belong to the person of the phrase. Records stay with the person who wrote
   * them; the earlier phrase is needed to be that person again.
   */
  restore: call({
    input: z.object({ phrase: phraseSchema }),
    output: z.object({ person: keySchema }),
    errors: ['IDENTITY_PHRASE_INVALID'],
  }),
}
