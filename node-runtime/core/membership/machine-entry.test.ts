import { expect, test } from 'vitest'
import { encodeKey, hash, keyPair } from '../keys.ts'
import type { KeyPair } from '../keys.ts'
import { attestMachine, isGenuineEntry, signEntry } from './machine-entry.ts'
import type { MachineEntry, MachineStatement } from './machine-entry.ts'

const keysOf = (name: string): KeyPair => keyPair(hash(Buffer.from(name)))
const keyOf = (name: string): string => encodeKey(keysOf(name).publicKey)

const CLOUD = keyOf('cloud')
const statement: MachineStatement = {
  cloud: CLOUD,
  machine: keyOf('machine'),
  person: keyOf('person'),
  attestation: attestMachine(keyOf('machine'), keysOf('person').secretKey),
  name: 'Calm Robin',
  kind: 'desktop',
  appVersion: '1.0.0',
  dbLog: keyOf('log'),
  sequence: 7,
}
const entry = signEntry(statement, keysOf('machine').secretKey)

test('an entry is genuine as it was signed, in its cloud only', () => {
  expect(isGenuineEntry(entry, CLOUD)).toBe(true)
  expect(isGenuineEntry(entry, keyOf('another cloud'))).toBe(false)
})

test.each([
  ['cloud', { cloud: keyOf('another cloud') }],
  ['machine', { machine: keyOf('stranger') }],
  ['person', { person: keyOf('stranger') }],
  ['attestation', { attestation: attestMachine(keyOf('machine'), keysOf('stranger').secretKey) }],
  ['name', { name: 'Mallory' }],
  ['kind', { kind: 'headless' }],
  ['version of the app', { appVersion: '9.9.9' }],
  ['log', { dbLog: keyOf('stranger') }],
  ['place in time', { sequence: 8 }],
] satisfies [string, Partial<MachineEntry>][])(
  'nobody can change its %s on the way',
  (_, change) => {
    const changed = { ...entry, ...change }
    expect(isGenuineEntry(changed, changed.cloud)).toBe(false)
  },
)

test('a machine cannot call itself the machine of a person who has not said so', () => {
  const machine = keysOf('stranger')
  const claimed = { ...statement, machine: keyOf('stranger') }
  // With the person's word for another machine, and with a word of its own.
  expect(isGenuineEntry(signEntry(claimed, machine.secretKey), CLOUD)).toBe(false)
  const attestation = attestMachine(keyOf('stranger'), machine.secretKey)
  const selfMade = signEntry({ ...claimed, attestation }, machine.secretKey)
  expect(isGenuineEntry(selfMade, CLOUD)).toBe(false)
})
