import type { ReactNode } from 'react'
import { useClient } from '../../app/shell.tsx'
import { useAnswer } from '../../app/use-answer.ts'
import { useCall } from '../../ui/call.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Toggle } from '../../ui/field.tsx'
import { Loading } from '../../ui/progress.tsx'

/** Whether others may see who invited this person, and whom they did. */
export function ShownInvitations(): ReactNode {
  const client = useClient()
  const { answer, error, again } = useAnswer((asked) => asked.cloud.invitations({}), '')
  const set = useCall(async (on: boolean) => {
    await client.cloud.showInvitations({ on })
    again()
  })
  const failure = set.error ?? error
  return (
    <>
      {answer === null && error === null && <Loading>Asking this machine</Loading>}
      {answer !== null && (
        <Toggle
          label="Show who invited me, and whom I invited"
          description="Everybody of this cloud can then see it on Home, if the other one agrees, too. It is said by this machine, of whom it let in itself. You can stop at any time; who has seen it by then has seen it."
          checked={answer.showing}
          disabled={set.pending}
          onChange={(on) => void set.run(on)}
        />
      )}
      {failure !== null && <ErrorNotice error={failure} />}
    </>
  )
}
