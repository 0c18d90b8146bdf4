// What a seat's log consists of: attestations, and the actions signed under them.
import { isShallow } from '../canonical.ts'
import { MAX_FORM_CHARS, signedFormSchema } from '../forms/signed-form.ts'
import type { SignedForm } from '../forms/signed-form.ts'

export interface Block {
  type: 'attestation' | 'action'
  form: SignedForm
}

/** A form within JSON: its text is escaped once more, and has a signature and a name around it. */
export const MAX_BLOCK_CHARS = 2 * MAX_FORM_CHARS + 1024
/** The same in UTF-8: what takes three bytes is not escaped. */
export const MAX_BLOCK_BYTES = 3 * MAX_FORM_CHARS + 1024
/** Blocks of one log that are carried and read: far more than a session has actions. */
export const MAX_LOG_BLOCKS = 65_536

export function writeBlock({ type, form }: Block): string {
  return JSON.stringify({ [type]: { body: form.body, signature: form.signature } })
}

/** The block in a text, or null if it is none. Never throws. */
export function readBlock(text: string): Block | null {
  if (text.length > MAX_BLOCK_CHARS || !isShallow(text)) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Said by null: what strangers write is no news.
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  for (const type of ['attestation', 'action'] as const) {
    if (!(type in value)) continue
    const form = signedFormSchema.safeParse((value as Record<string, unknown>)[type])
    return form.success ? { type, form: form.data } : null
  }
  return null
}
