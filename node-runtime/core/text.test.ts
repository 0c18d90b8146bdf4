import { expect, it } from 'vitest'
import { decodeText, durationText } from './text.ts'

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

it.each([
  [1, '1 second'],
  [59_001, '1 minute'],
  [272_000, '4 minutes 32 seconds'],
  [3_600_000, '1 hour'],
  [7_500_000, '2 hours 5 minutes'],
  [26 * 3_600_000 + 59_000, '1 day 2 hours'],
])('%d ms are %s', (ms, words) => {
  expect(durationText(ms)).toBe(words)
})
