// How messages become bytes and bytes become messages, at every border of the network. What comes
// from outside is measured before it is parsed, and can be anything: decoding never throws.
import type { Encoding } from 'compact-encoding'
import type * as z from 'zod'

export interface Codec<M> {
  /** Longer messages are neither sent nor read. */
  readonly maxBytes: number
  /**
   * The bytes of a message of our own.
   * @throws RangeError if they are more than `maxBytes`: the sender's mistake
   */
  encode(message: M): Uint8Array
  /** The message, or null if the bytes are none, or too many. Never throws. */
  decode(bytes: Uint8Array): M | null
}

/** Deeper than any form of ours, far from what recursion over the parsed value could not bear. */
const MAX_DEPTH = 32

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPENING_BRACKET = 0x5b
const CLOSING_BRACKET = 0x5d
const OPENING_BRACE = 0x7b
const CLOSING_BRACE = 0x7d

/** Does JSON text, as UTF-8, stay within this many nested lists and objects? Looks at each byte once. */
export function isWithinDepth(json: Uint8Array, maxDepth: number): boolean {
  let depth = 0
  let inText = false
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]
    if (inText) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) inText = false
    } else if (byte === QUOTE) {
      inText = true
    } else if (byte === OPENING_BRACE || byte === OPENING_BRACKET) {
      depth++
      if (depth > maxDepth) return false
    } else if (byte === CLOSING_BRACE || byte === CLOSING_BRACKET) {
      depth--
    }
  }
  return true
}

/**
 * Messages as JSON in UTF-8 that fits a schema.
 * @param maxBytes  the largest message that the protocol needs
 */
export function jsonCodec<M>(schema: z.ZodType<M>, maxBytes: number): Codec<M> {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  return {
    maxBytes,
    encode: (message) => {
      const bytes = Buffer.from(JSON.stringify(message), 'utf8')
      if (bytes.length > maxBytes) {
        throw new RangeError(`a message of ${bytes.length} bytes; the protocol allows ${maxBytes}`)
      }
      return bytes
    },
    decode: (bytes) => {
      if (bytes.length > maxBytes || !isWithinDepth(bytes, MAX_DEPTH)) return null
      try {
        const parsed = schema.safeParse(JSON.parse(utf8.decode(bytes)))
        return parsed.success ? parsed.data : null
      } catch {
        // Not UTF-8 or not JSON: the same to the caller as JSON that does not fit.
        return null
      }
    },
  }
}

interface EncodingState {
  buffer: Uint8Array
  start: number
  end: number
}

/**
 * What the multiplexer below is given in place of an encoding: it hands the bytes through, in both
 * directions, so that nothing is decoded where an exception would end the process.
 */
export const untouchedBytes: Encoding<Uint8Array> = {
  preencode: (state, bytes) => {
    ;(state as EncodingState).end += bytes.length
  },
  encode: (state, bytes) => {
    const { buffer, start } = state as EncodingState
    buffer.set(bytes, start)
    ;(state as EncodingState).start += bytes.length
  },
  decode: (state) => {
    const { buffer, start, end } = state as EncodingState
    ;(state as EncodingState).start = end
    return buffer.subarray(start, end)
  },
}
