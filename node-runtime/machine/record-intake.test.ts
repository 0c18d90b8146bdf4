import { expect, it } from 'vitest'
import { MAX_DRIFT_MS } from '../core/db/hybrid-clock.ts'
import { assembleRecord, encodeRecord } from '../core/db/signed-record.ts'
import type { HeldRecord } from '../core/db/signed-record.ts'
import { verify } from '../core/keys.ts'
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

function open(heldId?: Uint8Array) {
  const store = new MemoryRecordStore()
  store.now = () => TEST_NOW_MS
  const announced: string[] = []
  const intake = new RecordIntake({
    store,
    cloud: TEST_CLOUD,
    verifier: {
      verify: (checks) =>
        Promise.resolve(checks.map((one) => verify(one.message, one.signature, one.publicKey))),
    },
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
