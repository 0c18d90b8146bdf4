import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '../../contract/values.ts'
import { canonicalJson } from '../canonical.ts'
import { MAX_ATTESTATION_BODY_BYTES, signAttestation } from '../forms/attestation.ts'
import type { Attestation } from '../forms/attestation.ts'
import { encodeKey, hash, keyPair, toHex } from '../keys.ts'
import { formatVersion } from './hybrid-clock.ts'
import { MAX_PARTIES, MAX_VALUE_BYTES } from './record-header.ts'
import {
  MAX_ENVELOPE_BYTES,
  addressKey,
  assembleRecord,
  cosign,
  cosignedBody,
  decodeRecord,
  encodeRecord,
  isOverLimit,
  recordValue,
  replaces,
  signRecord,
  stillHolds,
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

  it('does not hold with an attestation that is too long to travel with records', () => {
    const padded = (more: number): Writer => {
      const { form: _form, hash: _hash, ...statement } = anna.attestation
      const length =
        MAX_ATTESTATION_BODY_BYTES - anna.attestation.form.body.length - ',"note":""'.length
      const fields = {
        ...statement,
        note: 'ü'.repeat((length + more) >> 1) + 'x'.repeat(length & 1),
      }
      return { ...anna, attestation: signAttestation(fields, anna.personSecretKey) }
    }
    for (const [more, fault] of [
      [0, null],
      [2, 'attestation-too-long'],
    ] as const) {
      const longest = padded(more)
      expect(Buffer.byteLength(longest.attestation.form.body)).toBe(
        MAX_ATTESTATION_BODY_BYTES + more,
      )
      const record = signRecord(unsigned(), longest)
      expect(verifyRecord(record, CLOUD, () => longest.attestation)).toBe(fault)
      expect(isOverLimit(fault)).toBe(fault !== null)
    }
    expect(isOverLimit('signature-invalid')).toBe(false)
  })

  it('that held once holds still by the rules of today, and is not checked for forgery again', () => {
    const record = signRecord(unsigned(), anna)
    const holds = (one: HeldRecord, cloud = CLOUD) => stillHolds(one, cloud, attestationOf)
    expect(holds(record)).toBe(true)
    expect(holds(record, encodeKey(hash(Buffer.from('elsewhere'))))).toBe(false)
    expect(stillHolds(record, CLOUD, () => undefined)).toBe(false)
    expect(holds({ ...record, signatures: [] })).toBe(false)
    const forged = record.signatures.map((one) => ({ ...one, signature: new Uint8Array(64) }))
    expect(holds({ ...record, signatures: forged })).toBe(true)
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
    // Whichever of both comes first.
    const { body, signatures } = signRecord(unsigned({ author: ben.person }), ben)
    const other = assembleRecord(body, [...signatures, cosign(body, anna)])
    expect(faultOf(other as HeldRecord)).toBe('signatures-wrong')
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
    expect(faultOf(sealed([ben]))).toBe('signatures-wrong')
    expect(faultOf(sealed([anna, anna]))).toBe('signatures-wrong')
    const carl = writer(5)
    const withCarl = new Map([...known, [carl.attestation.hash, carl.attestation]])
    const fault = verifyRecord(sealed([anna, carl]), CLOUD, (name) => withCarl.get(name))
    expect(fault).toBe('signatures-wrong')
  })

  it('holds although its attestations sort otherwise than its parties', () => {
    const writers = [11, 12, 13, 14, 15, 16].map((seed) => writer(seed))
    const byName = (names: string[]): string => [...names].sort().join(' ')
    const byPerson = byName(writers.map(({ person }) => person))
    const inOrderOfSeals = [...writers]
      .sort((a, b) => (a.attestation.hash < b.attestation.hash ? -1 : 1))
      .map(({ person }) => person)
    expect(inOrderOfSeals.join(' ')).not.toBe(byPerson)
    const all = new Map(writers.map(({ attestation }) => [attestation.hash, attestation]))
    const many = cosignedBody(
      rest,
      writers.map(({ person }) => person),
    )
    const record = assembleRecord(
      many,
      writers.map((each) => cosign(many, each)),
    )
    expect(verifyRecord(record as HeldRecord, CLOUD, (name) => all.get(name))).toBeNull()
  })

  it('belongs where its parties say', () => {
    const record = sealed([anna, ben])
    const header = { ...headerOf(record), author: anna.person }
    const bodyOfAnna = Buffer.from(`${canonicalJson(header)}\n{"price":3}`)
    const moved = assembleRecord(bodyOfAnna, [cosign(bodyOfAnna, anna), cosign(bodyOfAnna, ben)])
    expect(faultOf(moved as HeldRecord)).toBe('parties-wrong')
  })
})

/** The author part of the address of what these sign together. */
function cosignedAuthor(parties: readonly string[]): unknown {
  const { author: _author, rule: _rule, ...rest } = unsigned()
  const [header = ''] = Buffer.from(cosignedBody(rest, parties)).toString('utf8').split('\n')
  return (JSON.parse(header) as { author: string }).author
}

describe('what is put together as a record', () => {
  const record = signRecord(unsigned(), anna)
  const [seal] = record.signatures
  if (seal === undefined) throw new Error('no signature')
  const many = (count: number) => Array.from({ length: count }, () => seal)

  it('has from one to as many signatures as there may be parties', () => {
    expect(assembleRecord(record.body, [])).toBeNull()
    expect(assembleRecord(record.body, many(MAX_PARTIES))).not.toBeNull()
    expect(assembleRecord(record.body, many(MAX_PARTIES + 1))).toBeNull()
    const envelopeWith = (count: number) =>
      Buffer.concat([
        Uint8Array.of(1, count),
        ...many(count).flatMap(({ attestation, signature }) => [
          Buffer.from(attestation, 'hex'),
          signature,
        ]),
        record.body,
      ])
    expect(decodeRecord(envelopeWith(0))).toBeNull()
    expect(decodeRecord(envelopeWith(MAX_PARTIES))?.signatures).toHaveLength(MAX_PARTIES)
    expect(decodeRecord(envelopeWith(MAX_PARTIES + 1))).toBeNull()
  })

  it('has a header that ends, is text, and says the size that follows', () => {
    const header = Buffer.from(canonicalJson(headerOf(record)))
    const value = Buffer.from('{"text":"hello"}')
    const newline = Buffer.from('\n')
    const assemble = (...parts: Uint8Array[]) => assembleRecord(Buffer.concat(parts), [seal])
    expect(assemble(header, newline, value)).not.toBeNull()
    expect(assemble(header)).toBeNull()
    // Nor is a text without a newline cut where it suits.
    const { size: _, ...fields } = headerOf(record)
    const sizeBytes = canonicalJson({ ...fields, size: 100 }).length + 1
    expect(
      assemble(
        Buffer.from(canonicalJson({ ...fields, size: sizeBytes })),
        newline.subarray(1),
        Buffer.from('x'),
      ),
    ).toBeNull()
    expect(assemble(header, newline, value, newline)).toBeNull()
    expect(assemble(header, newline, value.subarray(1))).toBeNull()
    expect(assemble(Buffer.from([0xff]), newline, value)).toBeNull()
    expect(assemble(newline, value)).toBeNull()
  })

  it('is of the one known version of the envelope', () => {
    const envelope = encodeRecord(record)
    expect(decodeRecord(Uint8Array.of(2, ...envelope.subarray(1)))).toBeNull()
    expect(decodeRecord(envelope.subarray(0, 2 + 96))).toBeNull()
    expect(decodeRecord(new Uint8Array(0))).toBeNull()
    expect(decodeRecord(Uint8Array.of(1))).toBeNull()
  })

  it('is as large as header, value and all signatures may be', () => {
    expect(MAX_ENVELOPE_BYTES).toBe(2 + MAX_PARTIES * 96 + 4096 + 1 + MAX_VALUE_BYTES)
    const value = 'x'.repeat(MAX_VALUE_BYTES - 2)
    const largest = signRecord(unsigned({ value }), anna)
    expect(faultOf(decodeRecord(encodeRecord(largest)) as HeldRecord)).toBeNull()
    const fields = headerOf(largest)
    const later = 'x'.repeat(4096 - canonicalJson({ ...fields, later: '' }).length)
    const body = Buffer.from(`${canonicalJson({ ...fields, later })}\n"${value}"`)
    const envelope = encodeRecord({ ...largest, body, signatures: many(MAX_PARTIES) })
    expect(envelope).toHaveLength(MAX_ENVELOPE_BYTES)
    expect(decodeRecord(envelope)?.header.size).toBe(MAX_VALUE_BYTES)
  })

  it('was signed before its attestation expired, or in that very millisecond', () => {
    const last = writer(4, NOW_MS)
    const record = signRecord(unsigned({ author: last.person }), last)
    expect(verifyRecord(record, CLOUD, () => last.attestation)).toBeNull()
  })

  it('has a place of its own for each system, collection, author and id', () => {
    const { system, collection, author, id } = record.header
    expect(addressKey(record.header).split('\u0000')).toEqual([system, collection, id, author])
  })
})

it('a co-signed record is not deleted, even when all its parties sign that', () => {
  const parties = [anna.person, ben.person].sort()
  const header = {
    ...headerOf(signRecord(unsigned({ deleted: true, value: null }), anna)),
    author: cosignedAuthor(parties),
    rule: 'co-signed',
    attestation: null,
    parties,
  }
  const body = Buffer.from(`${canonicalJson(header)}\n`)
  const record = assembleRecord(body, [cosign(body, anna), cosign(body, ben)])
  expect(faultOf(record as HeldRecord)).toBe('not-deletable')
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

  it('the newer wins, whichever id is greater', () => {
    const older = signRecord(unsigned(), anna)
    const sides = new Set<boolean>()
    for (let at = 0; at < 20; at++) {
      const newer = signRecord(unsigned({ version: version(1), value: at }), anna)
      sides.add(toHex(newer.id32) > toHex(older.id32))
      expect(replaces(newer, older)).toBe(true)
      expect(replaces(older, newer)).toBe(false)
    }
    expect(sides).toEqual(new Set([true, false]))
  })
})

describe('whatever bytes come', () => {
  it('none make the decoder throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600, size: 'max' }), (bytes) => {
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
