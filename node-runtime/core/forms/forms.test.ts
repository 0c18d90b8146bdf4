import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, isShallow, parseCanonical } from '../canonical.ts'
import { domainBytes, encodeKey, hash, keyPair, sign, toHex } from '../keys.ts'
import { openAttestation, signAttestation } from './attestation.ts'
import { cloudIdOf, genesisBody, openGenesis } from './genesis.ts'
import { openMachineForm, signMachineForm } from './machine-form.ts'
import { MAX_FORM_CHARS } from './signed-form.ts'
import type { SignedForm } from './signed-form.ts'

const keysOf = (seed: number) => keyPair(new Uint8Array(32).fill(seed))
const personKeys = keysOf(1)
const machineKeys = keysOf(2)
const strangerKeys = keysOf(3)
const person = encodeKey(personKeys.publicKey)
const machine = encodeKey(machineKeys.publicKey)
const cloud = encodeKey(hash(Buffer.from('a cloud')))

const statement = { person, machine, cloud, sequence: 1, expiresMs: 2_000_000_000_000 }
const attestation = signAttestation(statement, personKeys.secretKey)
const entry = signMachineForm(
  {
    cloud,
    machine,
    attestation,
    name: 'Quiet Heron',
    device: 'desktop',
    appVersion: '0.2.0',
    protocol: { version: 2, capabilities: ['records/2'] },
    sequence: 7,
  },
  machineKeys.secretKey,
)

/** The form with other fields, signed by whom you like. */
function resign(form: SignedForm, changes: object, secretKey: Uint8Array): SignedForm {
  const fields = { ...(JSON.parse(form.body) as object), ...changes } as { kind: string }
  const body = canonicalJson(fields)
  return { body, signature: toHex(sign(domainBytes(`dharma/${fields.kind}/1`, body), secretKey)) }
}

describe('an attestation', () => {
  it('holds when the person signed it, in its cloud only', () => {
    expect(openAttestation(attestation.form, cloud)).toEqual(attestation)
    expect(openAttestation(attestation.form, encodeKey(hash(Buffer.from('x'))))).toBeNull()
  })

  it('does not hold when another signed it, or when it is another kind of form', () => {
    const forged = resign(attestation.form, {}, strangerKeys.secretKey)
    expect(openAttestation(forged, cloud)).toBeNull()
    const otherKind = resign(attestation.form, { kind: 'machine' }, personKeys.secretKey)
    expect(openAttestation(otherKind, cloud)).toBeNull()
    const later = { ...attestation.form, body: attestation.form.body.replace('2000', '3000') }
    expect(openAttestation(later, cloud)).toBeNull()
  })

  it('of a later version holds, with its new fields in its form', () => {
    const form = resign(attestation.form, { v: 2, scopes: ['games'] }, personKeys.secretKey)
    const opened = openAttestation(form, cloud)
    expect(opened?.machine).toBe(machine)
    expect(opened?.form).toEqual(form)
    expect(opened?.hash).not.toBe(attestation.hash)
  })

  it('has one text only', () => {
    const body = attestation.form.body.replace(',', ', ')
    const signature = toHex(sign(domainBytes('dharma/attestation/1', body), personKeys.secretKey))
    expect(openAttestation({ body, signature }, cloud)).toBeNull()
  })
})

describe('a machine’s entry', () => {
  it('holds when the machine signed it and the person attested the machine', () => {
    expect(openMachineForm(entry.form, cloud)).toEqual(entry)
    expect(entry.person).toBe(person)
  })

  it('does not hold when another machine signed it, or with an attestation for another', () => {
    expect(openMachineForm(resign(entry.form, {}, strangerKeys.secretKey), cloud)).toBeNull()
    const other = signAttestation(
      { ...statement, machine: encodeKey(strangerKeys.publicKey) },
      personKeys.secretKey,
    )
    const stolen = resign(entry.form, { attestation: other.form }, machineKeys.secretKey)
    expect(openMachineForm(stolen, cloud)).toBeNull()
  })

  it('of a later version holds: one field and one capability more', () => {
    const form = resign(
      entry.form,
      {
        v: 2,
        region: 'north',
        device: 'watch',
        protocol: { version: 3, capabilities: ['records/2', 'slots/1'] },
      },
      machineKeys.secretKey,
    )
    const opened = openMachineForm(form, cloud)
    expect(opened?.protocol.capabilities).toContain('slots/1')
    expect(opened?.form.body).toContain('north')
  })
})

describe('a cloud’s id', () => {
  const body = genesisBody({
    name: 'Ours',
    admission: { kind: 'link' },
    keys: [person],
    nonce: '1',
  })

  it('is the hash of its genesis, and of no other', () => {
    const id = cloudIdOf(body)
    expect(openGenesis(body, id)?.name).toBe('Ours')
    expect(openGenesis(body.replace('Ours', 'Mine'), id)).toBeNull()
    const later = canonicalJson({ ...(JSON.parse(body) as object), v: 2, motto: 'x' })
    expect(openGenesis(later, cloudIdOf(later))?.name).toBe('Ours')
  })
})

describe('canonical text', () => {
  it('is told from every other text of the same value', () => {
    for (const text of ['{"a":1}', '[]', '"ä"', '1e+21', 'null']) {
      expect(parseCanonical(text), text).toEqual(JSON.parse(text))
    }
    for (const text of [
      '{"a": 1}',
      '{"b":1,"a":2}',
      '{"a":1,"a":1}',
      '-0',
      '1.0',
      '1e400',
      '"\\u0041"',
      '"\\ud83d"',
      '',
      '{',
    ]) {
      expect(parseCanonical(text), text).toBeUndefined()
    }
    expect(parseCanonical('"\\\\ud83d"')).toBe('\\ud83d')
  })

  it('is bounded in depth before it is parsed', () => {
    expect(isShallow(`${'['.repeat(64)}${']'.repeat(64)}`)).toBe(true)
    expect(isShallow('['.repeat(65))).toBe(false)
    expect(isShallow(`"${'['.repeat(100)}"`)).toBe(true)
    expect(isShallow(`"\\"${'['.repeat(100)}"`)).toBe(true)
    expect(parseCanonical('['.repeat(100_000))).toBeUndefined()
  })
})

it('no text makes the opening of a form throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.json(), fc.constant(entry.form.body)),
      fc.oneof(fc.constant('0'.repeat(128)), fc.constant(entry.form.signature)),
      (body, signature) => {
        openMachineForm({ body, signature }, cloud)
        openAttestation({ body, signature }, cloud)
        openGenesis(body, cloud)
      },
    ),
  )
  expect(openMachineForm({ ...entry.form, body: 'x'.repeat(MAX_FORM_CHARS + 1) }, cloud)).toBeNull()
})
