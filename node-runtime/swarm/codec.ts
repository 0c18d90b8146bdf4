// How messages become bytes and bytes become messages, at every border of the network. What comes
// from outside is measured before it is parsed, and can be anything: decoding never throws.
import type { Encoding } from 'compact-encoding'
import type * as z from 'zod'
import { isShallow } from '../core/canonical.ts'
import { decodeText } from '../core/text.ts'

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

/**
 * Messages as JSON in UTF-8 that fits a schema.
 * @param maxBytes  the largest message that the protocol needs
 */
export function jsonCodec<M>(schema: z.ZodType<M>, maxBytes: number): Codec<M> {
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
      if (bytes.length > maxBytes) return null
      const text = decodeText(bytes)
      if (text === null || !isShallow(text, MAX_DEPTH)) return null
      try {
        const parsed = schema.safeParse(JSON.parse(text))
        return parsed.success ? parsed.data : null
      } catch {
        // Not JSON: the same to the caller as JSON that does not fit.
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
