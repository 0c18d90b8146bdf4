import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '../../contract/values.ts'
import { canonicalJson } from '../canonical.ts'
import { signAttestation } from '../forms/attestation.ts'
import type { Attestation } from '../forms/attestation.ts'
import { encodeKey, hash, keyPair, toHex } from '../keys.ts'
import { formatVersion } from './hybrid-clock.ts'
import { MAX_VALUE_BYTES } from './record-header.ts'
import {
  MAX_ENVELOPE_BYTES,
  assembleRecord,
  cosign,
  cosignedBody,
  decodeRecord,
  encodeRecord,
  recordValue,
  replaces,
  signRecord,
  verifyRecord,
} from './signed-record.ts'
import type { HeldRecord, RecordSigner, UnsignedRecord } from './signed-record.ts'

const CLOUD = encodeKey(hash(Buffer.from('a cloud')))
const SYSTEM = encodeKey(hash(Buffer.from('a system')))
const NOW_MS = 1_790_000_000_000
const version = (counter: number, timeMs = NOW_MS): string => formatVersion({ timeMs, counter })

interface Writer extends RecordSigner {
  person: string
  personSecretKey: Uint8Array
}

function writer(seed: number, expiresMs = NOW_MS + 1_000_000, cloud = CLOUD): Writer {
  const personKeys = keyPair(new Uint8Array(32).fill(seed))
  const machineKeys = keyPair(new Uint8Array(32).fill(seed + 100))
  const person = encodeKey(personKeys.publicKey)
  const attestation = signAttestation(
    { person, machine: encodeKey(machineKeys.publicKey), cloud, sequence: 1, expiresMs },
    personKeys.secretKey,
  )
  return {
    cloud,
    person,
    personSecretKey: personKeys.secretKey,
    attestation,
    machineSecretKey: machineKeys.secretKey,
  }
}

const anna = writer(1)
const ben = writer(2)
const known = new Map<string, Attestation>(
  [anna, ben].map(({ attestation }) => [attestation.hash, attestation]),
)
const attestationOf = (name: string): Attestation | undefined => known.get(name)
const faultOf = (record: HeldRecord, cloud = CLOUD) => verifyRecord(record, cloud, attestationOf)

function unsigned(changes: Partial<UnsignedRecord> = {}): UnsignedRecord {
  return {
    system: SYSTEM,
    collection: 'notes',
    author: anna.person,
    id: 'one',
    version: version(0),
    rule: 'author',
    scope: 'set',
    partition: null,
    schema: null,
    value: { text: 'hello' },
    ...changes,
  }
}

/** The record with some bytes of its body replaced, signatures and all else as they were. */
function tamper(record: HeldRecord, from: string, to: string): HeldRecord {
  const body = Buffer.from(Buffer.from(record.body).toString('utf8').replace(from, to), 'utf8')
  const tampered = assembleRecord(body, record.signatures)
  if (tampered === null) throw new Error('no record at all')
  return tampered
}

/** Signs a body that `signRecord` would not make. */
function signBody(header: Record<string, unknown>, valueText: string, by: Writer): HeldRecord {
  const body = Buffer.from(`${canonicalJson(header)}\n${valueText}`, 'utf8')
  const record = assembleRecord(body, [cosign(body, by)])
  if (record === null) throw new Error('no record at all')
  return record
}

const headerOf = (record: HeldRecord): Record<string, unknown> =>
  JSON.parse(Buffer.from(record.body).toString('utf8').split('\n')[0] ?? '') as Record<
    string,
    unknown
  >

describe('a record', () => {
  it('holds when a machine of its author signed it, and comes back from its bytes', () => {
    const record = signRecord(unsigned(), anna)
    expect(faultOf(record)).toBeNull()
    expect(recordValue(record)).toEqual({ text: 'hello' })
    const again = decodeRecord(encodeRecord(record))
    expect(again).toEqual(record)
  })

  it('does not hold with another value, id, version or author', () => {
    const record = signRecord(unsigned(), anna)
    for (const [from, to] of [
      ['hello', 'hallo'],
      ['"id":"one"', '"id":"two"'],
      [version(0), version(1)],
      [anna.person, ben.person],
      ['"scope":"set"', '"scope":"cloud"'],
    ] as const) {
      const fault = faultOf(tamper(record, from, to))
      expect(fault, `${from} → ${to}`).toBe('signature-invalid')
    }
  })

  it('does not hold in another cloud', () => {
    const record = signRecord(unsigned(), anna)
    expect(faultOf(record, encodeKey(hash(Buffer.from('elsewhere'))))).toBe('attestation-unknown')
    const other = writer(1, NOW_MS + 1_000_000, encodeKey(hash(Buffer.from('elsewhere'))))
    const disguised = new Map([[record.signatures[0]?.attestation ?? '', other.attestation]])
    const fault = verifyRecord(record, other.cloud, (name) => disguised.get(name))
    expect(fault).toBe('signature-invalid')
  })

  it('does not hold when its signer is not its author’s', () => {
    expect(faultOf(signRecord(unsigned({ author: ben.person }), anna))).toBe('signer-not-author')
  })

  it('does not hold without its attestation, or when that had expired', () => {
    const late = writer(3, NOW_MS - 1)
    const record = signRecord(unsigned({ author: late.person }), late)
    expect(faultOf(record)).toBe('attestation-unknown')
    expect(verifyRecord(record, CLOUD, () => late.attestation)).toBe('attestation-expired')
  })

  it('has no second signature, and none by another attestation than its header names', () => {
    const record = signRecord(unsigned(), anna)
    const twice = assembleRecord(record.body, [...record.signatures, cosign(record.body, ben)])
    expect(faultOf(twice as HeldRecord)).toBe('signatures-wrong')
    const header = { ...headerOf(record), attestation: ben.attestation.hash }
    expect(faultOf(signBody(header, '{"text":"hello"}', anna))).toBe('signatures-wrong')
  })

  it('has one text only: white space, order and doubled keys are refused', () => {
    const header = headerOf(signRecord(unsigned(), anna))
    for (const text of [
      '{ "a":1}',
      '{"b":1,"a":1}',
      '{"a":1,"a":1}',
      '{"a":1.0}',
      '{"a":"\\ud800"}',
    ]) {
      const record = signBody({ ...header, size: Buffer.byteLength(text) }, text, anna)
      expect(faultOf(record), text).toBe('value-not-canonical')
    }
  })

  it('is no record with bytes that are no text', () => {
    const header = headerOf(signRecord(unsigned(), anna))
    const value = Buffer.concat([
      Buffer.from('"'),
      Buffer.from([0xf0, 0x9f, 0x98]),
      Buffer.from('"'),
    ])
    const body = Buffer.concat([
      Buffer.from(`${canonicalJson({ ...header, size: value.length })}\n`),
      value,
    ])
    const record = assembleRecord(body, [cosign(body, anna)])
    expect(faultOf(record as HeldRecord)).toBe('value-not-canonical')
  })

  it('keeps the fields of a later version, holds, and means what it meant', () => {
    const header = { ...headerOf(signRecord(unsigned(), anna)), v: 2, later: ['field'] }
    const record = signBody(header, '{"text":"hello"}', anna)
    expect(faultOf(record)).toBeNull()
    const again = decodeRecord(encodeRecord(record))
    expect(Buffer.from(again?.body ?? []).toString()).toContain('"later":["field"]')
    expect(again?.id32).toEqual(record.id32)
  })

  it('of a rule that this version does not know is held like an author’s', () => {
    const record = signRecord(unsigned({ rule: 'witnessed' }), anna)
    expect(faultOf(record)).toBeNull()
    expect(faultOf(tamper(record, 'hello', 'hallo'))).toBe('signature-invalid')
  })

  it('that was deleted has no value', () => {
    const record = signRecord(unsigned({ deleted: true, value: null }), anna)
    expect(faultOf(record)).toBeNull()
    expect(recordValue(record)).toBeNull()
    expect(record.header.size).toBe(0)
  })

  it('is refused by its size before it is parsed', () => {
    expect(decodeRecord(new Uint8Array(MAX_ENVELOPE_BYTES + 1).fill(1))).toBeNull()
    const large = signRecord(unsigned({ value: 'x'.repeat(MAX_VALUE_BYTES) }), anna)
    expect(decodeRecord(encodeRecord(large))).toBeNull()
  })
})

describe('a content record', () => {
  const content = (value: Json): HeldRecord =>
    signRecord(unsigned({ rule: 'content', value }), anna)

  it('is named by what it says, version included', () => {
    const record = content({ text: 'once' })
    expect(record.header.id).toMatch(/^[0-9a-f]{64}$/)
    expect(faultOf(record)).toBeNull()
    expect(content({ text: 'once' }).header.id).toBe(record.header.id)
    expect(content({ text: 'other' }).header.id).not.toBe(record.header.id)
    const later = signRecord(unsigned({ rule: 'content', version: version(1) }), anna)
    expect(later.header.id).not.toBe(record.header.id)
  })

  it('has no other id and no deletion, even when its author signs that', () => {
    const record = content({ text: 'once' })
    const header = { ...headerOf(record), id: 'f'.repeat(64) }
    expect(faultOf(signBody(header, '{"text":"once"}', anna))).toBe('content-id-wrong')
    const deleted = { ...headerOf(record), deleted: true, size: 0 }
    expect(faultOf(signBody(deleted, '', anna))).toBe('not-deletable')
  })
})

describe('a co-signed record', () => {
  const parties = [anna.person, ben.person]
  const { author: _author, rule: _rule, ...rest } = unsigned({ value: { price: 3 } })
  const body = cosignedBody(rest, parties)
  const sealed = (by: Writer[]): HeldRecord =>
    assembleRecord(
      body,
      by.map((each) => cosign(body, each)),
    ) as HeldRecord

  it('holds with every party’s signature, in whatever order they came', () => {
    expect(faultOf(sealed([anna, ben]))).toBeNull()
    expect(sealed([ben, anna]).id32).toEqual(sealed([anna, ben]).id32)
    expect(cosignedBody(rest, [...parties].reverse())).toEqual(body)
  })

  it('does not hold with one missing, one twice, or a stranger’s', () => {
    expect(faultOf(sealed([anna]))).toBe('signatures-wrong')
    expect(faultOf(sealed([anna, anna]))).toBe('signatures-wrong')
    const carl = writer(5)
    const withCarl = new Map([...known, [carl.attestation.hash, carl.attestation]])
    const fault = verifyRecord(sealed([anna, carl]), CLOUD, (name) => withCarl.get(name))
    expect(fault).toBe('signatures-wrong')
  })

  it('belongs where its parties say', () => {
    const record = sealed([anna, ben])
    const header = { ...headerOf(record), author: anna.person }
    const bodyOfAnna = Buffer.from(`${canonicalJson(header)}\n{"price":3}`)
    const moved = assembleRecord(bodyOfAnna, [cosign(bodyOfAnna, anna), cosign(bodyOfAnna, ben)])
    expect(faultOf(moved as HeldRecord)).toBe('parties-wrong')
  })
})

describe('of two records at one address', () => {
  it('the newer wins; of one version the one with the greater id', () => {
    const one = signRecord(unsigned(), anna)
    const newer = signRecord(unsigned({ version: version(1) }), anna)
    expect(replaces(newer, one)).toBe(true)
    expect(replaces(one, newer)).toBe(false)
    const other = signRecord(unsigned({ value: 2 }), anna)
    expect(replaces(one, other)).toBe(toHex(one.id32) > toHex(other.id32))
    expect(replaces(other, one)).toBe(toHex(other.id32) > toHex(one.id32))
    expect(replaces(one, one)).toBe(false)
  })
})

describe('whatever bytes come', () => {
  it('none make the decoder throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        decodeRecord(bytes)
        decodeRecord(Uint8Array.of(1, 1, ...bytes))
      }),
    )
  })

  it('a record with any one byte changed is another’s, or none', () => {
    const record = signRecord(unsigned(), anna)
    const envelope = encodeRecord(record)
    fc.assert(
      fc.property(
        fc.nat({ max: envelope.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, flip) => {
          const bytes = Uint8Array.from(envelope)
          bytes[at] = (bytes[at] ?? 0) ^ flip
          const changed = decodeRecord(bytes)
          expect(changed === null || faultOf(changed) !== null).toBe(true)
        },
      ),
      { numRuns: 400 },
    )
  })

  it('every JSON value comes back as it was', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const plain = JSON.parse(JSON.stringify(value)) as Json
        const record = signRecord(unsigned({ value: plain }), anna)
        const fault = faultOf(record)
        expect(fault === null || /\\ud/.test(canonicalJson(plain))).toBe(true)
        expect(recordValue(record)).toEqual(plain)
      }),
    )
  })
})
