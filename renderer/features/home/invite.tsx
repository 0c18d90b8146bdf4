import type { ReactNode } from 'react'
import type { AdmissionReport } from '../../../node-runtime/contract/connection.ts'
import { useCloud } from '../../app/shell.tsx'
import { useAnswer } from '../../app/use-answer.ts'
import { useConnectionReport } from '../../app/use-connection-report.ts'
import { Button } from '../../ui/button.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Fingerprint, useCopy } from '../../ui/fingerprint.tsx'
import { Loading } from '../../ui/progress.tsx'
import { WholeKey } from '../../ui/whole-key.tsx'
import { Invitations } from './invitations.tsx'
import { PageLink } from '../../app/page-link.tsx'
import { WhoInvitedWhom } from './who-invited-whom.tsx'

/** How others come into this cloud, and how this person did. */
export function Invite({ cloud }: { cloud: string }): ReactNode {
  const { report, error } = useConnectionReport()
  // Who came in by one is met soon after.
  const version = useCloud(({ status }) => `${status?.machinesKnown}/${status?.connections}`)
  const {
    answer,
    error: refusal,
    again,
  } = useAnswer((client) => client.cloud.invitations({}), version)
  const admission = report?.admission ?? null
  const failure = error ?? refusal
  return (
    <section className="section" aria-labelledby="home-invite">
      <h2 id="home-invite">Invite others</h2>
      {failure !== null && (admission === null || answer === null) && (
        <ErrorNotice error={failure} />
      )}
      {admission === null && error === null && <Loading>Asking this machine</Loading>}
      {admission !== null && (admission.hearsay || !isIn(admission)) && (
        <p className="muted">
          {admission.message} <PageLink page="connection">See the connection</PageLink>
        </p>
      )}
      {admission !== null && isIn(admission) && <HowTo cloud={cloud} admission={admission} />}
      {answer !== null && admission !== null && mayInvite(admission) && (
        <Invitations given={answer.given} onChanged={again} />
      )}
      {admission?.kind === 'open' && (
        <details className="more">
          <summary>Give them the cloud’s key instead</summary>
          <p className="muted">
            It holds for everybody and for ever, also while this machine is off.
          </p>
          <CloudKey value={cloud} />
        </details>
      )}
      {answer !== null && <InvitedBy persons={answer.invitedBy} />}
      {answer !== null && <WhoInvitedWhom shown={answer.shown} />}
    </section>
  )
}

/** Is it in, as far as it knows itself? What one other machine says keeps nobody from inviting. */
function isIn({ state, hearsay }: AdmissionReport): boolean {
  return state === 'in' || state === 'working' || hearsay
}

function mayInvite(admission: AdmissionReport): boolean {
  return isIn(admission) && (admission.kind === 'open' || admission.kind === 'invitation')
}

function HowTo({
  cloud,
  admission,
}: {
  cloud: string
  admission: AdmissionReport & { message: string }
}): ReactNode {
  switch (admission.kind) {
    case 'link':
      return (
        <>
          <p className="muted">
            Give this cloud key to people you want here. They paste it on their Home page, under
            “Join another cloud”.
          </p>
          <CloudKey value={cloud} />
        </>
      )
    case 'release':
      return (
        <p className="muted">
          Only builds that this cloud’s owner has made come in: give people such a build. The owner
          makes releases under <PageLink page="settings">Settings</PageLink>.
        </p>
      )
    case 'unknown':
      return <p className="muted">{admission.message}</p>
    case 'open':
    case 'invitation':
      return (
        <p className="muted">
          Give somebody a link or five words. They see where it leads, and come in with one click.
        </p>
      )
  }
}

function CloudKey({ value }: { value: string }): ReactNode {
  const { copy, copied, failed } = useCopy(value)
  return (
    <>
      <WholeKey value={value} what="Cloud key of this cloud" />
      <div className="row">
        <Button onClick={copy}>{copied ? 'Copied' : 'Copy the cloud key'}</Button>
        <span role="status" className={failed ? '' : 'visually-hidden'}>
          {copied
            ? 'Copied'
            : failed
              ? 'It could not be copied. Select it and copy it by hand.'
              : ''}
        </span>
      </div>
    </>
  )
}

/** Who let this person in, and who let in those. */
function InvitedBy({ persons }: { persons: readonly string[] }): ReactNode {
  const [nearest, ...others] = persons
  if (nearest === undefined) return null
  return (
    <div className="invited-by">
      <span className="muted">You were invited by</span>
      <Fingerprint value={nearest} what="person key" />
      {others.length > 0 && (
        <details className="more">
          <summary>And they by</summary>
          <ol aria-label="Who invited whom, up to the owner">
            {others.map((person) => (
              <li key={person}>
                <Fingerprint value={person} what="person key" />
              </li>
            ))}
          </ol>
        </details>
      )}
    </div>
  )
}
