import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CLOUD, holder } from '../../testing/session-tables.ts'
import { canonicalJson } from '../canonical.ts'
import { openAttestation } from '../forms/attestation.ts'
import { isOfSeat, openAction } from './action.ts'
import type { ActionStatement } from './action.ts'
import { MAX_BLOCK_CHARS, readBlock, writeBlock } from './block.ts'

const ANN = holder('ann')
const action = ANN.sign({
  session: 'a'.repeat(64),
  seat: 0,
  seq: 0,
  heads: [null, null],
  type: 'move',
  body: { column: 3 },
  machine: ANN.machine,
  attestation: ANN.attestation.hash,
  atMs: 1,
})

test('an action is the same on every machine, to the byte', () => {
  expect(action.form.body).toBe(
    canonicalJson({
      atMs: 1,
      attestation: ANN.attestation.hash,
      body: { column: 3 },
      heads: [null, null],
      kind: 'action',
      machine: ANN.machine,
      seat: 0,
      seq: 0,
      session: 'a'.repeat(64),
      type: 'move',
      v: 1,
    }),
  )
  expect(action.hash).toBe('45926d5ba10522a26537cff9305cb7a24f4bcad883477973b805c4d84818a3ea')
  expect(openAction(action.form)).toEqual(action)
  expect(openAttestation(ANN.attestation.form, CLOUD)?.machine).toBe(ANN.machine)
})

test('a field of a later version stays in the form and changes the hash', () => {
  const body = canonicalJson({ ...(JSON.parse(action.form.body) as object), mood: 'good' })
  expect(openAction({ body, signature: action.form.signature })).toBeNull()
  expect(openAction({ body, signature: action.form.signature }, () => true)?.seat).toBe(0)
})

test('a block is read as it was written; anything else is none', () => {
  const text = writeBlock({ type: 'action', form: action.form })
  expect(readBlock(text)).toEqual({ type: 'action', form: action.form })
  expect(readBlock(`${' '.repeat(MAX_BLOCK_CHARS)}${text}`)).toBeNull()
  expect(readBlock(`{"action":${'['.repeat(10_000)}`)).toBeNull()
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (other) => {
      expect(readBlock(other)).toBeNull()
    }),
  )
  fc.assert(
    fc.property(fc.string(), fc.string(), (body, signature) => {
      expect(openAction({ body, signature })).toBeNull()
    }),
  )
})

const statement: ActionStatement = {
  session: 'a'.repeat(64),
  seat: 0,
  seq: 0,
  heads: [null, null],
  type: 'move',
  body: null,
  machine: ANN.machine,
  attestation: ANN.attestation.hash,
  atMs: 1,
}

test.each<[string, Partial<ActionStatement>, Partial<ActionStatement>?]>([
  ['for a seat below the first', { seat: -1 }],
  ['for a seat beyond the last', { seat: 16 }, { seat: 15 }],
  ['for a part of a seat', { seat: 0.5 }],
  ['before the first', { seq: -1 }],
  ['at a part of a place', { seq: 0.5 }],
  ['that has seen no seat', { heads: [] }, { heads: [null] }],
  [
    'that has seen too many seats',
    { heads: Array.from({ length: 17 }, () => null) },
    { heads: Array.from({ length: 16 }, () => 'b'.repeat(64)) },
  ],
  ['that has seen what is no hash', { heads: ['b'] }],
  ['of no type', { type: '' }, { type: 'x' }],
  ['of a type with a long name', { type: 'x'.repeat(41) }, { type: 'x'.repeat(40) }],
])('an action %s is none', (_what, wrong, right) => {
  expect(openAction(ANN.sign({ ...statement, ...wrong }).form)).toBeNull()
  if (right) expect(openAction(ANN.sign({ ...statement, ...right }).form)).toMatchObject(right)
})

test('an action is of a seat if it is of its session, and its machine the person’s', () => {
  const BOB = holder('bob')
  const seats = { session: statement.session, seats: [ANN.person, BOB.person] }
  const own = (change: Partial<ActionStatement> = {}, attestation = ANN.attestation) =>
    isOfSeat(ANN.sign({ ...statement, ...change }), seats, attestation)
  expect(own()).toBe(true)
  expect(own({ session: 'b'.repeat(64) })).toBe(false)
  expect(own({ heads: [null] })).toBe(false)
  expect(own({ seat: 1 })).toBe(false)
  expect(own({ attestation: BOB.attestation.hash })).toBe(false)
  expect(own({}, BOB.attestation)).toBe(false)
  expect(own({ attestation: BOB.attestation.hash }, BOB.attestation)).toBe(false)
  expect(own({ machine: BOB.machine })).toBe(false)
})

test('a block says what it is, and is as long as it may be', () => {
  const { form } = ANN.attestation
  const text = writeBlock({ type: 'attestation', form })
  expect(text).toBe(JSON.stringify({ attestation: { body: form.body, signature: form.signature } }))
  expect(readBlock(text)).toEqual({ type: 'attestation', form })
  expect(readBlock(text.padEnd(MAX_BLOCK_CHARS))).not.toBeNull()
  expect(readBlock(text.padEnd(MAX_BLOCK_CHARS + 1))).toBeNull()
  for (const none of ['null', '1', '{}', '[]', '{"action":1}', '{"other":{}}', '{']) {
    expect(readBlock(none), none).toBeNull()
  }
})
