import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MAX_DRIFT_MS } from '../core/db/hybrid-clock.ts'
import { RECORD_RULES, signRecord } from '../core/db/signed-record.ts'
import type { HeldRecord } from '../core/db/signed-record.ts'
import { MAX_ATTESTATION_BODY_BYTES, signAttestation } from '../core/forms/attestation.ts'
import type { Attestation } from '../core/forms/attestation.ts'
import { keyPair } from '../core/keys.ts'
import { TEST_CLOUD, TEST_NOW_MS, recordWriter, testVersion } from '../testing/record-writer.ts'
import { silentLog } from '../testing/silent-log.ts'
import { decodeRow, kindRange, META_KEY, seal, unseal } from './index-rows.ts'
import { openClassicLevel } from './index-opening.ts'
import { IndexedRecords } from './indexed-records.ts'

const anna = recordWriter(1)
const fat = fatAttestation()
const good = anna.record({ id: 'good' })
const unfit = recordOf('unfit')
const unfitLater = recordOf('later', testVersion(0, TEST_NOW_MS + MAX_DRIFT_MS + 1))
const nameless = recordWriter(9).record({ id: 'nameless' })

let folder: string
let nowMs: number
let opened: IndexedRecords[] = []

beforeEach(async () => {
  nowMs = TEST_NOW_MS
  folder = await mkdtemp(join(tmpdir(), 'dharma-rules-'))
})

afterEach(async () => {
  for (const store of opened) await store.close()
  opened = []
  await rm(folder, { recursive: true, force: true })
})

/** One that versions before there was a limit took in. */
function fatAttestation(): Attestation {
  const { form: _form, hash: _hash, ...statement } = anna.attestation
  const note = 'x'.repeat(MAX_ATTESTATION_BODY_BYTES)
  return signAttestation(
    { ...statement, ...{ note } },
    keyPair(new Uint8Array(32).fill(1)).secretKey,
  )
}

function recordOf(id: string, version = testVersion(0)): HeldRecord {
  const { header } = anna.record({ id, version })
  const machineSecretKey = keyPair(new Uint8Array(32).fill(101)).secretKey
  const signer = { cloud: TEST_CLOUD, attestation: fat, machineSecretKey }
  return signRecord({ ...header, value: 'x' }, signer)
}

async function open() {
  const looked: number[] = []
  const { store, putAside, damage } = await IndexedRecords.open({
    folder,
    cloud: TEST_CLOUD,
    log: silentLog,
    nowMs: () => nowMs,
    progress: (rows) => looked.push(rows),
  })
  expect(damage).toBeNull()
  opened.push(store)
  return { store, putAside, looked }
}

async function close(store: IndexedRecords): Promise<void> {
  opened = opened.filter((each) => each !== store)
  await store.close()
}

async function put(store: IndexedRecords, ...records: HeldRecord[]): Promise<void> {
  await store.accept({
    records: records.map((record) => ({ record, verdict: 'good' })),
    attestations: [anna.attestation, fat],
  })
}

/** As a version leaves it that knows nothing of rules. */
async function forgetRules(): Promise<void> {
  const level = await openClassicLevel(folder)
  const meta = unseal(META_KEY, (await level.get(META_KEY)) as Buffer) as Buffer
  const { rules, ...rest } = JSON.parse(meta.toString()) as { rules: number }
  expect(rules).toBe(RECORD_RULES)
  await level.put(META_KEY, seal(META_KEY, Buffer.from(JSON.stringify(rest))))
  await level.close()
}

async function unfitOnDisk(): Promise<string[]> {
  const level = await openClassicLevel(folder)
  const rows = await level.iterator(kindRange('unfit')).all()
  await level.close()
  return rows.map(([key, value]) => decodeRow(unseal(key, value) as Buffer).record.header.id)
}

async function idsOf(store: IndexedRecords): Promise<(string | undefined)[]> {
  const ids: (string | undefined)[] = []
  for await (const items of store.order()) {
    ids.push(...(await store.byId32(items)).map((stored) => stored?.record.header.id))
  }
  return ids
}

describe('records that held by the rules of an older version', () => {
  it('and do not by those of today are neither read nor compared, and stay on the disk', async () => {
    const { store } = await open()
    await put(store, good, unfit, unfitLater, nameless)
    await close(store)
    await forgetRules()
    const again = await open()
    expect(again.putAside).toBe(3)
    expect(again.store.count).toBe(1)
    expect(await idsOf(again.store)).toEqual(['good'])
    expect(await again.store.get(unfit.header)).toBeUndefined()
    nowMs += MAX_DRIFT_MS
    expect((await again.store.releaseDue()).merged).toEqual([])
    await close(again.store)
    expect((await unfitOnDisk()).sort()).toEqual(['later', 'nameless', 'unfit'])
  })

  it('are looked through once', async () => {
    const { store, looked } = await open()
    expect(looked).toEqual([])
    await put(store, good, unfit)
    await close(store)
    await forgetRules()
    const again = await open()
    expect(again.looked).toEqual([2])
    await close(again.store)
    const third = await open()
    expect([third.looked, third.putAside, third.store.count]).toEqual([[], 0, 1])
  })

  it('keep no place from one that holds, whatever its version', async () => {
    const { store } = await open()
    await put(store, recordOf('good', testVersion(5)))
    await close(store)
    await forgetRules()
    const again = await open()
    await put(again.store, good)
    expect(await idsOf(again.store)).toEqual(['good'])
    expect(again.store.count).toBe(1)
  })
})
