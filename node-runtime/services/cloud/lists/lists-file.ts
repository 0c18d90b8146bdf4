// The look-up lists of one cloud, on the disk: their addresses, and who may write there. Readable only by its owner.
import { rename } from 'node:fs/promises'
import * as z from 'zod'
import { CloudError } from '../../../contract/errors.ts'
import { timeMsSchema } from '../../../contract/values.ts'
import { MAX_LIST_URL_CHARS } from '../../../core/finding/list-address.ts'
import type { Log } from '../../../ports/log.ts'
import { readJsonFile, writeJsonFile } from '../../../store/json-file.ts'

/** Each is asked by every machine that knows it. */
export const MAX_LISTS = 16

const accessSchema = z.object({
  username: z.string().max(200),
  secret: z.string().max(8_000),
  /** Where it is readable: by whoever has this file, or with the system's key store. */
  kept: z.enum(['plain', 'sealed']),
})

const fileSchema = z.object({
  lists: z
    .array(
      z.object({
        url: z.string().max(MAX_LIST_URL_CHARS),
        /** Does this machine write to it by itself? */
        keeps: z.boolean(),
        access: accessSchema.nullable(),
        /** Of the newest manifest that was there: an older one was put back by somebody. */
        sequence: timeMsSchema,
      }),
    )
    .max(MAX_LISTS),
})
export type KeptList = z.infer<typeof fileSchema>['lists'][number]

/** None if there is no file yet; a damaged one is moved aside. */
export async function readListsFile(path: string, log: Log): Promise<KeptList[]> {
  try {
    return (await readJsonFile(path, fileSchema))?.lists ?? []
  } catch (error) {
    if (!(error instanceof CloudError) || error.code !== 'DATA_DAMAGED') throw error
    const aside = `${path}.damaged`
    await rename(path, aside)
    log.warn('the addresses of look-up lists were damaged; they are begun anew', { path, aside })
    return []
  }
}

export function writeListsFile(path: string, lists: readonly KeptList[]): Promise<void> {
  return writeJsonFile(path, { lists })
}
