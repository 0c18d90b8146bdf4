import { expect, it } from 'vitest'
import { decodeText } from './text.ts'

it('text comes back as it was, with its byte order mark', () => {
  expect(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa')
  expect(decodeText(Buffer.from('grün 🌱'))).toBe('grün 🌱')
  expect(decodeText(new Uint8Array(0))).toBe('')
})

it('bytes that are no text are refused, not mended', () => {
  // Half a character, an overlong slash, half a surrogate pair.
  for (const bytes of [
    [0xf0, 0x9f],
    [0xc0, 0xaf],
    [0xed, 0xa0, 0x80],
  ]) {
    expect(decodeText(Uint8Array.from(bytes))).toBeNull()
  }
})
