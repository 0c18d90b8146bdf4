import { useState } from 'react'
import type { ReactNode } from 'react'
import { keySchema } from '../../../node-runtime/contract/values.ts'
import { useClient, useCloud, useIdentity, useOverlay, useShell } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Field, TextField } from '../../ui/field.tsx'
import { useCopy } from '../../ui/fingerprint.tsx'
import { isPhraseFault, PhraseField } from '../../ui/phrase-field.tsx'
import { WholeKey } from '../../ui/whole-key.tsx'

/** Takes the key of a machine that is to be the person’s, too. */
export function AttestForm(): ReactNode {
  const [machine, setMachine] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [asking, setAsking] = useState<string | null>(null)
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        const key = keySchema.safeParse(machine.trim())
        if (key.success) setAsking(key.data)
        else setProblem('This is not the key of a machine: it has 52 letters and digits.')
      }}
    >
      <Field
        label="One more machine of yours"
        hint="Its key is under About in its settings. It must be in this cloud."
        mono
        placeholder="52 letters and digits"
        value={machine}
        error={problem}
        onChange={(event) => {
          setMachine(event.target.value)
          setProblem(null)
        }}
        action={<Button type="submit">Attest</Button>}
      />
      {asking !== null && (
        <AttestDialog
          machine={asking}
          onClose={() => {
            setAsking(null)
            setMachine('')
          }}
        />
      )}
    </form>
  )
}

interface AttestDialogProps {
  /** Its key. */
  machine: string
  onClose: () => void
}

/** Attests a machine, with the phrase if it is not kept; another one takes the text that comes of it. */
export function AttestDialog({ machine, onClose }: AttestDialogProps): ReactNode {
  const client = useClient()
  const { notices } = useShell()
  const phraseKept = useIdentity((state) => state.identity?.phraseKept) ?? false
  const self = useCloud((state) => state.status?.machine)
  const [phrase, setPhrase] = useState('')
  const [text, setText] = useState<string | null>(null)
  const { copy, copied, failed } = useCopy(text ?? '')
  const attest = useCall(async () => {
    const given = phraseKept ? {} : { phrase }
    const attested = await client.identity.attest({ machine, ...given })
    if (machine !== self) return setText(attested.text)
    notices.say('This machine is attested anew.')
    onClose()
  })
  useOverlay(true, 'dims')
  return (
    <Dialog
      title="Attest this machine?"
      onClose={onClose}
      actions={
        text === null ? (
          <>
            <Button onClick={onClose}>Cancel</Button>
            <Button
              look="primary"
              disabled={!phraseKept && phrase.trim() === ''}
              pending={attest.pending}
              onClick={() => void attest.run()}
            >
              Attest
            </Button>
          </>
        ) : (
          <>
            <Button onClick={onClose}>Close</Button>
            <Button look="primary" onClick={copy}>
              {copied ? 'Copied' : 'Copy it'}
            </Button>
          </>
        )
      }
    >
      {text === null ? (
        <>
          <WholeKey value={machine} what="Key of the machine" />
          <p>
            Compare the key with the one that the machine shows. It will write and play in your
            name, in this cloud.
          </p>
          {!phraseKept && (
            <PhraseField
              value={phrase}
              error={attest.error}
              onChange={(words) => {
                setPhrase(words)
                attest.clear()
              }}
            />
          )}
          {attest.error !== null && !isPhraseFault(attest.error) && (
            <ErrorNotice error={attest.error} />
          )}
        </>
      ) : (
        <>
          <p>
            Bring this to the machine, and put it in there under “This machine was attested”. It is
            no secret: it is of use to that machine alone.
          </p>
          <TextField label="Attestation" mono rows={6} readOnly value={text} />
          <span role="status">{failed ? 'It could not be copied.' : ''}</span>
        </>
      )}
    </Dialog>
  )
}
