// The machines that this one remembers, on disk.
import { rename } from 'node:fs/promises'
import * as z from 'zod'
import { CloudError } from '../../contract/errors.ts'
import { timeMsSchema } from '../../contract/values.ts'
import { signedFormSchema } from '../../core/forms/signed-form.ts'
import type { Log } from '../../ports/log.ts'
import { readJsonFile } from '../../store/json-file.ts'

const fileSchema = z.object({
  /** Of this machine's own last entry. */
  sequence: timeMsSchema,
  machines: z.array(z.object({ form: signedFormSchema, lastSeenMs: timeMsSchema })),
})
export type MachinesFile = z.infer<typeof fileSchema>

/**
 * What was written last; nothing if there is no file yet. A damaged one is moved aside, and said:
 * links bring back what was in it.
 */
export async function readMachines(path: string, log: Log): Promise<MachinesFile> {
  try {
    return (await readJsonFile(path, fileSchema)) ?? { sequence: 0, machines: [] }
  } catch (error) {
    if (!(error instanceof CloudError)) throw error
    const aside = `${path}.damaged`
    await rename(path, aside)
    log.warn('the list of machines was damaged; it is begun anew', { path, aside })
    return { sequence: 0, machines: [] }
  }
}
