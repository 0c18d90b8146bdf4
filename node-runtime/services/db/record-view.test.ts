import { expect, test } from 'vitest'
import { assembleRecord, cosign, cosignedBody } from '../../core/db/signed-record.ts'
import {
  fitsRecords,
  MAX_ATTESTATION_BODY_BYTES,
  signAttestation,
} from '../../core/forms/attestation.ts'
import { encodeKey, hash, keyPair } from '../../core/keys.ts'
import { proveRecord, shownBytes, viewRecord } from './record-view.ts'

const CLOUD = encodeKey(hash(Buffer.from('a cloud')))
const SYSTEM = encodeKey(hash(Buffer.from('a system')))

/** Its attestation is as long as may be, and what it has too much takes twice the room as text in text. */
function longSigner(seed: number) {
  const { publicKey, secretKey } = keyPair(new Uint8Array(32).fill(seed))
  const key = encodeKey(publicKey)
  const statement = { person: key, machine: key, cloud: CLOUD, sequence: 1, expiresMs: 1 }
  const attest = (note: string) => signAttestation({ ...statement, ...{ note } }, secretKey)
  const left = MAX_ATTESTATION_BODY_BYTES - Buffer.byteLength(attest('').form.body)
  const attestation = attest('\\'.repeat(Math.floor(left / 2)))
  return { cloud: CLOUD, attestation, machineSecretKey: secretKey }
}

test('a record with its proof takes no more than was reckoned, however its attestations are padded', () => {
  const signers = Array.from({ length: 64 }, (_, seed) => longSigner(seed))
  for (const { attestation } of signers) expect(fitsRecords(attestation.form)).toBe(true)
  const body = cosignedBody(
    {
      system: SYSTEM,
      collection: 'deals',
      id: 'deal',
      version: '01a0b2c3d4e5-0000',
      scope: 'set',
      partition: null,
      schema: null,
      value: 'a price',
    },
    signers.map(({ attestation }) => attestation.person),
  )
  const record = assembleRecord(
    body,
    signers.map((signer) => cosign(body, signer)),
  )!
  const forms = signers.map(({ attestation }) => attestation.form)
  const shown = JSON.stringify({ ...viewRecord(record), proof: proveRecord(record, forms) })
  expect(shown.length).toBeLessThanOrEqual(shownBytes(record, true))
})
