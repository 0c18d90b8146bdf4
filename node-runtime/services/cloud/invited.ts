// What a person put in to join a cloud, read.
import { CloudError } from '../../contract/errors.ts'
import { readJoinText } from '../../contract/join-text.ts'
import type { JoinText } from '../../contract/join-text.ts'
import { decodeInvitation } from '../../core/admission/invitation.ts'
import type { InvitationSecret } from '../../core/admission/invitation.ts'
import { seedOfCode, unknownWordOf } from './invitation-code.ts'

/** @throws CloudError CLOUD_KEY_INVALID */
export function readWanted(text: string): JoinText {
  const read = readJoinText(text)
  if ('kind' in read) return read
  throw new CloudError('CLOUD_KEY_INVALID', read.fault, { length: text.length })
}

/** @throws CloudError INVITATION_INVALID */
export async function secretOf(
  wanted: Exclude<JoinText, { kind: 'cloud' }>,
): Promise<InvitationSecret> {
  if (wanted.kind === 'code') {
    const unknown = unknownWordOf(wanted.words)
    if (unknown === null) return { seed: await seedOfCode(wanted.words), addresses: [] }
    throw new CloudError(
      'INVITATION_INVALID',
      `No code of an invitation has the word “${unknown}”. Compare it with the one you were given.`,
      { word: unknown },
    )
  }
  const secret = decodeInvitation(wanted.invitation)
  if (secret !== null) return secret
  throw new CloudError(
    'INVITATION_INVALID',
    'This link is not whole, or a letter of it is wrong. Copy it again.',
  )
}
