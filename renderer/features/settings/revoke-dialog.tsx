import { useState } from 'react'
import type { ReactNode } from 'react'
import type { MachineInfo } from '../../../node-runtime/contract/machines.ts'
import { CloudError } from '../../../node-runtime/contract/errors.ts'
import { useClient, useIdentity, useOverlay, useShell } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Field } from '../../ui/field.tsx'
import { isPhraseFault, PhraseField } from '../../ui/phrase-field.tsx'

type Keep = 'now' | 'time' | 'nothing'

const CHOICES: readonly { keep: Keep; label: string }[] = [
  { keep: 'now', label: 'What it wrote until now stays' },
  { keep: 'time', label: 'What it wrote until a time stays' },
  { keep: 'nothing', label: 'Nothing that it wrote stays' },
]

interface RevokeDialogProps {
  machine: MachineInfo
  onClose: () => void
}

/** Asks what is to stay of a machine’s records, and for the phrase if it is not kept; then revokes it. */
export function RevokeDialog({ machine, onClose }: RevokeDialogProps): ReactNode {
  const client = useClient()
  const { notices } = useShell()
  const phraseKept = useIdentity((state) => state.identity?.phraseKept) ?? false
  const [keep, setKeep] = useState<Keep>('now')
  const [time, setTime] = useState('')
  const [phrase, setPhrase] = useState('')
  const timeMs = new Date(time).getTime()
  const revoke = useCall(async () => {
    if (!phraseKept) {
      const { person } = await client.identity.personOf({ phrase })
      if (person !== machine.person) {
        throw new CloudError('IDENTITY_PHRASE_OTHER', 'These are the words of another person.')
      }
    }
    await client.identity.revoke({
      machine: machine.machine,
      ...(keep === 'now' ? {} : { keepUntilMs: keep === 'time' ? timeMs : null }),
      ...(phraseKept ? {} : { phrase }),
    })
  })
  const isReady =
    (keep !== 'time' || Number.isFinite(timeMs)) && (phraseKept || phrase.trim() !== '')
  useOverlay(true, 'dims')
  return (
    <Dialog
      title={`Revoke ${machine.name}?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="danger"
            disabled={!isReady}
            pending={revoke.pending}
            onClick={() =>
              void revoke.run().then((done) => {
                if (!done) return
                notices.say(`${machine.name} is revoked. The other machines hear of it.`)
                onClose()
              })
            }
          >
            Revoke
          </Button>
        </>
      }
    >
      <p>
        {machine.self
          ? 'This is the machine that you are using. The others will give it no links any more.'
          : 'All machines of this cloud hear that it is yours no more.'}{' '}
        If it is in strange hands, keep what it wrote before that: whoever has it can still date
        what it writes back to then. What they replaced or deleted of yours can’t be brought back.
      </p>
      <div className="choices" role="radiogroup" aria-label="What stays of what it wrote">
        {CHOICES.map(({ keep: value, label }) => (
          <label key={value}>
            <input
              type="radio"
              name="keep"
              checked={keep === value}
              disabled={revoke.pending}
              onChange={() => setKeep(value)}
            />
            {label}
          </label>
        ))}
      </div>
      {keep === 'time' && (
        <Field
          label="Until"
          type="datetime-local"
          value={time}
          onChange={(event) => setTime(event.target.value)}
        />
      )}
      {!phraseKept && (
        <PhraseField
          value={phrase}
          error={revoke.error}
          onChange={(text) => {
            setPhrase(text)
            revoke.clear()
          }}
        />
      )}
      {revoke.error !== null && !isPhraseFault(revoke.error) && (
        <ErrorNotice error={revoke.error} />
      )}
    </Dialog>
  )
}
