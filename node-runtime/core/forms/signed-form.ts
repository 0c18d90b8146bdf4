// A statement that somebody signed: the very text that was signed, and the signature. It is kept and
// passed on as it came, so that fields of later versions survive machines that do not know them.
import type * as z from 'zod'
import { MAX_FORM_CHARS } from '../../contract/values.ts'
import type { SignedForm } from '../../contract/values.ts'
import { canonicalJson, isReadable, parseCanonical } from '../canonical.ts'
import type { Domain, FormKind } from '../domains.ts'
import { decodeKey, domainBytes, fromHex, sign, toHex, verify } from '../keys.ts'

export { MAX_FORM_CHARS, signedFormSchema } from '../../contract/values.ts'
export type { SignedForm } from '../../contract/values.ts'

/** Checks an ed25519 signature. Handed in, so that a simulator can replace it. */
export type VerifySignature = typeof verify

function formDomain(kind: FormKind): Domain {
  return `dharma/${kind}/1`
}

function bodyOf(kind: FormKind, fields: Record<string, unknown>): string {
  return canonicalJson({ ...fields, kind, v: 1 })
}

/** Why nobody could read a form: its text is too long, or too deep or of half characters. */
export type FormFault = 'too-long' | 'unreadable'

function faultOfBody(body: string): FormFault | null {
  if (body.length > MAX_FORM_CHARS) return 'too-long'
  return isReadable(body) ? null : 'unreadable'
}

/** Why nobody could read these fields as a form of this kind; null if all can. */
export function faultOfForm(kind: FormKind, fields: Record<string, unknown>): FormFault | null {
  return faultOfBody(bodyOf(kind, fields))
}

/**
 * Signs the fields as a form of this kind, version 1.
 * @throws RangeError if nobody could read it, as `faultOfForm` says: the signer's mistake
 */
export function signForm(
  kind: FormKind,
  fields: Record<string, unknown>,
  secretKey: Uint8Array,
): SignedForm {
  const body = bodyOf(kind, fields)
  const fault = faultOfBody(body)
  if (fault !== null) throw new RangeError(`a form of kind "${kind}" is ${fault}`)
  return { body, signature: toHex(sign(domainBytes(formDomain(kind), body), secretKey)) }
}

/**
 * What a form says, or null if it is not such a form or was not signed by the key it names. Fields
 * that the schema does not know are left out of the answer and stay in the form.
 * @param signer  the field of the statement that holds the key of who must have signed
 */
export function openForm<T extends Record<string, unknown>>(
  form: SignedForm,
  kind: FormKind,
  schema: z.ZodType<T>,
  signer: keyof T & string,
  check: VerifySignature = verify,
): T | null {
  const { body, signature } = form
  if (body.length > MAX_FORM_CHARS) return null
  const value = parseCanonical(body)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  if (value['kind'] !== kind || !isVersion(value['v'])) return null
  const named = value[signer]
  const key = typeof named === 'string' ? decodeKey(named) : null
  if (key === null || !check(domainBytes(formDomain(kind), body), fromHex(signature), key)) {
    return null
  }
  const parsed = schema.safeParse(value)
  return parsed.success ? parsed.data : null
}

function isVersion(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1
}
