import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../canonical.ts'
import { domainBytes, encodeKey, hash, keyPair, sign, toHex } from '../keys.ts'
import { openRevocation, signRevocation } from './revocation.ts'
import type { SignedForm } from './signed-form.ts'

const keysOf = (seed: number) => keyPair(new Uint8Array(32).fill(seed))
const person = keysOf(1)
const stranger = keysOf(3)
const cloud = encodeKey(hash(Buffer.from('a cloud')))
const statement = {
  person: encodeKey(person.publicKey),
  machine: encodeKey(keysOf(2).publicKey),
  cloud,
  sequence: 7,
  validUntil: '018bcfe56800-0000',
}
const revocation = signRevocation(statement, person.secretKey)

/** The form with other fields, signed by whom you like. */
function resign(changes: object, { secretKey } = person): SignedForm {
  const fields = { ...(JSON.parse(revocation.form.body) as object), ...changes }
  const body = canonicalJson(fields)
  return { body, signature: toHex(sign(domainBytes('dharma/revocation/1', body), secretKey)) }
}
const holds = (changes: object): boolean => openRevocation(resign(changes), cloud) !== null

describe('a revocation', () => {
  it('holds when the person signed it, in its cloud only', () => {
    expect(openRevocation(revocation.form, cloud)).toEqual(revocation)
    expect(openRevocation(revocation.form, encodeKey(hash(Buffer.from('x'))))).toBeNull()
    expect(openRevocation(resign({}, stranger), cloud)).toBeNull()
    expect(openRevocation({ ...revocation.form, signature: '00'.repeat(64) }, cloud)).toBeNull()
  })

  it('of a later version holds, with its new fields in its form', () => {
    const form = resign({ v: 2, because: 'lost' })
    expect(openRevocation(form, cloud)).toEqual({ ...statement, form })
  })

  it('says until when all that the machine signed is valid, or that nothing is', () => {
    expect(openRevocation(resign({ validUntil: null }), cloud)?.validUntil).toBeNull()
    for (const validUntil of [0, '', '018bcfe56800', 'ffff', undefined, {}]) {
      expect(holds({ validUntil }), String(validUntil)).toBe(false)
    }
  })

  it('names keys, and a sequence', () => {
    for (const key of [1, 'x', null, `${statement.machine}y`]) {
      expect(holds({ machine: key }), String(key)).toBe(false)
      expect(holds({ cloud: key }), String(key)).toBe(false)
    }
    for (const sequence of [-1, 1.5, '1', null]) expect(holds({ sequence })).toBe(false)
    expect(holds({ kind: 'attestation' })).toBe(false)
  })

  it('is opened without throwing, whatever is handed in', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json(), fc.constant(revocation.form.body)),
        fc.oneof(fc.constant('0'.repeat(128)), fc.constant(revocation.form.signature)),
        (body, signature) => {
          const opened = openRevocation({ body, signature }, cloud)
          expect(opened === null || body === revocation.form.body).toBe(true)
        },
      ),
    )
  })
})
