// Values that more than one service speaks of.
import * as z from 'zod'

/** Any JSON value. */
export const jsonSchema = z.json()
export type Json = z.infer<typeof jsonSchema>

/** A public key (machine, person, cloud or log): 32 bytes as 52 characters of z-base-32. */
export const keySchema = z
  .string()
  .regex(/^[ybndrfg8ejkmcpqxot1uwisza345h769]{52}$/, 'not a key (52 characters of z-base-32)')

/** An ed25519 signature: 64 bytes as lower-case hex. */
export const signatureSchema = z.string().regex(/^[0-9a-f]{128}$/, 'not a signature (64 bytes hex)')

const HASH = /^[0-9a-f]{64}$/

/** A 32-byte hash as lower-case hex. */
export const hashSchema = z.string().regex(HASH, 'not a hash (32 bytes hex)')

/** The same for where most are none: a schema that refuses costs as much as a signature. */
export function isHash(text: string): boolean {
  return HASH.test(text)
}

/** No signed form needs more; a longer one is refused before anything is parsed. */
export const MAX_FORM_CHARS = 16_384

/** A statement that somebody signed: the very text, and the signature. See `core/forms/`. */
export const signedFormSchema = z.object({
  /** Canonical JSON of an object with `kind` and `v`; the text that was signed. */
  body: z.string().max(MAX_FORM_CHARS),
  /** Over the domain `dharma/<kind>/1` and the body. */
  signature: signatureSchema,
})
export type SignedForm = z.infer<typeof signedFormSchema>

/** The full id of a git commit. */
export const commitSchema = z.string().regex(/^[0-9a-f]{40}$/, 'not a full commit id (40 hex)')

/**
 * A hybrid logical clock reading: 12 hex digits of ms since 1970, '-', 4 hex digits of counter.
 * Sorts as text.
 */
export const MAX_VERSION_MS = 0xffff_ffff_ffff
export const versionSchema = z.string().regex(/^[0-9a-f]{12}-[0-9a-f]{4}$/, 'not a version')

const SYSTEM_NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/

/** The id of a system, which its author chose. Several authors can choose the same. */
export const systemIdSchema = z.string().max(64).regex(SYSTEM_NAME, 'not a system id')

/** What names an installed system: its id, its key, or its host in `cloud://<host>/`. */
export const systemNameSchema = z.string().max(120).regex(SYSTEM_NAME, 'not the name of a system')

export const collectionNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'not a collection name (a-z, 0-9, -, at most 40)')

/** The id of a record: 1 to 200 characters, no control characters. */
export const recordIdSchema = z
  .string()
  .min(1)
  .max(200)
  // eslint-disable-next-line no-control-regex
  .regex(/^[^\u0000-\u001f\u007f]+$/, 'no control characters')

/** Half a character, such as a cut emoji leaves, would make what is signed with the name unreadable. */
const HALF_CHARACTERS = /\p{Surrogate}/gu

/** The name of a person or a machine: a label. */
export const displayNameSchema = z
  .string()
  .overwrite((name) => name.replace(HALF_CHARACTERS, '\ufffd'))
  .trim()
  .min(1)
  .max(60)

/** Milliseconds since 1970. */
export const timeMsSchema = z.number().int().nonnegative()

export const emptySchema = z.object({})

/** A recovery phrase as a person puts it in. */
export const phraseSchema = z.string().max(500)

/** How a call fails that signs with it. */
export const PHRASE_ERRORS = [
  'IDENTITY_PHRASE_INVALID',
  'IDENTITY_PHRASE_NEEDED',
  'IDENTITY_PHRASE_OTHER',
] as const
