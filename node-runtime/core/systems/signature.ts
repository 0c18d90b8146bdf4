// `dharma.sig.json`: a publisher's word for exactly these files. The publisher's first key names the
// system for ever; who holds it can hand over to a successor, which then signs in its place.
import * as z from 'zod'
import { hashSchema, keySchema, systemIdSchema } from '../../contract/values.ts'
import { encodeKey } from '../keys.ts'
import type { KeyPair } from '../keys.ts'
import { openForm, signedFormSchema, signForm } from '../forms/signed-form.ts'
import type { SignedForm, VerifySignature } from '../forms/signed-form.ts'

/** Where the signature lies in a repository. It covers every file but itself. */
export const SIGNATURE_PATH = 'dharma.sig.json'

/** A key a year for a century; each is a signature to check before anything is shown. */
const MAX_SUCCESSORS = 100
/** Room for the longest chain: a hand-over takes about 500 bytes. */
export const MAX_SIGNATURE_BYTES = 128 * 1024

const PUBLISHER = 'publisher'
const SUCCESSOR = 'successor'

const fileSchema = z.object({
  signatureVersion: z.literal(1),
  /** The statement of kind `publisher`, signed by the last of the keys. */
  statement: signedFormSchema,
  /** Statements of kind `successor`, from the first key on, each signed by the one before. */
  successors: z.array(signedFormSchema).max(MAX_SUCCESSORS),
})
export type SignatureFile = z.infer<typeof fileSchema>

const publisherSchema = z.object({
  id: systemIdSchema,
  /** The first key. */
  publisher: keySchema,
  /** The key that signs now. */
  signer: keySchema,
  contentHash: hashSchema,
})

const successorSchema = z.object({
  publisher: keySchema,
  /** The key that hands over: the one that signed until then. */
  signer: keySchema,
  successor: keySchema,
})

/** What a signature file says, every signature in it checked. */
export interface SystemSignature {
  id: string
  /** The publisher's keys from the first, which names the system, to the one that signs now. */
  keys: string[]
  contentHash: string
  file: SignatureFile
}

/**
 * Reads a signature file. Null if it is none, or any signature in it fails. Never throws. Whether it
 * is the signature of these files and of this id is for the caller to see.
 */
export function openSignature(bytes: Uint8Array, check?: VerifySignature): SystemSignature | null {
  if (bytes.length > MAX_SIGNATURE_BYTES) return null
  const file = parseFile(bytes)
  if (file === null) return null
  const statement = openForm(file.statement, PUBLISHER, publisherSchema, 'signer', check)
  if (statement === null) return null
  const { publisher, signer, id, contentHash } = statement
  const keys = followSuccessors(publisher, file.successors, check)
  if (keys === null || keys.at(-1) !== signer) return null
  return { id, keys, contentHash, file }
}

function parseFile(bytes: Uint8Array): SignatureFile | null {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return fileSchema.safeParse(json).data ?? null
  } catch {
    // Not text or not JSON: both are said by null.
    return null
  }
}

/** The keys from the first one on, or null if a hand-over is not signed by the key before it. */
function followSuccessors(
  publisher: string,
  successors: readonly SignedForm[],
  check?: VerifySignature,
): string[] | null {
  const keys = [publisher]
  for (const form of successors) {
    const next = openForm(form, SUCCESSOR, successorSchema, 'signer', check)
    if (next === null || next.publisher !== publisher) return null
    // A key that comes back would make two chains of one.
    if (next.signer !== keys.at(-1) || keys.includes(next.successor)) return null
    keys.push(next.successor)
  }
  return keys
}

/**
 * Signs files as this publisher.
 * @param before  the signature to go on from, whose last key must be `keys`; none begins a new one
 */
export function signSystem(
  { id, contentHash }: { id: string; contentHash: string },
  keys: KeyPair,
  before?: SystemSignature,
): SignatureFile {
  const signer = encodeKey(keys.publicKey)
  const publisher = before?.keys[0] ?? signer
  return {
    signatureVersion: 1,
    statement: signForm(PUBLISHER, { id, publisher, signer, contentHash }, keys.secretKey),
    successors: before?.file.successors ?? [],
  }
}

/** Hands over from `keys`, which signs in `before`, to a successor; content must be signed anew by it. */
export function signSuccessor(
  before: SystemSignature,
  keys: KeyPair,
  successor: string,
): SystemSignature {
  const signer = encodeKey(keys.publicKey)
  const fields = { publisher: before.keys[0], signer, successor }
  const form = signForm(SUCCESSOR, fields, keys.secretKey)
  const successors = [...before.file.successors, form]
  return { ...before, keys: [...before.keys, successor], file: { ...before.file, successors } }
}
