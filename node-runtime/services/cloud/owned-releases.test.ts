import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { cloudIdOf, genesisBody } from '../../core/forms/genesis.ts'
import { keyOf, keysOf } from '../../testing/entries.ts'
import { silentLog } from '../../testing/silent-log.ts'
import { AdmissionFile } from './admission-file.ts'
import { OwnedReleases } from './owned-releases.ts'
import { RevokedReleaseNews } from './revoked-release-news.ts'

const DAY_MS = 86_400_000
const genesis = genesisBody({
  name: '',
  admission: { kind: 'release' },
  keys: [keyOf('owner')],
  nonce: '',
})
const cloud = cloudIdOf(genesis)

let folder: string
let nowMs = 1_900_000_000_000
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-releases-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function open({ owner = true } = {}): Promise<OwnedReleases> {
  const file = await AdmissionFile.open(folder, silentLog)
  const keys = { cloud, keys: [keyOf('owner')] }
  const news = new RevokedReleaseNews({
    keys: () => keys,
    keep: (revocations) => file.change({ revocations }),
    grew: () => {},
    nowMs: () => 0,
    log: silentLog,
  })
  for (const form of file.content.revocations) news.take(form, keys)
  const { secretKey } = keysOf('owner')
  return new OwnedReleases({
    cloud,
    owner: () => (owner ? { genesis, signer: keyOf('owner'), secretKey } : null),
    file,
    news,
    now: () => nowMs,
  })
}

it('an owner knows the releases that were made, the newest first, also after a restart', async () => {
  const releases = await open()
  const spring = await releases.make('Spring', nowMs + DAY_MS)
  nowMs += 1
  const summer = await releases.make('Summer', null)
  const known = [
    { release: summer.release, name: 'Summer', madeMs: nowMs, expiresMs: null, state: 'valid' },
    { release: spring.release, name: 'Spring', expiresMs: nowMs - 1 + DAY_MS, state: 'valid' },
  ]
  expect(releases.list()).toMatchObject(known)
  expect((await open()).list()).toMatchObject(known)
  // Who has the file has the release; the folder has not.
  const text = await readFile(join(folder, 'admission.json'), 'utf8')
  expect(text).not.toContain(spring.file.secretKey)
  // Two days more, for clocks that are off.
  nowMs += 4 * DAY_MS
  expect(releases.list().map(({ state }) => state)).toEqual(['valid', 'expired'])
})

it('one is taken back by its key or the name that it alone has', async () => {
  const releases = await open()
  const { release } = await releases.make('Spring', null)
  const twins = [await releases.make('Summer', null), await releases.make('Summer', null)]
  await expect(releases.revoke('Autumn')).rejects.toMatchObject({ code: 'RELEASE_UNKNOWN' })
  await expect(releases.revoke('Summer')).rejects.toMatchObject({
    code: 'RELEASE_UNKNOWN',
    details: { releases: twins.map((twin) => twin.release) },
  })
  expect(await releases.revoke('Spring')).toBe(release)
  expect(await releases.revoke(twins[0]!.release)).toBe(twins[0]!.release)
  // One that was made elsewhere, or by a version that kept none.
  await releases.revoke(keyOf('another'))
  expect((await open()).list()).toMatchObject([
    { name: 'Summer', state: 'valid' },
    { name: 'Summer', state: 'revoked' },
    { name: 'Spring', state: 'revoked' },
    { release: keyOf('another'), name: null, madeMs: null, state: 'revoked' },
  ])
})

it('nobody else makes, lists or takes back any', async () => {
  const releases = await open({ owner: false })
  await expect(releases.make('Spring', null)).rejects.toMatchObject({ code: 'NOT_OWNER' })
  await expect(releases.revoke('Spring')).rejects.toMatchObject({ code: 'NOT_OWNER' })
  expect(() => releases.list()).toThrowError(expect.objectContaining({ code: 'NOT_OWNER' }))
})
