// What lets a machine into one cloud, on its disk. Readable only by its owner.
import { join } from 'node:path'
import * as z from 'zod'
import { MAX_CHAIN } from '../../core/admission/admission-form.ts'
import { MAX_REVOKED } from '../../core/admission/revoked-releases.ts'
import { signedFormSchema } from '../../core/forms/signed-form.ts'
import { SerialQueue } from '../../flow/serial-queue.ts'
import type { Log } from '../../ports/log.ts'
import { readJsonFile, writeJsonFile } from '../../store/json-file.ts'

/** Releases that an owner makes: one a day for years. A form takes 600 bytes. */
export const MAX_MADE = 1_000

const fileSchema = z.object({
  nonce: z.string().nullable(),
  /** Of the build that this folder was opened with, or the owner's own. */
  release: z
    .object({ form: signedFormSchema, secretKey: z.string().regex(/^[0-9a-f]{128}$/) })
    .nullable(),
  /** Who let this machine's person in, back to the cloud's key. */
  chain: z.array(signedFormSchema).max(MAX_CHAIN).nullable(),
  /** By whom this machine's person was invited, where the cloud asks for no chain. */
  invitation: signedFormSchema.nullable().default(null),
  /** The same of a person whose this machine was about to become; it counts once they are. */
  next: z.array(signedFormSchema).max(MAX_CHAIN).nullable().default(null),
  revocations: z.array(signedFormSchema).max(MAX_REVOKED),
  /** Releases that its owner made here, without what is secret of them. */
  made: z.array(signedFormSchema).max(MAX_MADE).default([]),
})
export type AdmissionContent = z.infer<typeof fileSchema>

const NOTHING: AdmissionContent = {
  nonce: null,
  release: null,
  chain: null,
  invitation: null,
  next: null,
  revocations: [],
  made: [],
}

export class AdmissionFile {
  readonly #path: string
  #content: AdmissionContent
  readonly #saves = new SerialQueue()

  private constructor(path: string, content: AdmissionContent) {
    this.#path = path
    this.#content = content
  }

  /** @param folder  of the cloud */
  static async open(folder: string, log: Log): Promise<AdmissionFile> {
    const path = join(folder, 'admission.json')
    const content = await readJsonFile(path, fileSchema, {
      evenIfGone: true,
      onFallback: (message) => log.warn(message),
    })
    return new AdmissionFile(path, content ?? NOTHING)
  }

  get content(): AdmissionContent {
    return this.#content
  }

  /** Holds at once; resolves when it is on the disk. */
  async change(change: Partial<AdmissionContent>): Promise<void> {
    this.#content = { ...this.#content, ...change }
    await this.#saves.run(() => writeJsonFile(this.#path, this.#content))
  }

  /** Once all that was changed is on the disk. */
  async close(): Promise<void> {
    await this.#saves.run(async () => {})
  }
}
