import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../canonical.ts'
import { encodeKey, hash } from '../keys.ts'
import { MAX_HEADER_BYTES, MAX_PARTIES, MAX_VALUE_BYTES, parseHeader } from './record-header.ts'

const keyOf = (name: string): string => encodeKey(hash(Buffer.from(name)))
const persons = Array.from({ length: MAX_PARTIES + 1 }, (_, at) => keyOf(`person ${at}`)).sort()

const header = {
  kind: 'record',
  v: 1,
  system: keyOf('system'),
  collection: 'notes',
  author: keyOf('anna'),
  id: 'one',
  version: '0123456789ab-cdef',
  rule: 'author',
  scope: 'set',
  partition: null,
  schema: null,
  size: 5,
  attestation: 'a'.repeat(64),
}
const cosigned = { ...header, rule: 'co-signed', attestation: null, parties: persons.slice(0, 2) }

const parse = (changes: object, base: object = header) =>
  parseHeader(canonicalJson({ ...base, ...changes }))

describe('a header', () => {
  it('is what was written, without the fields of later versions', () => {
    const { kind: _kind, v: _v, ...fields } = header
    expect(parse({})).toStrictEqual(fields)
    expect(parse({ v: 2, later: true })).toEqual(fields)
    expect(parse({ deleted: true, size: 0 })).toStrictEqual({ ...fields, deleted: true, size: 0 })
    expect(parse({}, cosigned)).toMatchObject({ parties: cosigned.parties, attestation: null })
  })

  it('is a record’s, of a version that is a number from 1', () => {
    for (const kind of ['action', '', null]) expect(parse({ kind })).toBeNull()
    for (const v of [0, -1, 1.5, '1', null]) expect(parse({ v }), String(v)).toBeNull()
  })

  it.each(['system', 'author'])('names as %s one key, whole and nothing else', (field) => {
    const key = keyOf('one')
    const wrong = [key.slice(1), `${key}y`, `y${key}`, `${key.slice(1)}0`, '', 5, null, [key]]
    for (const value of wrong) expect(parse({ [field]: value }), String(value)).toBeNull()
  })

  it.each(['collection', 'rule'])('has as %s a small word of at most 40 signs', (field) => {
    const good = ['a', 'a-9', `a${'b'.repeat(39)}`]
    for (const value of good) expect(parse({ [field]: value }), value).not.toBeNull()
    const bad = ['', 'A', '9a', '-a', 'aB', 'a b', `a${'b'.repeat(40)}`, 'a\n', ' a', 5, null]
    for (const value of bad) expect(parse({ [field]: value }), String(value)).toBeNull()
  })

  it.each(['id', 'partition'])('has as %s 1 to 200 signs that can be seen', (field) => {
    for (const value of ['x', 'ä b', 'x'.repeat(200)]) {
      expect(parse({ [field]: value }), value).not.toBeNull()
    }
    const bad = ['', 'x'.repeat(201), '\u0000', 'a\u001f', '\u007fa', '\n', 5, ['x']]
    for (const value of bad) expect(parse({ [field]: value }), String(value)).toBeNull()
  })

  it('has an id, though it may have no partition', () => {
    expect(parse({ id: null })).toBeNull()
    expect(parse({ partition: 'north' })?.partition).toBe('north')
  })

  it('has a version that sorts as text', () => {
    for (const version of [
      '0123456789ab-cde',
      '0123456789ab-cdef0',
      '00123456789ab-cdef',
      '123456789ab-cdef',
      '0123456789AB-cdef',
      '0123456789abxcdef',
      5,
    ]) {
      expect(parse({ version }), String(version)).toBeNull()
    }
  })

  it('spreads as far as one of the known scopes', () => {
    for (const scope of ['set', 'home', 'cloud']) expect(parse({ scope })?.scope).toBe(scope)
    for (const scope of ['', 'world', null]) expect(parse({ scope })).toBeNull()
  })

  it.each(['schema', 'attestation'])('names the %s by a whole hash in lower hex', (field) => {
    expect(parse({ [field]: '0'.repeat(64) })?.[field as 'schema']).toBe('0'.repeat(64))
    for (const value of ['0'.repeat(63), '0'.repeat(65), 'A'.repeat(64), 'g'.repeat(64), 0]) {
      expect(parse({ [field]: value }), String(value)).toBeNull()
    }
  })

  it('has a size that a value can have, and none only when deleted', () => {
    expect(parse({ size: 1 })).not.toBeNull()
    expect(parse({ size: MAX_VALUE_BYTES })).not.toBeNull()
    for (const size of [0, -1, 1.5, '5', null, MAX_VALUE_BYTES + 1]) {
      expect(parse({ size }), String(size)).toBeNull()
    }
    expect(parse({ size: -1, deleted: true })).toBeNull()
    expect(parse({ size: 1, deleted: true })).toBeNull()
    for (const deleted of [false, 1, 'true', null]) {
      expect(parse({ deleted, size: 0 }), String(deleted)).toBeNull()
    }
  })

  it('has parties when it is co-signed, and then no attestation of one', () => {
    const { parties: _, ...alone } = cosigned
    expect(parse({}, alone)).toBeNull()
    expect(parse({ parties: persons.slice(0, 2) })).toBeNull()
    expect(parse({ attestation: 'a'.repeat(64) }, cosigned)).toBeNull()
    expect(parse({ attestation: null })).toBeNull()
  })

  it('has different parties, sorted, from one to 64', () => {
    const [one = '', two = ''] = persons
    expect(parse({ parties: [one] }, cosigned)).not.toBeNull()
    expect(parse({ parties: persons.slice(0, MAX_PARTIES) }, cosigned)).not.toBeNull()
    for (const parties of [[], persons, [two, one], [one, one], [one, 5], ['x'], one, {}, null]) {
      expect(parse({ parties }, cosigned), JSON.stringify(parties)).toBeNull()
    }
  })

  it('is an object, and no longer than it may be', () => {
    for (const text of ['null', '[]', '5', '"record"', '{', '']) {
      expect(parseHeader(text), text).toBeNull()
    }
    const room = MAX_HEADER_BYTES - canonicalJson({ ...header, later: '' }).length
    expect(parse({ later: 'x'.repeat(room) })).not.toBeNull()
    expect(parse({ later: 'x'.repeat(room + 1) })).toBeNull()
  })
})
