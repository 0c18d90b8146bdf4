import { useId, useState } from 'react'
import type { ReactNode } from 'react'
import type { GivenInvitation } from '../../../node-runtime/contract/cloud.ts'
import { useClient, useOverlay } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { Choices } from '../../ui/choices.tsx'
import type { Option } from '../../ui/choices.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Field } from '../../ui/field.tsx'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const MAX_PERSONS = 1_000

const TIMES: readonly Option<number>[] = [
  { value: HOUR_MS, label: 'An hour' },
  { value: DAY_MS, label: 'A day' },
  { value: 7 * DAY_MS, label: 'A week' },
  { value: 30 * DAY_MS, label: '30 days' },
]

interface NewInvitationProps {
  onClose: () => void
  onMade: (invitation: GivenInvitation) => void
}

/** For how many, and for how long. */
export function NewInvitation({ onClose, onMade }: NewInvitationProps): ReactNode {
  const client = useClient()
  const [persons, setPersons] = useState('1')
  const [problem, setProblem] = useState<string | null>(null)
  const [lastsMs, setLastsMs] = useState(DAY_MS)
  const formId = useId()
  const timesId = useId()
  const make = useCall(async (uses: number) => onMade(await client.cloud.invite({ uses, lastsMs })))
  useOverlay(true, 'dims')
  return (
    <Dialog
      title="Make an invitation"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={formId} look="primary" pending={make.pending}>
            Make it
          </Button>
        </>
      }
    >
      <form
        id={formId}
        className="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          const uses = Number(persons)
          if (!Number.isInteger(uses) || uses < 1 || uses > MAX_PERSONS) {
            return setProblem(`A whole number from 1 to ${MAX_PERSONS}, please.`)
          }
          void make.run(uses)
        }}
      >
        <div className="invitation-persons">
          <Field
            label="For how many persons"
            type="number"
            min={1}
            max={MAX_PERSONS}
            value={persons}
            error={problem}
            onChange={(event) => {
              setPersons(event.target.value)
              setProblem(null)
            }}
          />
        </div>
        <div className="field">
          <h3 id={timesId}>It holds for</h3>
          <Choices labelledBy={timesId} options={TIMES} value={lastsMs} onChange={setLastsMs} />
        </div>
        <p className="muted">You can withdraw it at any moment.</p>
        {make.error !== null && <ErrorNotice error={make.error} />}
      </form>
    </Dialog>
  )
}
