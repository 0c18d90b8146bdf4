import type { ReactNode } from 'react'
import type { GivenInvitation } from '../../../node-runtime/contract/cloud.ts'
import { useOverlay } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Fingerprint, useCopy } from '../../ui/fingerprint.tsx'
import { TimeLeft, useNowMs } from '../../ui/relative-time.tsx'
import { OVER, stateNow } from './invitation-state.ts'

interface InvitationDialogProps {
  invitation: GivenInvitation
  onClose: () => void
}

/** What to give to whom one invites: a link, or five words. */
export function InvitationDialog({ invitation, onClose }: InvitationDialogProps): ReactNode {
  const { uses, admitted } = invitation
  const state = stateNow(invitation, useNowMs())
  useOverlay(true, 'dims')
  return (
    <Dialog
      title={uses === 1 ? 'An invitation for one person' : `An invitation for ${uses} persons`}
      onClose={onClose}
      actions={
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      }
    >
      {state === 'open' ? (
        <WhatToGive invitation={invitation} />
      ) : (
        <p role="status">
          {OVER[state]} Nobody comes in by it any more: whoever opens it is told so. Make another
          one.
        </p>
      )}
      {admitted.length > 0 && (
        <div className="given">
          <h3>Came in by it</h3>
          <ul className="given-persons">
            {admitted.map((person) => (
              <li key={person}>
                <Fingerprint value={person} what="person key" />
              </li>
            ))}
          </ul>
        </div>
      )}
    </Dialog>
  )
}

function WhatToGive({
  invitation: { link, code, expiresMs },
}: {
  invitation: GivenInvitation
}): ReactNode {
  return (
    <>
      <p className="muted">
        Send the link, or say the words: either is enough. It ends <TimeLeft timeMs={expiresMs} />.
        This machine must be on when somebody uses it.
      </p>
      <div className="given">
        <h3>Link</h3>
        <code className="given-link" aria-label="Link of the invitation">
          {link}
        </code>
        <CopyButton text={link} what="link" />
      </div>
      <div className="given">
        <h3>Five words</h3>
        <p className="given-code" aria-label="Five words of the invitation">
          {code}
        </p>
        <CopyButton text={code} what="words" />
      </div>
    </>
  )
}

function CopyButton({ text, what }: { text: string; what: 'link' | 'words' }): ReactNode {
  const { copy, copied, failed } = useCopy(text)
  return (
    <div className="row">
      <Button onClick={copy}>{copied ? 'Copied' : `Copy the ${what}`}</Button>
      <span role="status" className={failed ? '' : 'visually-hidden'}>
        {copied ? 'Copied' : failed ? 'It could not be copied. Copy it by hand.' : ''}
      </span>
    </div>
  )
}
