// Entries of machines that exist in tests only.
import { signAttestation } from '../core/forms/attestation.ts'
import { signMachineForm } from '../core/forms/machine-form.ts'
import type { MachineEntry } from '../core/forms/machine-form.ts'
import { encodeKey, hash, keyPair } from '../core/keys.ts'
import type { KeyPair } from '../core/keys.ts'

/** Keys that are the same in every run. */
export function keysOf(name: string): KeyPair {
  return keyPair(hash(Buffer.from(name)))
}

export function keyOf(name: string): string {
  return encodeKey(keysOf(name).publicKey)
}

export interface TestEntry {
  keys: KeyPair
  cloud: string
  /** Whose machine it is; the same one's if absent. */
  person?: string
  name?: string
  sequence?: number
  /** The sequence of its person's word. */
  attested?: number
  /** Fields of the body beside those of the form, or in place of them. */
  more?: object
}

export function signTestEntry(options: TestEntry): MachineEntry {
  const { keys, cloud, name = 'Test', sequence = 1, more = {} } = options
  const person = keysOf(options.person ?? 'person')
  const machine = encodeKey(keys.publicKey)
  const attestation = signAttestation(
    {
      person: encodeKey(person.publicKey),
      machine,
      cloud,
      sequence: options.attested ?? 1,
      expiresMs: 4_000_000_000_000,
    },
    person.secretKey,
  )
  const statement = {
    cloud,
    machine,
    attestation,
    name,
    device: 'headless' as const,
    appVersion: '0.0.0',
    protocol: { version: 2, capabilities: ['machines/2'] },
    sequence,
    ...more,
  }
  return signMachineForm(statement, keys.secretKey)
}
