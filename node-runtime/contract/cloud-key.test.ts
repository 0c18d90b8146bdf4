import { expect, test } from 'vitest'
import { decodeKey, encodeKey } from '../core/keys.ts'
import { newKeyPair } from '../store/new-keys.ts'
import { readCloudKey } from './cloud-key.ts'

const KEY = encodeKey(new Uint8Array(32).fill(7))

test('a key is read as it is, in groups, and out of an address', () => {
  const groups = (KEY.match(/.{1,4}/g) ?? []).join(' ')
  for (const text of [KEY, `  ${groups}\n`, `cloud://join/${KEY}`, `dharma:${KEY}`]) {
    expect(readCloudKey(text)).toEqual({ key: KEY })
  }
})

test('of every 52 letters it says the same as the runtime, which has to decode them', () => {
  const letters = 'ybndrfg8ejkmcpqxot1uwisza345h769'
  for (const last of letters) {
    const text = encodeKey(newKeyPair().publicKey).slice(0, -1) + last
    expect('key' in readCloudKey(text)).toBe(decodeKey(text) !== null)
  }
})

test.each([
  ['hello world', 'A cloud key has 52 letters and digits; this has 10. Copy it whole.'],
  [`${KEY}y`, 'A cloud key has 52 letters and digits; this has 53. Copy it whole.'],
  [
    `${KEY.slice(0, 51)}l`,
    'No cloud key has “l” where this one has it. Compare it with the one you were given.',
  ],
  [
    `${KEY.slice(0, 51)}b`,
    'No cloud key has “b” where this one has it. Compare it with the one you were given.',
  ],
])('%s is refused in words', (text, fault) => {
  expect(readCloudKey(text)).toMatchObject({ fault })
})
