import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { canonicalJson, isShallow, parseCanonical } from '../canonical.ts'
import { domainBytes, encodeKey, hash, keyPair, sign, toHex } from '../keys.ts'
import type { FormKind } from '../domains.ts'
import { openAttestation, signAttestation } from './attestation.ts'
import { cloudIdOf, genesisBody, openGenesis } from './genesis.ts'
import { openMachineForm, signMachineForm } from './machine-form.ts'
import { MAX_FORM_CHARS, openForm, signForm } from './signed-form.ts'
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
  const fields = { ...(JSON.parse(form.body) as object), ...changes } as { kind: FormKind }
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

  it('says what its place follows from, whatever kind that is of', () => {
    for (const place of [
      { kind: 'work', proof: 'abc' },
      { kind: 'ecvrf', proof: 'ff'.repeat(80) },
    ]) {
      const form = resign(entry.form, { place }, machineKeys.secretKey)
      expect(openMachineForm(form, cloud)?.place).toEqual(place)
    }
    const long = { kind: 'work', proof: 'x'.repeat(1_025) }
    const form = resign(entry.form, { place: long }, machineKeys.secretKey)
    expect(openMachineForm(form, cloud)).toBeNull()
  })

  it('may say what its computer has, within bounds', () => {
    const opens = (resources: unknown) =>
      openMachineForm(resign(entry.form, { resources }, machineKeys.secretKey), cloud)
    const most = { cores: 100_000, memoryBytes: Number.MAX_SAFE_INTEGER }
    expect(opens(most)?.resources).toEqual(most)
    expect(opens({ ...most, disks: 3 })?.form.body).toContain('disks')
    for (const wrong of [{ cores: 0 }, { cores: 100_001 }, { cores: 1.5 }, { memoryBytes: 0 }]) {
      expect(opens({ ...most, ...wrong }), JSON.stringify(wrong)).toBeNull()
    }
    expect(opens({ cores: 4 })).toBeNull()
    expect(opens('many')).toBeNull()
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

describe('what a form may hold', () => {
  const opens = (changes: object): boolean =>
    openMachineForm(resign(entry.form, changes, machineKeys.secretKey), cloud) !== null
  const attests = (changes: object): boolean =>
    openAttestation(resign(attestation.form, changes, personKeys.secretKey), cloud) !== null

  it('is of a version from 1', () => {
    expect(attests({ v: 1 })).toBe(true)
    for (const v of [0, -1, 1.5, '1', null]) expect(attests({ v }), String(v)).toBe(false)
  })

  it('is of the kind that its signature is for', () => {
    const body = canonicalJson({ ...statement, kind: 'machine', v: 1 })
    const signature = toHex(sign(domainBytes('dharma/attestation/1', body), personKeys.secretKey))
    expect(openAttestation({ body, signature }, cloud)).toBeNull()
    expect(JSON.parse(attestation.form.body)).toMatchObject({ kind: 'attestation', v: 1 })
    expect(JSON.parse(entry.form.body)).toMatchObject({ kind: 'machine', v: 1 })
  })

  it('names its signer by a key', () => {
    for (const other of [5, null, '', person.slice(1)]) {
      expect(attests({ person: other }), String(other)).toBe(false)
    }
  })

  it('counts and times with whole numbers from 0', () => {
    for (const field of ['sequence', 'expiresMs']) {
      expect(attests({ [field]: 0 })).toBe(true)
      for (const value of [-1, 1.5, '1', null]) expect(attests({ [field]: value })).toBe(false)
    }
  })

  it('is text that is an object', () => {
    for (const body of ['null', '[]', '5', '"x"', '{}']) {
      expect(openAttestation({ ...attestation.form, body }, cloud), body).toBeNull()
    }
  })

  it('is a machine’s of this cloud, with an attestation of this cloud', () => {
    const elsewhere = encodeKey(hash(Buffer.from('elsewhere')))
    expect(opens({ cloud: elsewhere })).toBe(false)
    const other = signAttestation({ ...statement, cloud: elsewhere }, personKeys.secretKey)
    expect(opens({ attestation: other.form })).toBe(false)
    const own = signMachineForm(
      { ...entry, cloud: elsewhere, attestation: other },
      machineKeys.secretKey,
    )
    expect(openMachineForm(own.form, elsewhere)).not.toBeNull()
    expect(openMachineForm(own.form, cloud)).toBeNull()
  })

  it('says no more of a machine than fits on a line', () => {
    const protocol = (changes: object) => ({ protocol: { ...entry.protocol, ...changes } })
    for (const good of [
      { name: 'x' },
      { name: 'x'.repeat(60) },
      { device: 'a' },
      { device: `a${'-'.repeat(39)}` },
      { appVersion: 'x'.repeat(40) },
      protocol({ version: 1 }),
      protocol({ capabilities: [] }),
      protocol({ capabilities: Array.from({ length: 64 }, () => 'x'.repeat(60)) }),
    ]) {
      expect(opens(good), JSON.stringify(good)).toBe(true)
    }
    for (const bad of [
      { name: '' },
      { name: 'x'.repeat(61) },
      { device: '' },
      { device: 'A' },
      { device: '9a' },
      { device: 'aB' },
      { device: 'a b' },
      { device: `a${'b'.repeat(40)}` },
      { appVersion: 'x'.repeat(41) },
      { sequence: -1 },
      protocol({ version: 0 }),
      protocol({ version: 1.5 }),
      protocol({ capabilities: Array.from({ length: 65 }, () => 'x') }),
      protocol({ capabilities: ['x'.repeat(61)] }),
      protocol({ capabilities: [5] }),
    ]) {
      expect(opens(bad), JSON.stringify(bad)).toBe(false)
    }
  })

  it('is at most as long as a form may be', () => {
    const room =
      MAX_FORM_CHARS -
      canonicalJson({ ...(JSON.parse(entry.form.body) as object), later: '' }).length
    expect(opens({ later: 'x'.repeat(room) })).toBe(true)
    expect(opens({ later: 'x'.repeat(room + 1) })).toBe(false)
  })

  it('begins a cloud with a few keys and short words', () => {
    const admission = { kind: 'link' }
    const first = { kind: 'genesis', v: 1, name: 'Ours', admission, keys: [person], nonce: '1' }
    const room = MAX_FORM_CHARS - canonicalJson({ ...first, later: '' }).length
    const begins = (changes: object): boolean => {
      const body = canonicalJson({ ...first, ...changes })
      return openGenesis(body, cloudIdOf(body)) !== null
    }
    for (const good of [
      {},
      { v: 2 },
      { name: 'x'.repeat(60) },
      { admission: { kind: 'x'.repeat(40) } },
      { keys: Array.from({ length: 16 }, () => person) },
      { nonce: 'x'.repeat(128) },
      { later: 'x'.repeat(room) },
    ]) {
      expect(begins(good), JSON.stringify(good)).toBe(true)
    }
    for (const bad of [
      { kind: 'machine' },
      { v: 0 },
      { v: 1.5 },
      { name: 'x'.repeat(61) },
      { admission: {} },
      { admission: { kind: 'x'.repeat(41) } },
      { keys: [] },
      { keys: ['x'] },
      { keys: Array.from({ length: 17 }, () => person) },
      { nonce: 'x'.repeat(129) },
      { later: 'x'.repeat(room + 1) },
    ]) {
      expect(begins(bad), JSON.stringify(bad)).toBe(false)
    }
  })
})

describe('what is signed can be read', () => {
  const said = z.object({ text: z.unknown(), signer: z.string() })
  const signs = (text: unknown) =>
    signForm('action', { text, signer: machine }, machineKeys.secretKey)
  const around = signs('').body.length

  it.each(['x', '\u20ac', '"', '\u0001'])('up to the limit, of the character %j', (char) => {
    const room = Math.floor((MAX_FORM_CHARS - around) / (JSON.stringify(char).length - 2))
    const form = signs(char.repeat(room))
    expect(form.body.length).toBeGreaterThan(MAX_FORM_CHARS - 6)
    expect(openForm(form, 'action', said, 'signer')?.text).toBe(char.repeat(room))
    expect(() => signs(char.repeat(room + 1))).toThrow('too-long')
  })

  it('up to the depth of any JSON', () => {
    const nested = (depth: number): unknown => (depth === 0 ? [] : [nested(depth - 1)])
    expect(openForm(signs(nested(62)), 'action', said, 'signer')).not.toBeNull()
    expect(() => signs(nested(63))).toThrow('unreadable')
  })

  it('if it is of whole characters', () => {
    expect(openForm(signs('\ud83d\ude00'), 'action', said, 'signer')?.text).toBe('\ud83d\ude00')
    expect(() => signs('\ud83d')).toThrow('unreadable')
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

  it('is not made of what is no JSON value', () => {
    expect(() => canonicalJson(undefined)).toThrow('not a JSON value')
  })

  it('is bounded in depth before it is parsed', () => {
    expect(isShallow(`${'['.repeat(64)}${']'.repeat(64)}`)).toBe(true)
    expect(isShallow('['.repeat(65))).toBe(false)
    expect(isShallow('{"a":'.repeat(65))).toBe(false)
    expect(isShallow('[]'.repeat(100))).toBe(true)
    expect(isShallow('{}'.repeat(100))).toBe(true)
    expect(isShallow(`"]}"${'['.repeat(65)}`)).toBe(false)
    expect(isShallow('[[', 1)).toBe(false)
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
