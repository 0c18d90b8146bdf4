import { useId, useState } from 'react'
import type { ReactNode } from 'react'
import { useClient, useOverlay, useShell } from '../../app/shell.tsx'
import { usePhraseCall } from '../../app/use-phrase-call.tsx'
import { Button } from '../../ui/button.tsx'
import { Choices } from '../../ui/choices.tsx'
import type { Option } from '../../ui/choices.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'

type Admission = 'open' | 'invitation'

const ADMISSIONS: readonly Option<Admission>[] = [
  {
    value: 'open',
    label: 'Open',
    description: 'Whoever knows its key comes in, after a moment of work. Good for the public.',
  },
  {
    value: 'invitation',
    label: 'By invitation',
    description: 'Only those come in whom somebody of it invites. Good for friends and groups.',
  },
]

/** Begins a cloud: what it is called, and who may come in. */
export function StartCloud({
  onClose,
  onStarted,
}: {
  onClose: () => void
  onStarted: () => void
}): ReactNode {
  const client = useClient()
  const { notices } = useShell()
  const [name, setName] = useState('')
  const [admission, setAdmission] = useState<Admission>('open')
  const titleId = useId()
  const formId = useId()
  const create = usePhraseCall((given) =>
    client.cloud.create({ name: name.trim(), admission, ...given }),
  )
  useOverlay(true, 'dims')
  return (
    <Dialog
      title="Start a cloud"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={formId} look="primary" pending={create.pending}>
            Start
          </Button>
        </>
      }
    >
      <form
        id={formId}
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          void create.run().then((done) => {
            if (!done) return
            notices.say('The cloud has begun, and this machine is in it. Invite others.')
            onStarted()
          })
        }}
      >
        <Field
          label="Name"
          hint="Those who are invited see it. You can leave it out; it can’t be changed later."
          maxLength={60}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <div className="field">
          <h3 id={titleId}>Who may come in</h3>
          <Choices
            labelledBy={titleId}
            options={ADMISSIONS}
            value={admission}
            onChange={setAdmission}
          />
        </div>
        {create.notice}
      </form>
    </Dialog>
  )
}
