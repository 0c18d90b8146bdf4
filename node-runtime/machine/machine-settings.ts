// What the person has set of this machine itself, whichever cloud it is in.
import { join } from 'node:path'
import * as z from 'zod'
import { readJsonFile, writeJsonFile } from '../store/json-file.ts'

const fileSchema = z.object({
  /** Is the router asked for a port? */
  portMapping: z.boolean().default(true),
  /** May all of a cloud see who invited its person, and whom it let in, where those agree, too? */
  showsInvitations: z.boolean().default(false),
})
type SettingsFile = z.infer<typeof fileSchema>

export class MachineSettings {
  readonly #path: string
  #file: SettingsFile

  private constructor(path: string, file: SettingsFile) {
    this.#path = path
    this.#file = file
  }

  /** @throws CloudError DATA_DAMAGED, FOLDER_UNUSABLE */
  static async open(
    dataDir: string,
    onFallback: (words: string) => void,
  ): Promise<MachineSettings> {
    const path = join(dataDir, 'settings.json')
    const file = await readJsonFile(path, fileSchema, { onFallback })
    return new MachineSettings(path, file ?? fileSchema.parse({}))
  }

  get portMapping(): boolean {
    return this.#file.portMapping
  }

  get showsInvitations(): boolean {
    return this.#file.showsInvitations
  }

  /** It is on the disk when the promise resolves. @throws CloudError DISK_FULL, DISK_FAILED */
  async set(change: Partial<SettingsFile>): Promise<void> {
    const file = { ...this.#file, ...change }
    await writeJsonFile(this.#path, file)
    this.#file = file
  }
}
