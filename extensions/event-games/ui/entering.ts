// What a person writes to enter an event.
import type { EntryValue } from './records.ts'

const NONCE_BYTES = 16

/** An entry with fresh chance for the lots. */
export function entryOf(event: string, person: string, name: string): EntryValue {
  const bytes = [...crypto.getRandomValues(new Uint8Array(NONCE_BYTES))]
  const nonce = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return { event, person, name, nonce, joinedMs: Date.now() }
}
