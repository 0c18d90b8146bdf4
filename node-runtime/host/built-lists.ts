// Look-up lists that a build carries, with what is needed to write to them: for builds that their owner keeps.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { builtListsSchema } from '../contract/lists.ts'
import type { BuiltLists } from '../contract/lists.ts'
import { CloudError } from '../contract/errors.ts'
import { readJson } from '../core/json-text.ts'
import { placeError } from '../store/folder-place.ts'
import { LISTS_FILE } from './places.ts'

const MAX_BYTES = 65_536

/** Of this build, if it was made with some. @throws CloudError LISTS_FILE_INVALID, FOLDER_UNUSABLE */
export async function builtLists(path = LISTS_FILE): Promise<BuiltLists | undefined> {
  if (!existsSync(path)) return undefined
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw placeError(error, path) ?? error
  })
  const lists = text.length > MAX_BYTES ? null : readJson(text, builtListsSchema)
  if (lists !== null) return lists
  // What is in it is secret, and not repeated.
  throw new CloudError(
    'LISTS_FILE_INVALID',
    `${path} is not what "dharma list bake" writes. Make the build anew.`,
    { path },
  )
}
