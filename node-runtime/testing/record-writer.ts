// Persons with a machine each, who sign records for tests: the same ones in every run.
import { formatVersion } from '../core/db/hybrid-clock.ts'
import { signRecord } from '../core/db/signed-record.ts'
import type { HeldRecord, UnsignedRecord } from '../core/db/signed-record.ts'
import { signAttestation } from '../core/forms/attestation.ts'
import type { Attestation } from '../core/forms/attestation.ts'
import { encodeKey, hash, keyPair } from '../core/keys.ts'

export const TEST_CLOUD = encodeKey(hash(Buffer.from('a cloud')))
export const TEST_SYSTEM = encodeKey(hash(Buffer.from('a system')))
/** When everything happens, unless a test says otherwise. */
export const TEST_NOW_MS = 1_790_000_000_000
const YEAR_MS = 365 * 24 * 3_600_000

export interface RecordWriter {
  person: string
  attestation: Attestation
  /** A signed record; what is not given is always the same. */
  record(changes?: Partial<UnsignedRecord>): HeldRecord
}

export function testVersion(counter: number, timeMs = TEST_NOW_MS): string {
  return formatVersion({ timeMs, counter })
}

export function recordWriter(seed: number): RecordWriter {
  const personKeys = keyPair(new Uint8Array(32).fill(seed))
  const machineKeys = keyPair(new Uint8Array(32).fill(seed + 100))
  const person = encodeKey(personKeys.publicKey)
  const attestation = signAttestation(
    {
      person,
      machine: encodeKey(machineKeys.publicKey),
      cloud: TEST_CLOUD,
      sequence: 1,
      expiresMs: TEST_NOW_MS + YEAR_MS,
    },
    personKeys.secretKey,
  )
  const signer = { cloud: TEST_CLOUD, attestation, machineSecretKey: machineKeys.secretKey }
  return {
    person,
    attestation,
    record: (changes = {}) =>
      signRecord(
        {
          system: TEST_SYSTEM,
          collection: 'notes',
          author: person,
          id: 'one',
          version: testVersion(0),
          rule: 'author',
          scope: 'set',
          partition: null,
          schema: null,
          value: { text: 'hello' },
          ...changes,
        },
        signer,
      ),
  }
}
