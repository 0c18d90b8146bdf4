// A page that is open while a person revokes one of their machines, and then says that more of what it wrote stays.
import { expect, test } from '@playwright/test'
import * as z from 'zod'
import { formatVersion } from '../node-runtime/core/db/hybrid-clock.ts'
import { signRecord } from '../node-runtime/core/db/signed-record.ts'
import { openAttestation } from '../node-runtime/core/forms/attestation.ts'
import { encodeKey, keyPair } from '../node-runtime/core/keys.ts'
import { proveRecord, viewRecord } from '../node-runtime/services/db/record-view.ts'
import { readAttested } from '../node-runtime/services/identity/attested-text.ts'
import { goTo, systemPage } from './support/app-window.ts'
import { startPlainMachine } from './support/plain-system.ts'
import type { PlainMachine } from './support/plain-system.ts'

const NOTES = 'org.example.notes'
const PHONE = keyPair(new Uint8Array(32).fill(9))

const attestedSchema = z.object({ person: z.string(), cloud: z.string(), text: z.string() })

let plain: PlainMachine

test.beforeAll(async () => {
  plain = await startPlainMachine()
})
test.afterAll(async () => {
  await plain.close()
})

test('the records of a machine leave an open page when it is revoked, and come again when they count again', async () => {
  const { repositories, window } = plain
  const url = repositories.urlOf('notes')
  const commit = await repositories.commitOf('notes')
  await window.call('systems.install', { url, commit, grant: ['db'] })
  await goTo(window, `cloud://${NOTES}/`)
  const page = await systemPage(window, NOTES)
  const texts = page.getByRole('listitem').locator('span:not(.d-hidden)')
  await page.getByRole('textbox', { name: 'New note' }).fill('from here')
  await page.getByRole('button', { name: 'Add' }).click()
  await expect(texts).toHaveText(['from here'])

  // The phone is off: what it wrote came by hand.
  const machine = encodeKey(PHONE.publicKey)
  const attested = attestedSchema.parse(await window.call('identity.attest', { machine }))
  const { person, cloud } = attested
  const attestation = openAttestation(readAttested(attested.text).attestation, cloud)!
  const writtenMs = Date.now()
  const record = signRecord(
    {
      system: new URL(page.url()).host,
      collection: 'notes',
      author: person,
      id: '~from the phone',
      version: formatVersion({ timeMs: writtenMs, counter: 0 }),
      rule: 'author',
      scope: 'set',
      partition: null,
      schema: null,
      value: { text: 'from the phone' },
    },
    { cloud, attestation, machineSecretKey: PHONE.secretKey },
  )
  const shown = { ...viewRecord(record), proof: proveRecord(record, [attestation.form]) }
  await window.call('db.import', { records: [shown] })
  await expect(texts).toHaveText(['from here', 'from the phone'])

  // Whatever the page is shown from now on, it is not loaded anew.
  await page.evaluate(() => Object.assign(globalThis, { isSame: true }))
  await window.call('identity.revoke', { machine, keepUntilMs: null })
  await expect(texts).toHaveText(['from here'])
  await window.call('identity.revoke', { machine, keepUntilMs: writtenMs })
  await expect(texts).toHaveText(['from here', 'from the phone'])
  expect(await page.evaluate(() => 'isSame' in globalThis)).toBe(true)
})
