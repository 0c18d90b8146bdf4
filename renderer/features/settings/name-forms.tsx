import { useState } from 'react'
import type { ReactNode } from 'react'
import { useClient, useCloud, useIdentity, useShell } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Field } from '../../ui/field.tsx'
import { Loading } from '../../ui/progress.tsx'

/** The names under which others see the person and the machine. */
export function NameForms(): ReactNode {
  const client = useClient()
  const identity = useIdentity((state) => state.identity)
  const identityError = useIdentity((state) => state.error)
  const machineName = useCloud((state) => state.status?.machineName)
  if (identityError !== null) return <ErrorNotice error={identityError} />
  if (identity === null || machineName === undefined) return <Loading>Asking this machine</Loading>
  return (
    <>
      <NameForm
        label="Your name"
        hint="How other people see you. It is a label; your key is what proves who you are."
        saved={identity.name}
        save={(name) => client.identity.rename({ name })}
      />
      <NameForm
        label="Name of this machine"
        hint="How this machine appears on the Machines page of others."
        saved={machineName}
        save={(name) => client.cloud.renameMachine({ name })}
      />
    </>
  )
}

interface NameFormProps {
  label: string
  hint: string
  saved: string
  save: (name: string) => Promise<unknown>
}

function NameForm({ label, hint, saved, save }: NameFormProps): ReactNode {
  const { notices } = useShell()
  /** Null while it is not being changed: then the saved name shows, whoever changed it. */
  const [draft, setDraft] = useState<string | null>(null)
  const call = useCall(save)
  const name = draft?.trim() ?? saved
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        void call.run(name).then((done) => {
          if (!done) return
          setDraft(null)
          notices.say('The name was saved.')
        })
      }}
    >
      <Field
        label={label}
        hint={hint}
        maxLength={60}
        value={draft ?? saved}
        onChange={(event) => setDraft(event.target.value)}
        action={
          <Button
            type="submit"
            pending={call.pending}
            disabled={name === '' || name === saved}
            aria-label={`Save ${label.toLowerCase()}`}
          >
            Save
          </Button>
        }
      />
      {call.error !== null && <ErrorNotice error={call.error} />}
    </form>
  )
}
