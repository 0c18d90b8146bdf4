import { expect, test } from 'vitest'
import { encodeKey, keyPair } from '../keys.ts'
import { canonicalOrigin } from './canonical-origin.ts'
import type { CanonicalOrigin } from './canonical-origin.ts'
import vectors from './fixtures/canonical-origins.json' with { type: 'json' }
import { BUILT_IN_SYSTEM, BUILT_IN_SYSTEM_KEY } from './built-in.ts'
import { originSystemKey, signedSystemKey, systemKeyAt } from './system-key.ts'

const ID = 'org.example.notes'
const machineOf = (seed: number): string =>
  encodeKey(keyPair(new Uint8Array(32).fill(seed)).publicKey)
const originOf = (address: string): CanonicalOrigin => {
  const origin = canonicalOrigin(address)
  if (origin === null) throw new Error(`no origin: ${address}`)
  return origin
}
const keyAt = (address: string, machine = vectors.machine, id = ID): string =>
  originSystemKey(originOf(address), id, machine)

test.each(vectors.keys)('the key of what %s calls "%s" is frozen', (address, id, key) => {
  expect(keyAt(address ?? '', vectors.machine, id)).toBe(key)
})

test.each(vectors.signedKeys)(
  'the key of what %s signs as "%s" is frozen',
  (publisher, id, key) => {
    expect(signedSystemKey(publisher ?? '', id ?? '')).toBe(key)
  },
)

test('another author with the same id has another key, however near its address', () => {
  const keys = [
    keyAt('https://github.com/a/b.git'),
    keyAt('https://github.com/a/c.git'),
    keyAt('http://github.com/a/b.git'),
    keyAt('https://github.com/a/b.git/folder'),
    keyAt('https://github.com/a/b/folder'),
    keyAt('https://github.com/a/b.git', vectors.machine, 'org.example.notes2'),
    signedSystemKey(machineOf(1), ID),
    signedSystemKey(machineOf(2), ID),
  ]
  expect(new Set(keys).size).toBe(keys.length)
})

test('a folder is another one on another machine, a web address is not', () => {
  const [one, other] = [machineOf(1), machineOf(2)]
  expect(keyAt('file:///home/ada/notes', one)).not.toBe(keyAt('file:///home/ada/notes', other))
  expect(keyAt('https://github.com/a/b', one)).toBe(keyAt('https://github.com/a/b', other))
})

test('an address with no canonical form stands for itself', () => {
  const [machine, address] = [machineOf(1), 'hyper://abcdef/a']
  expect(systemKeyAt('https://GitHub.com/a/b.git', ID, machine)).toBe(
    keyAt('https://github.com/a/b'),
  )
  expect(canonicalOrigin(address)).toBeNull()
  expect(systemKeyAt(address, ID, machine)).toBe(
    originSystemKey({ origin: address, path: '' }, ID, machine),
  )
})

test('the runtime’s own records lie under a key that is frozen', () => {
  expect([BUILT_IN_SYSTEM, BUILT_IN_SYSTEM_KEY]).toEqual([
    'dharma',
    '1r4zwk3ypxznpwoi36i7werixwsgr9kparnpehjaodtijspfb3io',
  ])
})
