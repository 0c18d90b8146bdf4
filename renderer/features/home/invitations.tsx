import { useState } from 'react'
import type { ReactNode } from 'react'
import type { GivenInvitation } from '../../../node-runtime/contract/cloud.ts'
import { useClient, useShell } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { RelativeTime, TimeLeft, useNowMs } from '../../ui/relative-time.tsx'
import { InvitationDialog } from './invitation-dialog.tsx'
import { stateNow } from './invitation-state.ts'
import { NewInvitation } from './new-invitation.tsx'

interface InvitationsProps {
  /** The newest first. */
  given: readonly GivenInvitation[]
  onChanged: () => void
}

/** Gives out invitations, and shows what became of them. */
export function Invitations({ given, onChanged }: InvitationsProps): ReactNode {
  const [making, setMaking] = useState(false)
  const [shown, setShown] = useState<GivenInvitation | null>(null)
  const nowMs = useNowMs()
  const isOpen = (invitation: GivenInvitation): boolean => stateNow(invitation, nowMs) === 'open'
  const open = given.filter(isOpen)
  const over = given.filter((invitation) => !isOpen(invitation))
  return (
    <>
      <div>
        <Button look="primary" onClick={() => setMaking(true)}>
          Make an invitation
        </Button>
      </div>
      {open.length === 0 ? (
        <p className="muted">No invitation is open at present.</p>
      ) : (
        <ul className="invitations" aria-label="Open invitations">
          {open.map((invitation) => (
            <OpenInvitation
              key={invitation.id}
              invitation={invitation}
              onShow={() => setShown(invitation)}
              onChanged={onChanged}
            />
          ))}
        </ul>
      )}
      {over.length > 0 && (
        <details className="more">
          <summary>Earlier invitations ({over.length})</summary>
          <ul className="invitations" aria-label="Earlier invitations">
            {over.map((invitation) => (
              <li key={invitation.id}>
                <div className="invitation-words">
                  <span>{describeUses(invitation)}</span>
                  <span className="muted">
                    <Ending invitation={invitation} nowMs={nowMs} />
                  </span>
                </div>
              </li>
            ))}
          </ul>
        </details>
      )}
      {making && (
        <NewInvitation
          onClose={() => setMaking(false)}
          onMade={(invitation) => {
            setMaking(false)
            setShown(invitation)
            onChanged()
          }}
        />
      )}
      {shown !== null && (
        <InvitationDialog
          invitation={given.find(({ id }) => id === shown.id) ?? shown}
          onClose={() => setShown(null)}
        />
      )}
    </>
  )
}

function describeUses({ uses, used }: GivenInvitation): string {
  const persons = uses === 1 ? 'For one person' : `For ${uses} persons`
  if (used === 0) return persons
  if (uses === 1) return `${persons}, who came in`
  return `${persons}, ${used} of them came in`
}

function Ending({ invitation, nowMs }: { invitation: GivenInvitation; nowMs: number }): ReactNode {
  switch (stateNow(invitation, nowMs)) {
    case 'used-up':
      return 'Used up'
    case 'withdrawn':
      return 'Withdrawn'
    case 'expired':
    case 'open':
      return (
        <>
          Expired <RelativeTime timeMs={invitation.expiresMs} />
        </>
      )
  }
}

function OpenInvitation({
  invitation,
  onShow,
  onChanged,
}: {
  invitation: GivenInvitation
  onShow: () => void
  onChanged: () => void
}): ReactNode {
  const client = useClient()
  const { notices } = useShell()
  const { id, expiresMs } = invitation
  const withdraw = useCall(() => client.cloud.withdrawInvitation({ id }))
  return (
    <li>
      <div className="invitation-words">
        <span>{describeUses(invitation)}</span>
        <span className="muted">
          Ends <TimeLeft timeMs={expiresMs} />
        </span>
      </div>
      <Button size="small" onClick={onShow}>
        Show
      </Button>
      <Button
        size="small"
        look="quiet"
        pending={withdraw.pending}
        onClick={() =>
          void withdraw.run().then((done) => {
            if (!done) return
            notices.say('The invitation was withdrawn. Who came in by it stays.')
            onChanged()
          })
        }
      >
        Withdraw
      </Button>
      {withdraw.error !== null && <ErrorNotice error={withdraw.error} />}
    </li>
  )
}
