import { expect, it } from 'vitest'
import { toHex } from '../keys.ts'
import { compareKeys, itemKey, keyIdBytes, keyItem, keyVersion, versionKey } from './item.ts'

const ID = '0102030405060708090a0b0c0d0e0f10fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0'
const ITEM = { version: '018bcfe56800-00ff', id: ID }

it('a place is ten words: version, then id', () => {
  const key = itemKey(ITEM)
  expect([...key].map((word) => word.toString(16).padStart(8, '0')).join('')).toBe(
    `018bcfe5680000ff${ID}`,
  )
  expect([...versionKey(ITEM.version)]).toEqual([0x018bcfe5, 0x680000ff, 0, 0, 0, 0, 0, 0, 0, 0])
  expect(keyItem(key)).toEqual(ITEM)
  expect(keyVersion(key)).toBe(ITEM.version)
  expect(toHex(keyIdBytes(key))).toBe(ID)
})

it('places stand one behind the other', () => {
  const words = Uint32Array.of(
    ...itemKey({ version: '000000000001-0000', id: ID }),
    ...itemKey(ITEM),
  )
  expect(keyItem(words, 10)).toEqual(ITEM)
  expect(keyVersion(words, 10)).toBe(ITEM.version)
  expect(toHex(keyIdBytes(words, 10))).toBe(ID)
  expect(compareKeys(words, itemKey(ITEM), 10)).toBe(0)
  expect(compareKeys(words, words, 0, 10)).toBeLessThan(0)
  expect(compareKeys(words, words, 10, 0)).toBeGreaterThan(0)
  const later = itemKey({ ...ITEM, id: `${ID.slice(0, -1)}1` })
  expect(compareKeys(later, words, 0, 10)).toBeGreaterThan(0)
})
