import { useEffect, useState } from 'react'
import type { ReactNode } from 'react'
import type { InvitationOffer as Offer } from '../../../node-runtime/contract/cloud.ts'
import type { CloudError } from '../../../node-runtime/contract/errors.ts'
import { useClient } from '../../app/shell.tsx'
import { toCloudError } from '../../client/cloud-error.ts'
import { Button } from '../../ui/button.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Fingerprint } from '../../ui/fingerprint.tsx'
import { KeyPicture } from '../../ui/key-picture.tsx'
import { Loading } from '../../ui/progress.tsx'
import { RelativeTime, TimeLeft, useNowMs } from '../../ui/relative-time.tsx'
import { useJoining } from './use-joining.ts'

interface InvitationOfferProps {
  /** A link or words. */
  invitation: string
  present: string
  onClose: () => void
  onJoined: () => void
}

/** Asks where an invitation leads, shows it, and joins with one click. */
export function InvitationOffer(props: InvitationOfferProps): ReactNode {
  const { invitation, onClose } = props
  const client = useClient()
  const [offer, setOffer] = useState<Offer | null>(null)
  const [error, setError] = useState<CloudError | null>(null)
  const [turn, setTurn] = useState(1)
  useEffect(() => {
    const asking = new AbortController()
    setError(null)
    client.cloud.readInvitation({ invitation }, { signal: asking.signal }).then(
      (read) => {
        if (!asking.signal.aborted) setOffer(read)
      },
      (failure: unknown) => {
        if (!asking.signal.aborted) setError(toCloudError(failure))
      },
    )
    return () => asking.abort()
  }, [client, invitation, turn])

  if (offer !== null) return <Join {...props} offer={offer} />
  if (error === null) {
    return (
      <div className="card offer">
        <Loading>Asking the machine that gave the invitation</Loading>
        <div>
          <Button size="small" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </div>
    )
  }
  return (
    <ErrorNotice
      error={error}
      {...adviceFor(error)}
      action={
        <div className="row row-wrap">
          {error.kind === 'environment' && (
            <Button size="small" onClick={() => setTurn(turn + 1)}>
              Try again
            </Button>
          )}
          <Button size="small" look="quiet" onClick={onClose}>
            Clear
          </Button>
        </div>
      }
    />
  )
}

/** It does not go on by itself, as other things do that wait for a machine. */
function adviceFor({ code }: CloudError): { advice?: string } {
  if (code !== 'PEER_UNREACHABLE') return {}
  return {
    advice:
      'Compare the link or the words with what you were given, ask who invited you to leave that machine on, and try again.',
  }
}

function Join({
  invitation,
  present,
  offer,
  onClose,
  onJoined,
}: InvitationOfferProps & { offer: Offer }): ReactNode {
  const { cloud, name, inviter, expiresMs } = offer
  // A clock may be off: which counts is the other machine's, so it may still be tried.
  const isExpired = useNowMs() >= expiresMs
  const { join, pending, notice } = useJoining({ cloud: invitation, expected: cloud }, onJoined)
  return (
    <section className="card offer" aria-label="The invitation">
      <header className="offer-head">
        <KeyPicture text={cloud} size={44} />
        <div>
          <h3>{name === '' ? 'A cloud without a name' : name}</h3>
          <p className="muted" role="status">
            {inviter.name === '' ? 'Somebody without a name' : inviter.name} invites you
          </p>
        </div>
      </header>
      <dl className="facts">
        <dt>Cloud</dt>
        <dd>
          <Fingerprint value={cloud} what="cloud key" picture={false} />
        </dd>
        <dt>Invited by</dt>
        <dd>
          <Fingerprint value={inviter.person} what="person key" />
        </dd>
        <dt>{isExpired ? 'Expired' : 'Ends'}</dt>
        <dd>{isExpired ? <RelativeTime timeMs={expiresMs} /> : <TimeLeft timeMs={expiresMs} />}</dd>
      </dl>
      {isExpired && (
        <p role="status">
          This invitation has expired, by the clock of this computer. If the other machine agrees,
          it lets nobody in by it any more: ask for another one.
        </p>
      )}
      <p className="muted">
        {cloud === present
          ? 'This machine is in that cloud already. The invitation helps if the others do not let it in.'
          : 'This machine leaves its present cloud for this one. What was written there is kept, and there is a way back.'}
      </p>
      {notice}
      <div className="row row-wrap">
        <Button look="primary" pending={pending} onClick={join}>
          Join
        </Button>
        <Button look="quiet" onClick={onClose}>
          Not now
        </Button>
      </div>
    </section>
  )
}
