// How a cloud begins: a statement whose hash is the cloud's id, so that its keys can change and the
// cloud stays the same one. It is not signed; whoever knows the id can check it.
import * as z from 'zod'
import { keySchema } from '../../contract/values.ts'
import { canonicalJson, parseCanonical } from '../canonical.ts'
import { domainBytes, encodeKey, hash } from '../keys.ts'
import { MAX_FORM_CHARS } from './signed-form.ts'

/** More than this nobody would wait for. */
const MAX_WORK_BITS = 32

const statementSchema = z.object({
  kind: z.literal('genesis'),
  v: z.number().int().min(1),
  name: z.string().max(60),
  /** Who may come in; see `core/admission/`. A kind that this version does not know admits nobody here. */
  admission: z.object({
    kind: z.string().max(40),
    /** Of `open`: zero bits that a machine's work must show. */
    work: z.number().int().min(0).max(MAX_WORK_BITS).optional(),
  }),
  /** The first keys that may speak for the cloud: releases, lists, later keys. */
  keys: z.array(keySchema).min(1).max(16),
  /** Chance, so that two clouds of one name and owner differ. */
  nonce: z.string().max(128),
})
export type Genesis = z.infer<typeof statementSchema>

/** A cloud's id: the hash of its genesis statement. */
export function cloudIdOf(body: string): string {
  return encodeKey(hash(domainBytes('dharma/genesis/1', body)))
}

/** The text of a new cloud's genesis. */
export function genesisBody(genesis: Omit<Genesis, 'kind' | 'v'>): string {
  return canonicalJson({ ...genesis, kind: 'genesis', v: 1 })
}

/** What the text says, or null if it is not this cloud's genesis. */
export function openGenesis(body: string, cloud: string): Genesis | null {
  if (body.length > MAX_FORM_CHARS || cloudIdOf(body) !== cloud) return null
  const parsed = statementSchema.safeParse(parseCanonical(body))
  return parsed.success ? parsed.data : null
}
