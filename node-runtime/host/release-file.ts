// `--release`, or what a build carries: what lets a machine into a cloud of releases.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { releaseFileSchema } from '../contract/cloud.ts'
import type { ReleaseFile } from '../contract/cloud.ts'
import { CloudError } from '../contract/errors.ts'
import { openRelease } from '../core/admission/release-form.ts'
import { cloudIdOf, openGenesis } from '../core/forms/genesis.ts'
import { readJson } from '../core/json-text.ts'
import { placeError } from '../store/folder-place.ts'
import { RELEASE_FILE } from './places.ts'

/** One of today has 1,600 bytes. */
const MAX_BYTES = 65_536

/** @throws CloudError RELEASE_FILE_INVALID, FOLDER_UNUSABLE */
export async function readReleaseFile(path: string): Promise<ReleaseFile> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw invalid(path, 'There is no such file.')
    throw placeError(error, path) ?? error
  })
  if (text.length > MAX_BYTES) throw invalid(path, 'It is too long.')
  const file = readJson(text, releaseFileSchema)
  if (file === null) throw invalid(path, 'It is not what "dharma cloud release" writes.')
  const cloud = cloudIdOf(file.genesis)
  const keys = openGenesis(file.genesis, cloud)?.keys ?? []
  if (openRelease(file.release, { cloud, keys }) === null) {
    throw invalid(path, 'The key of its cloud did not sign it.')
  }
  return file
}

/** Of this build, if it was made with one. @throws CloudError RELEASE_FILE_INVALID */
export async function bakedRelease(): Promise<ReleaseFile | undefined> {
  return existsSync(RELEASE_FILE) ? readReleaseFile(RELEASE_FILE) : undefined
}

function invalid(path: string, why: string): CloudError {
  return new CloudError(
    'RELEASE_FILE_INVALID',
    `${path} can’t be taken as a release file: ${why}`,
    { path },
  )
}
