import { describe, expect, it } from 'vitest'
import { decodeKey, encodeKey, fromHex, hash, keyPair, sign, toHex, verify } from './keys.ts'
import { newKeyPair } from '../store/new-keys.ts'

describe('keys', () => {
  it('are written in z-base-32 and read back', () => {
    for (let round = 0; round < 50; round++) {
      const { publicKey } = newKeyPair()
      const text = encodeKey(publicKey)
      expect(text).toHaveLength(52)
      expect(toHex(decodeKey(text)!)).toBe(toHex(publicKey))
    }
    // Source: z-base-32 of 32 zero bytes and of 32 bytes 0xff, by the alphabet's definition.
    expect(encodeKey(new Uint8Array(32))).toBe('y'.repeat(52))
    expect(encodeKey(new Uint8Array(32).fill(255))).toBe(`${'9'.repeat(51)}o`)
  })

  it('are not read from text that is none', () => {
    const whole = 'y'.repeat(52)
    for (const text of [`0${whole}`, `${whole}0`, `${whole}\n`, ` ${whole}`, whole.toUpperCase()]) {
      expect(decodeKey(text), text).toBeNull()
    }
    for (const text of ['', 'y'.repeat(51), `${'y'.repeat(51)}0`, 'y'.repeat(53), '9'.repeat(52)]) {
      expect(decodeKey(text)).toBeNull()
    }
  })

  it('sign as RFC 8032 says', () => {
    // Source: RFC 8032, section 7.1, test 2.
    const keys = keyPair(
      fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'),
    )
    expect(toHex(keys.publicKey)).toBe(
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    )
    const signature = sign(fromHex('72'), keys.secretKey)
    expect(toHex(signature)).toBe(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
        '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    )
    expect(verify(fromHex('72'), signature, keys.publicKey)).toBe(true)
    expect(verify(fromHex('73'), signature, keys.publicKey)).toBe(false)
    expect(verify(fromHex('72'), signature.subarray(1), keys.publicKey)).toBe(false)
  })

  it('hash with BLAKE2b', () => {
    // Source: BLAKE2b-256 of the empty message, as published with the reference implementation.
    expect(toHex(hash(new Uint8Array(0)))).toBe(
      '0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8',
    )
  })

  it('have 32 bytes, and are not written otherwise', () => {
    for (const length of [0, 31, 33]) {
      expect(() => encodeKey(new Uint8Array(length))).toThrow('a key has 32 bytes')
    }
  })

  it('of the wrong length verify nothing', () => {
    const keys = keyPair(new Uint8Array(32).fill(1))
    const message = fromHex('72')
    const signature = sign(message, keys.secretKey)
    expect(verify(message, signature, keys.publicKey.subarray(1))).toBe(false)
    expect(verify(message, Buffer.concat([signature, Buffer.alloc(1)]), keys.publicKey)).toBe(false)
  })

  it('are as many as there are seeds', () => {
    const [one, two] = [1, 2].map((byte) => keyPair(new Uint8Array(32).fill(byte)).publicKey)
    expect(toHex(one!)).not.toBe(toHex(two!))
  })

  it('make a hash that only who has them can make', () => {
    const message = fromHex('00')
    const key = new Uint8Array(32).fill(1)
    expect(hash(message, key)).not.toEqual(hash(message))
    expect(hash(message, key)).not.toEqual(hash(message, new Uint8Array(32).fill(2)))
    expect(hash(message, key)).toEqual(hash(message, Uint8Array.from(key)))
  })
})
