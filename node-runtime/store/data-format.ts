// Which version's layout a data folder has, so that an older version does not misread a newer one's.
import { join } from 'node:path'
import * as z from 'zod'
import { CloudError } from '../contract/errors.ts'
import { readJsonFile, writeJsonFile } from './json-file.ts'

/** Grows when an older version would misread what this one writes. Version 0.1 noted none. */
const DATA_FORMAT = 2
const FORMAT_NAME = 'format.json'

const formatSchema = z.object({ format: z.number().int() })

/**
 * Makes sure that this version may use a data folder, and notes that it does.
 * @throws CloudError DATA_TOO_NEW
 */
export async function claimDataFormat(dataDir: string): Promise<void> {
  const path = join(dataDir, FORMAT_NAME)
  const known = await readJsonFile(path, formatSchema)
  if (known !== null && known.format > DATA_FORMAT) {
    throw new CloudError(
      'DATA_TOO_NEW',
      `The folder ${dataDir} was written by a newer version of Dharma. Install that one, or choose another folder.`,
      { dataDir, format: known.format, supported: DATA_FORMAT },
    )
  }
  if (known?.format !== DATA_FORMAT) await writeJsonFile(path, { format: DATA_FORMAT })
}
