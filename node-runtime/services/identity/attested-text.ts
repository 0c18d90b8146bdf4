// What a person brings from one of their machines to another: the attestation, and how they came into the cloud if
// it is by invitation. One word, so that it survives any shell, chat and line end.
import * as z from 'zod'
import { attestedWordOf } from '../../contract/attested-text.ts'
import { CloudError } from '../../contract/errors.ts'
import { MAX_CHAIN } from '../../core/admission/admission-form.ts'
import { signedFormSchema } from '../../core/forms/signed-form.ts'

const attestedSchema = z.object({
  attestation: signedFormSchema,
  /** The person's; null where the cloud asks for none, or it would not hold for this person. */
  chain: z.array(signedFormSchema).max(MAX_CHAIN).nullable(),
})
type Attested = z.infer<typeof attestedSchema>

export function writeAttested(attested: Attested): string {
  return Buffer.from(JSON.stringify(attested), 'utf8').toString('base64url')
}

/**
 * @param pasted  the word, or what was printed around it: see `attestedWordOf`
 * @throws CloudError IDENTITY_ATTESTATION_INVALID if it was not all copied, or is something else
 */
export function readAttested(pasted: string): Attested {
  const word = attestedWordOf(pasted) ?? ''
  try {
    return attestedSchema.parse(JSON.parse(Buffer.from(word, 'base64url').toString('utf8')))
  } catch {
    // Neither the syntax of JSON nor the names of fields help who copied a word.
    throw new CloudError(
      'IDENTITY_ATTESTATION_INVALID',
      'This is not what the other machine gave out, or not all of it. Copy it again, from its beginning to its end.',
      { chars: pasted.length },
    )
  }
}
