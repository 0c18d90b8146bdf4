import type { ReactNode } from 'react'
import type { CloudInfo } from '../../../node-runtime/contract/cloud.ts'
import { useCloud } from '../../app/shell.tsx'
import { useAnswer } from '../../app/use-answer.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Fingerprint } from '../../ui/fingerprint.tsx'
import { Loading } from '../../ui/progress.tsx'
import { Releases } from './releases.tsx'

const ADMITS: Record<CloudInfo['admission'], string> = {
  link: 'Whoever knows its key comes in.',
  open: 'Whoever knows its key comes in, after a moment of work.',
  invitation: 'Whom somebody of it invites comes in.',
  release: 'Builds of its owner come in.',
  unknown: 'In a way of a later version of Dharma.',
}

/** How the present cloud began; for its owner, its releases. */
export function YourCloud(): ReactNode {
  // How it began is told by the first machine that is met.
  const version = useCloud(({ status }) => `${status?.cloud}/${status?.machinesKnown}`)
  const { answer: info, error, again } = useAnswer((client) => client.cloud.info({}), version)
  if (info === null) {
    return error === null ? <Loading>Asking this machine</Loading> : <ErrorNotice error={error} />
  }
  return (
    <>
      <dl className="facts">
        <dt>Name</dt>
        <dd>{info.name === null ? 'Not known yet' : info.name || 'None'}</dd>
        <dt>Who comes in</dt>
        <dd>{ADMITS[info.admission]}</dd>
        <dt>Owner</dt>
        <dd>{info.owner ? 'This machine' : 'Another machine'}</dd>
        <dt>Key</dt>
        <dd>
          <Fingerprint value={info.cloud} what="cloud key" />
        </dd>
      </dl>
      {info.owner && info.admission === 'release' && (
        <Releases revoked={info.revokedReleases} onChanged={again} />
      )}
    </>
  )
}
