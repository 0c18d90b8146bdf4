// Bytes as text, exactly: what is no UTF-8 is refused instead of being turned into something else.

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of these bytes, or null if they are not valid UTF-8. Never throws. */
export function decodeText(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes)
  } catch {
    // The one thing a fatal decoder throws for; `null` says it.
    return null
  }
}
