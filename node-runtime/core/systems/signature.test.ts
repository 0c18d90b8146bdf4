import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { canonicalJson } from '../canonical.ts'
import type { FormKind } from '../domains.ts'
import { domainBytes, encodeKey, keyPair, sign, toHex } from '../keys.ts'
import { newKeyPair } from '../../store/new-keys.ts'
import { contentHash } from './content-hash.ts'
import frozen from './fixtures/signature-v1.json' with { type: 'json' }
import {
  MAX_SIGNATURE_BYTES,
  openSignature,
  SIGNATURE_PATH,
  signSuccessor,
  signSystem,
} from './signature.ts'
import type { SignatureFile, SystemSignature } from './signature.ts'

const ID = 'org.example.notes'
const [first, second, third, stranger] = [1, 2, 3, 4].map((seed) => {
  const keys = keyPair(new Uint8Array(32).fill(seed))
  return { keys, key: encodeKey(keys.publicKey) }
}) as [Signer, Signer, Signer, Signer]
interface Signer {
  keys: ReturnType<typeof keyPair>
  key: string
}
const content = { id: ID, contentHash: 'ab'.repeat(32) }

const bytesOf = (file: unknown): Uint8Array => Buffer.from(JSON.stringify(file))
function open(file: unknown): SystemSignature {
  const opened = openSignature(bytesOf(file))
  if (opened === null) throw new Error('the signature does not open')
  return opened
}

let plain: SignatureFile
/** Handed over from the first key to the second, and on to the third. */
let handedOver: SignatureFile
beforeEach(() => {
  plain = signSystem(content, first.keys)
  const toSecond = signSuccessor(open(plain), first.keys, second.key)
  const toThird = signSuccessor(toSecond, second.keys, third.key)
  handedOver = signSystem(content, third.keys, toThird)
})

/** A form with other fields, signed by whom you like. */
function resign(
  body: string,
  changes: object,
  { keys }: Signer,
): { body: string; signature: string } {
  const fields = { ...(JSON.parse(body) as { kind: FormKind }), ...changes }
  const text = canonicalJson(fields)
  return {
    body: text,
    signature: toHex(sign(domainBytes(`dharma/${fields.kind}/1`, text), keys.secretKey)),
  }
}

test('a signature says who signed what', () => {
  expect(open(plain)).toMatchObject({ ...content, keys: [first.key] })
  expect(open(JSON.parse(JSON.stringify(plain, null, 2)))).toEqual(open(plain))
})

test('successors sign in the name of the first key', () => {
  expect(open(handedOver)).toMatchObject({ ...content, keys: [first.key, second.key, third.key] })
  const again = signSystem(
    { ...content, contentHash: 'cd'.repeat(32) },
    third.keys,
    open(handedOver),
  )
  expect(open(again).keys).toEqual(open(handedOver).keys)
})

test('what was signed once is found, opened and signed in the same way by every later version', () => {
  expect(SIGNATURE_PATH).toBe('dharma.sig.json')
  expect(open(frozen.file)).toMatchObject({ ...content, keys: [first.key, second.key] })
  const toSecond = signSuccessor(open(plain), first.keys, second.key)
  expect(signSystem(content, second.keys, toSecond)).toEqual(frozen.file)
})

test('fields of later versions do not break it', () => {
  const statement = resign(plain.statement.body, { website: 'https://example.org' }, first)
  expect(open({ ...plain, statement, later: 1 })).toMatchObject(content)
})

describe('refused is', () => {
  let toSecond: SignatureFile['statement']
  let toThird: SignatureFile['statement']
  beforeEach(() => {
    ;[toSecond, toThird] = handedOver.successors as [typeof toSecond, typeof toThird]
  })
  const cases: [name: string, file: () => unknown][] = [
    ['nothing', () => null],
    ['another version', () => ({ ...plain, signatureVersion: 2 })],
    ['no statement', () => ({ ...plain, statement: undefined })],
    [
      'another hash under the old signature',
      () => ({
        ...plain,
        statement: { ...plain.statement, body: plain.statement.body.replace('abab', 'cdcd') },
      }),
    ],
    [
      'a signer who is not the publisher',
      () => ({
        ...plain,
        statement: resign(plain.statement.body, { signer: stranger.key }, stranger),
      }),
    ],
    [
      'a signature in another name',
      () => ({ ...plain, statement: resign(plain.statement.body, {}, stranger) }),
    ],
    [
      'a statement of another kind',
      () => ({ ...plain, statement: resign(plain.statement.body, { kind: 'successor' }, first) }),
    ],
    [
      'a key that was handed over',
      () => ({ ...handedOver, statement: signSystem(content, first.keys).statement }),
    ],
    ['a hand-over left out', () => ({ ...handedOver, successors: [toThird] })],
    ['a hand-over from the middle left out', () => ({ ...handedOver, successors: [toSecond] })],
    ['hand-overs in another order', () => ({ ...handedOver, successors: [toThird, toSecond] })],
    [
      'a hand-over that the key before did not sign',
      () => ({
        ...handedOver,
        successors: [toSecond, resign(toThird.body, { signer: first.key }, first)],
      }),
    ],
    [
      'a hand-over under another first key',
      () => ({
        ...handedOver,
        successors: [resign(toSecond.body, { publisher: stranger.key }, first), toThird],
      }),
    ],
    [
      'a hand-over to an earlier key',
      () => ({
        ...handedOver,
        statement: resign(handedOver.statement.body, { signer: first.key }, first),
        successors: [toSecond, resign(toThird.body, { successor: first.key }, second)],
      }),
    ],
  ]
  test.each(cases)('%s', (_, file) => {
    expect(openSignature(bytesOf(file()))).toBeNull()
  })

  test('a chain that is longer than any publisher needs', () => {
    const chain = Array.from({ length: 102 }, () => newKeyPair())
    let signature = open(signSystem(content, chain[0] ?? first.keys))
    const opensAt = (length: number): boolean => {
      while (signature.keys.length < length) {
        const [from, to] = chain.slice(signature.keys.length - 1) as [
          Signer['keys'],
          Signer['keys'],
        ]
        signature = signSuccessor(signature, from, encodeKey(to.publicKey))
      }
      const signer = chain[length - 1] ?? first.keys
      return openSignature(bytesOf(signSystem(content, signer, signature))) !== null
    }
    expect(opensAt(101)).toBe(true)
    expect(opensAt(102)).toBe(false)
  })

  test('what is no text, though no signature covers it', () => {
    const text = JSON.stringify({ ...plain, later: '?' })
    const bytes = Buffer.from(text)
    expect(openSignature(bytes)).not.toBeNull()
    bytes[text.lastIndexOf('?')] = 0xff
    expect(openSignature(bytes)).toBeNull()
  })

  test('what is too large, before it is parsed', () => {
    const text = JSON.stringify(plain)
    const ofSize = (sizeBytes: number) => Buffer.from(text.padEnd(sizeBytes))
    expect(openSignature(ofSize(MAX_SIGNATURE_BYTES))).not.toBeNull()
    expect(openSignature(ofSize(MAX_SIGNATURE_BYTES + 1))).toBeNull()
  })
})

test('no bytes make the reader throw, and no changed byte is let through', () => {
  const good = JSON.stringify(handedOver)
  const expected = open(handedOver)
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200, size: 'max' }),
      (bytes) => openSignature(bytes) === null,
    ),
    { seed: 20_261_124, numRuns: 1000 },
  )
  fc.assert(
    fc.property(fc.json(), (text) => openSignature(Buffer.from(text)) === null),
    { seed: 20_261_124, numRuns: 1000 },
  )
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const bytes = Buffer.from(good)
      bytes[at] = (bytes[at] ?? 0) ^ change
      const opened = openSignature(bytes)
      // White space and the escapes of JSON may differ; what is said may not.
      if (opened !== null) expect(opened).toEqual(expected)
    }),
    { seed: 20_261_124, numRuns: 1000 },
  )
})

test('the hash of the content covers names, bytes and nothing else', () => {
  const files = { 'dharma.json': '{}', 'ui/a.ts': 'a', 'ui/b.ts': 'b' }
  const hashOf = (changes: Record<string, string | null> = {}): string => {
    const all = Object.entries<string | null>({ ...files, ...changes }).filter(
      (entry): entry is [string, string] => entry[1] !== null,
    )
    return contentHash(new Map(all.map(([path, text]) => [path, Buffer.from(text)])), 'left.json')
  }
  const same = [hashOf(), hashOf({ 'left.json': 'x' }), hashOf({ 'left.json': 'y' })]
  expect(new Set(same).size).toBe(1)
  const reversed = new Map(
    Object.entries(files)
      .toReversed()
      .map(([path, text]) => [path, Buffer.from(text)]),
  )
  expect(contentHash(reversed, 'left.json')).toBe(hashOf())
  const others = [
    hashOf({ 'ui/a.ts': 'A' }),
    hashOf({ 'ui/a.ts': null }),
    hashOf({ 'ui/a.ts': null, 'ui/A.ts': 'a' }),
    hashOf({ 'ui/a.ts': 'b', 'ui/b.ts': 'a' }),
    hashOf({ 'ui/c.ts': '' }),
  ]
  expect(new Set([...same, ...others]).size).toBe(1 + others.length)
  // Frozen: what was signed once stays signed.
  expect(hashOf()).toBe('04db064d22db5c26340400c6bd3ca36e2a9f21aeec7b9f575f27b49c9bcab6c0')
})
