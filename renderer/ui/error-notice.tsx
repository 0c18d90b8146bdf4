import { TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import type { CloudError, ErrorCode } from '../../node-runtime/contract/errors.ts'
import { toCloudError } from '../client/cloud-error.ts'
import './error-notice.css'

interface Advice {
  title: string
  /** Left out where the message says it. */
  advice?: string
}

/** What happened, in a few words, and what can be done. The message in between is the error's own. */
const ADVICE: Partial<Record<ErrorCode, Advice>> = {
  BAD_INPUT: { title: 'That does not fit', advice: 'Look at what was put in, and try again.' },
  FORBIDDEN: { title: 'Not allowed', advice: 'Permissions are given on the Systems page.' },
  UNAUTHENTICATED: {
    title: 'This page may not speak for you',
    advice: 'Open Dharma again with the address it printed when it was started.',
  },
  TIMEOUT: { title: 'It took too long', advice: 'The other side may be busy. Try again.' },
  UNAVAILABLE: {
    title: 'This machine does not answer',
    advice: 'The connection is being tried again by itself. Then repeat what you did.',
  },
  PEER_UNREACHABLE: {
    title: 'The other machine cannot be reached',
    advice: 'It may be off. It goes on by itself when the machine is back.',
  },
  FOLDER_IN_USE: {
    title: 'The data folder is in use',
    advice: 'Another Dharma runs on it. Close that one first.',
  },
  FOLDER_UNUSABLE: {
    title: 'The folder cannot be used',
    advice: 'Give yourself permission for it, or start Dharma on another folder.',
  },
  INTERNAL: {
    title: 'Something went wrong inside Dharma',
    advice: 'This is our mistake, not yours. The log in the data folder has the details.',
  },
  IDENTITY_PHRASE_INVALID: { title: 'These are not the words of a recovery phrase' },
  IDENTITY_PHRASE_OTHER: { title: 'This is the phrase of another person' },
  IDENTITY_PHRASE_KEPT: { title: 'A recovery phrase would be deleted' },
  IDENTITY_PHRASE_NEEDED: { title: 'Your recovery phrase is needed' },
  IDENTITY_ATTESTATION_INVALID: { title: 'This attestation is not for this machine' },
  CLOUD_KEY_INVALID: {
    title: 'This is not the key of a cloud',
    advice: 'On a machine of that cloud, the Home page copies it.',
  },
  LIST_URL_INVALID: { title: 'This is not the address of a list' },
  LIST_MISSING: {
    title: 'There is no list there',
    advice: 'The machine that began the cloud can begin one, if it may push to the repository.',
  },
  LIST_UNREACHABLE: {
    title: 'The list cannot be reached',
    advice: 'Check the address and your connection to the internet, then try again.',
  },
  LIST_INVALID: { title: 'This is no list of this cloud' },
  LIST_DENIED: {
    title: 'This machine may not write there',
    advice: 'Put in the name and the token of somebody who may push to the repository.',
  },
  LIST_CONFLICT: { title: 'The list could not be written' },
  LIST_NO_KEY: { title: 'This machine did not begin the cloud' },
  INVITATION_INVALID: { title: 'No way in by this invitation' },
  LIMIT_REACHED: {
    title: 'No more than that',
    advice: 'Take back what is not needed any more, such as an open invitation, and try again.',
  },
  NOT_OWNER: {
    title: 'Only the cloud’s owner may do that',
    advice: 'Do it on the machine that began the cloud, or ask whoever has that machine.',
  },
  RELEASE_FILE_INVALID: {
    title: 'This is no release file',
    advice: 'Ask the owner of the cloud for the file again, and choose it whole.',
  },
  TOO_BUSY: { title: 'This machine is busy', advice: 'Wait a moment, then try again.' },
  DISK_FULL: {
    title: 'The disk is full',
    advice: 'Make room on it; what waits is then written by itself.',
  },
  CLOCK_OFF: {
    title: 'This computer’s clock is wrong',
    advice: 'Set the time of the computer, or have it set by itself, then try again.',
  },
  LIST_UNKNOWN: {
    title: 'This list is not known here',
    advice: 'Add its address under “This cloud” in Settings.',
  },
  REPO_URL_INVALID: { title: 'This is not the address of a repository' },
  REPO_UNREACHABLE: {
    title: 'The repository cannot be reached',
    advice: 'Check the address and your connection to the internet, then try again.',
  },
  REPO_COMMIT_NOT_FOUND: {
    title: 'The repository has changed meanwhile',
    advice: 'Look at it again: the preview then shows what is there now.',
  },
  MANIFEST_MISSING: {
    title: 'This repository is not a system',
    advice: 'A system has a file named dharma.json at the top of its repository.',
  },
  MANIFEST_INVALID: {
    title: 'The manifest of this system has a mistake',
    advice: 'Only its author can repair it. The message above is what the author needs.',
  },
  SYSTEM_TOO_LARGE: {
    title: 'This system is too large',
    advice: 'Its author can make it smaller, or leave large files out of the repository.',
  },
  SYSTEM_SIGNATURE_INVALID: {
    title: 'The publisher’s signature does not hold',
    advice: 'Do not install it. Its author can sign it again with "dharma system sign".',
  },
  SYSTEM_KEYS_FORKED: { title: 'Two keys claim to be the publisher’s' },
  SYSTEM_PUBLISHER_UNKNOWN: { title: 'Nothing is known of this publisher' },
  SYSTEM_ID_AMBIGUOUS: {
    title: 'Several systems have this id',
    advice: 'Choose the one you mean on the Systems page.',
  },
  SYSTEM_NOT_INSTALLED: {
    title: 'This system is not installed',
    advice: 'Install it from its repository first.',
  },
  SYSTEM_GRANT_INVALID: {
    title: 'The system does not ask for that',
    advice: 'Look at the permissions again and choose from those it names.',
  },
  TAB_ADDRESS_INVALID: {
    title: 'This address cannot be opened',
    advice: 'Look at its spelling.',
  },
  TAB_UNKNOWN: { title: 'The tab is gone', advice: 'Open its address in a new tab.' },
}

interface ErrorNoticeProps {
  error: unknown
  /** What can be done here, where that is not what can be done in general. */
  advice?: string
  /** What offers to do something about it. */
  action?: ReactNode
}

const FOLDER: Advice = {
  title: 'There is no repository in that folder',
  advice: 'Check the path. The folder needs to be a git repository with a commit.',
}
const FAILED: Advice = { title: 'That did not work' }

function adviceFor({ code, kind, details }: CloudError): Advice {
  if (code === 'REPO_UNREACHABLE' && isFileUrl(details)) return FOLDER
  const mayPass = kind === 'environment' || kind === 'internal'
  return ADVICE[code] ?? (mayPass ? { ...FAILED, advice: 'Try again in a moment.' } : FAILED)
}

function isFileUrl(details: unknown): boolean {
  const { url } = (details ?? {}) as { url?: unknown }
  return typeof url === 'string' && url.startsWith('file:')
}

/** An error where it happened: what happened, what it means, what can be done. */
export function ErrorNotice({ error, advice: own, action }: ErrorNoticeProps): ReactNode {
  const failure = toCloudError(error)
  const { code, message } = failure
  const { title, advice: general } = adviceFor(failure)
  const advice = own ?? general
  return (
    <div className="error-notice" role="alert">
      <TriangleAlert aria-hidden="true" />
      <div>
        <strong>{title}</strong>
        <p>{message}</p>
        {advice !== undefined && <p className="muted">{advice}</p>}
        <code className="error-code">{code}</code>
        {action !== undefined && <div className="error-action">{action}</div>}
      </div>
    </div>
  )
}
