// The `identity` service: who the person and the machine are.
import { eventIterator } from '@orpc/contract'
import * as z from 'zod'
import { call } from './procedure.ts'
import {
  displayNameSchema,
  emptySchema,
  keySchema,
  MAX_VERSION_MS,
  PHRASE_ERRORS,
  phraseSchema,
  timeMsSchema,
  versionSchema,
} from './values.ts'

export const whoamiSchema = z.object({ person: keySchema, machine: keySchema, name: z.string() })
export type Whoami = z.infer<typeof whoamiSchema>

/** What the person alone is told. */
const ownIdentitySchema = whoamiSchema.extend({
  /** Is the recovery phrase still on this machine? */
  phraseKept: z.boolean(),
})
export type OwnIdentity = z.infer<typeof ownIdentitySchema>

/** An attestation and how the person came into the cloud, which has 20,000 bytes at most: as text in text, and in base64. */
export const MAX_ATTESTED_CHARS = 64_000

const statementSchema = { person: keySchema, machine: keySchema, cloud: keySchema }

export const attestationSchema = z.object({
  ...statementSchema,
  expiresMs: timeMsSchema,
  /** What the machine takes with `accept`: one word, and no secret. */
  text: z.string(),
})

export const revocationSchema = z.object({
  ...statementSchema,
  /** What the machine signed with a later version does not count; null: nothing does. */
  validUntil: versionSchema.nullable(),
})

export const identityContract = {
  whoami: call({
    input: emptySchema,
    output: whoamiSchema,
    access: 'system',
    // The person asked, not the caller: there is no one else whose it could be.
    scope: 'none',
    permission: 'identity',
  }),
  /** The same now, and again after every change; and whether the phrase is kept. */
  watch: call({ input: emptySchema, output: eventIterator(ownIdentitySchema) }),
  /** Sets the name under which others see this person. It is a label, not a proof. */
  rename: call({ input: z.object({ name: displayNameSchema }), output: emptySchema }),
  /** The 24 words from which the person's keys derive. Whoever has them is this person. */
  recoveryPhrase: call({
    input: emptySchema,
    output: z.object({ phrase: z.string() }),
    errors: ['IDENTITY_PHRASE_NEEDED'],
  }),
  /**
   * Deletes the recovery phrase from this machine, once the person has written it down: they show that
   * by putting it in. The machine stays theirs in the clouds that it knows.
   */
  forgetPhrase: call({
    input: z.object({ phrase: phraseSchema }),
    output: emptySchema,
    errors: ['IDENTITY_PHRASE_INVALID', 'IDENTITY_PHRASE_OTHER'],
  }),
  /**
   * The person's word that a machine is theirs in a cloud (the present one if absent): of this machine,
   * it holds at once; any other takes it with `accept`. Signed with the phrase, or the one that is kept.
   */
  attest: call({
    input: z.object({
      machine: keySchema,
      cloud: keySchema.optional(),
      phrase: phraseSchema.optional(),
    }),
    output: attestationSchema,
    errors: [...PHRASE_ERRORS],
  }),
  /**
   * Makes this machine the person's who has attested it, in the cloud of the attestation. It has no
   * recovery phrase then, that of its former person neither: `IDENTITY_PHRASE_KEPT` if that is still kept here,
   * unless `forgetPhrase` says that it may go. Where the cloud is by invitation, the person's own lets this machine in, too.
   */
  accept: call({
    input: z.object({
      /** As `attest` answered it; the command around it, or its JSON, may be pasted along. */
      text: z.string().max(MAX_ATTESTED_CHARS),
      forgetPhrase: z.boolean().default(false),
    }),
    output: z.object({ person: keySchema, cloud: keySchema }),
    errors: ['IDENTITY_ATTESTATION_INVALID', 'IDENTITY_PHRASE_KEPT'],
  }),
  /**
   * The person's word that a machine is theirs no more, in the present cloud. It spreads to all machines:
   * they give it no links, and do not show what it writes. What it wrote until `keepUntilMs` (now if
   * absent) stays; null: nothing stays. Signed with the phrase, or the one that is kept.
   */
  revoke: call({
    input: z.object({
      machine: keySchema,
      keepUntilMs: timeMsSchema.max(MAX_VERSION_MS).nullable().optional(),
      phrase: phraseSchema.optional(),
    }),
    output: revocationSchema,
    errors: [...PHRASE_ERRORS, 'MACHINE_UNKNOWN'],
  }),
  /** Whose recovery phrase this is. It changes nothing. */
  personOf: call({
    input: z.object({ phrase: phraseSchema }),
    output: z.object({ person: keySchema }),
    errors: ['IDENTITY_PHRASE_INVALID'],
  }),
  /**
   * Makes this machine belong to the person of the phrase, which is kept until it is forgotten. Records stay with the person who wrote
   * them; the phrase of that person is deleted here: `IDENTITY_PHRASE_KEPT` if it is still kept, which means that nobody
   * has shown that they have it elsewhere, unless `forgetPhrase` says that it may go.
   */
  restore: call({
    input: z.object({ phrase: phraseSchema, forgetPhrase: z.boolean().default(false) }),
    output: z.object({ person: keySchema }),
    errors: ['IDENTITY_PHRASE_INVALID', 'IDENTITY_PHRASE_KEPT'],
  }),
}
