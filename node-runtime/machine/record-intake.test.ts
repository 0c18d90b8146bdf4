import { expect, it, vi } from 'vitest'
import { MAX_DRIFT_MS } from '../core/db/hybrid-clock.ts'
import { assembleRecord, encodeRecord, signRecord } from '../core/db/signed-record.ts'
import type { HeldRecord, RecordSigner } from '../core/db/signed-record.ts'
import { MAX_ATTESTATION_BODY_BYTES, signAttestation } from '../core/forms/attestation.ts'
import { encodeKey, hash, keyPair, verify } from '../core/keys.ts'
import type { Verifier } from '../ports/verifier.ts'
import { MemoryRecordStore } from '../testing/memory-record-store.ts'
import { recordWriter, TEST_CLOUD, TEST_NOW_MS, testVersion } from '../testing/record-writer.ts'
import { silentLog } from '../testing/silent-log.ts'
import { RecordIntake } from './record-intake.ts'

const anna = recordWriter(1)
const ben = recordWriter(2)
const good = anna.record()
const future = anna.record({ id: 'two', version: testVersion(0, TEST_NOW_MS + MAX_DRIFT_MS + 1) })
const soon = anna.record({ id: 'three', version: testVersion(0, TEST_NOW_MS + MAX_DRIFT_MS) })
const inBensName = anna.record({ id: 'four', author: ben.person })
const unsigned = assembleRecord(
  good.body,
  good.signatures.map(({ attestation }) => ({ attestation, signature: new Uint8Array(64) })),
) as HeldRecord

const verifyAll: Verifier['verify'] = (checks) =>
  Promise.resolve(checks.map((one) => verify(one.message, one.signature, one.publicKey)))

function open(heldId?: Uint8Array, verifier = verifyAll) {
  const store = new MemoryRecordStore()
  store.now = () => TEST_NOW_MS
  const announced: string[] = []
  const intake = new RecordIntake({
    store,
    cloud: TEST_CLOUD,
    verifier: { verify: verifier },
    isHeld: ({ id }) => heldId !== undefined && Buffer.from(heldId).toString('hex') === id,
    now: () => TEST_NOW_MS,
    log: silentLog,
  })
  const take = (records: readonly HeldRecord[], forms = [anna.attestation.form]) =>
    intake.take(
      forms,
      records.map((record) => encodeRecord(record)),
      (items) => announced.push(...items.map(({ id }) => id)),
    )
  return { store, intake, take, announced }
}

it('a record that holds is held, and one from the future is said to be that', async () => {
  const { take, store, announced } = open()
  expect(await take([good, future, soon])).toEqual(['held', 'future', 'held'])
  expect(store.count).toBe(2)
  expect(announced).toHaveLength(3)
})

it('what was not signed by its author, or by nobody, is forged, and is not written', async () => {
  const { take, store, announced } = open()
  expect(await take([unsigned, inBensName, good])).toEqual(['forged', 'forged', 'held'])
  expect(store.count).toBe(1)
  expect(announced).toHaveLength(1)
})

it('what is no record is forged, and so is what names an attestation that nobody knows', async () => {
  const { take, intake, store } = open()
  const noise = [Uint8Array.of(1, 2, 3)]
  expect(await intake.take([], noise, () => {})).toEqual(['forged'])
  expect(await take([good], [ben.attestation.form])).toEqual(['forged'])
  expect(store.count).toBe(0)
  await take([good])
  expect(await take([anna.record({ id: 'five' })], [])).toEqual(['held'])
})

it('what is held already is not looked at again', async () => {
  const { take, store } = open(good.id32)
  expect(await take([good])).toEqual(['held'])
  expect(store.count).toBe(0)
})

it('when nothing can be written, what came is not there', async () => {
  const { take, store } = open()
  store.failure = new Error('the disk is full')
  expect(await take([good, future])).toEqual(['unavailable', 'unavailable'])
})

/** The person with that number, who attests one machine, in so many words. */
function writerOf(number: number, note = ''): RecordSigner {
  const person = keyPair(hash(Buffer.from(`person ${number}`)))
  const { machine, expiresMs } = anna.attestation
  const statement = { cloud: TEST_CLOUD, machine, expiresMs, sequence: 1, note }
  return {
    cloud: TEST_CLOUD,
    attestation: signAttestation(
      { ...statement, person: encodeKey(person.publicKey) },
      person.secretKey,
    ),
    machineSecretKey: keyPair(new Uint8Array(32).fill(101)).secretKey,
  }
}

function recordBy(signer: RecordSigner): HeldRecord {
  return signRecord({ ...good.header, author: signer.attestation.person, value: 'x' }, signer)
}

it('a record whose attestation is too long is over a limit, and that is not kept at hand', async () => {
  const { take, intake, store } = open()
  const bare = writerOf(0).attestation.form.body.length
  const fitting = writerOf(0, 'x'.repeat(MAX_ATTESTATION_BODY_BYTES - bare))
  const { attestation } = writerOf(0, 'x'.repeat(MAX_ATTESTATION_BODY_BYTES - bare + 1))
  const tooLong = recordBy({ ...fitting, attestation })
  expect(await take([tooLong], [attestation.form])).toEqual(['over-limit'])
  expect(store.count).toBe(0)
  expect(intake.formOf(attestation.hash)).toBeUndefined()
  expect(await take([recordBy(fitting)], [fitting.attestation.form])).toEqual(['held'])
  expect(store.count).toBe(1)
})

it('a record is forged, not over a limit, unless all that it names is signed', async () => {
  const { take, store } = open()
  const { attestation, ...signer } = writerOf(0, 'x'.repeat(MAX_ATTESTATION_BODY_BYTES))
  const tooLong = recordBy({ ...signer, attestation })
  const seals = [{ attestation: attestation.hash, signature: new Uint8Array(64) }]
  const unsigned = assembleRecord(tooLong.body, seals) as HeldRecord
  const { body } = attestation.form
  const invented = { body, signature: '00'.repeat(64) }
  const inAnother = signRecord(
    { ...good.header, author: ben.person, value: 'x' },
    { ...signer, attestation },
  )
  expect(await take([unsigned, inAnother], [attestation.form])).toEqual(['forged', 'forged'])
  expect(await take([tooLong], [invented])).toEqual(['forged'])
  expect(store.count).toBe(0)
})

it('a record is written with its attestation, whoever else comes meanwhile', async () => {
  let goOn = () => {}
  const waiting = new Promise<void>((resolve) => void (goOn = resolve))
  let verifications = 0
  const { take, intake, store } = open(undefined, async (checks) => {
    verifications += 1
    if (verifications === 1) await waiting
    return checks.map(() => true)
  })
  const first = take([good])
  await vi.waitFor(() => expect(verifications).toBe(1))
  // As many attestations as are kept at hand.
  const others = Array.from({ length: 4096 }, (_, i) => writerOf(i))
  await take(
    others.map(recordBy),
    others.map(({ attestation }) => attestation.form),
  )
  expect(intake.formOf(anna.attestation.hash)).toBeUndefined()
  goOn()
  expect(await first).toEqual(['held'])
  expect(await store.attestation(anna.attestation.hash)).toEqual(anna.attestation.form)
})
