import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CLOUD, holder } from '../../testing/session-tables.ts'
import { canonicalJson } from '../canonical.ts'
import { openAttestation } from '../forms/attestation.ts'
import { openAction } from './action.ts'
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
