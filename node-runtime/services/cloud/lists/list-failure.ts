// Why a list could not be read or written, in words for people and a reason for programs.
import { CloudError } from '../../../contract/errors.ts'
import type { ListFault } from '../../../core/finding/list-form.ts'

type Reason = ListFault | 'too-large' | 'replayed'

const WORDS: Record<Reason, string> = {
  garbage: 'What lies there is no look-up list, or it is damaged.',
  'other-cloud': 'The list that lies there is of another cloud.',
  'too-new': 'The list there was written by a later version of Dharma.',
  forged: 'The list there was not signed by a key of this cloud.',
  'too-large': 'What lies there is larger than any list may be.',
  replayed: 'The list there is older than one that lay there before: somebody has put it back.',
}

export function invalidList(url: string, reason: Reason): CloudError {
  return new CloudError('LIST_INVALID', `${WORDS[reason]} Nothing of it is used.`, { url, reason })
}

export function missingList(url: string): CloudError {
  return new CloudError('LIST_MISSING', 'There is no look-up list at this address yet.', { url })
}

export function deniedList(url: string, why: string): CloudError {
  return new CloudError('LIST_DENIED', `The list can’t be written: ${why}.`, { url })
}

/** Of a repository that could not be read, what it means for a list. */
export function asListError(url: string, error: unknown): unknown {
  if (!(error instanceof CloudError)) return error
  if (error.code === 'SYSTEM_TOO_LARGE') return invalidList(url, 'too-large')
  if (error.code !== 'REPO_UNREACHABLE') return error
  const message = error.message.replace(/^The repository/, 'The list')
  return new CloudError('LIST_UNREACHABLE', message, error.details, { cause: error })
}

/** Such as `other-cloud` or `dns`. */
export function reasonOf(error: CloudError): string {
  const { reason } = error.details as { reason?: unknown }
  return typeof reason === 'string' ? reason : error.code
}
