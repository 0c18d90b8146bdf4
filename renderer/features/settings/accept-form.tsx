import { useState } from 'react'
import type { ReactNode } from 'react'
import { attestedWordOf } from '../../../node-runtime/contract/attested-text.ts'
import { useClient, useOverlay, useShell } from '../../app/shell.tsx'
import { toCloudError } from '../../client/cloud-error.ts'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { TextField } from '../../ui/field.tsx'
import { PhraseGoes } from './phrase-goes.tsx'

/** Takes what another machine of a person has signed for this one. */
export function AcceptForm(): ReactNode {
  const client = useClient()
  const { notices } = useShell()
  const [text, setText] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [isAsking, setAsking] = useState(false)
  /** The machine says that the phrase of its present person would go. */
  const [isPhraseKept, setPhraseKept] = useState(false)
  const [mayForget, setMayForget] = useState(false)
  const accept = useCall(async () => {
    try {
      await client.identity.accept({ text, ...(mayForget ? { forgetPhrase: true } : {}) })
    } catch (error) {
      if (toCloudError(error).code === 'IDENTITY_PHRASE_KEPT') setPhraseKept(true)
      throw error
    }
  })
  const stopAsking = (): void => {
    setAsking(false)
    setPhraseKept(false)
    setMayForget(false)
    accept.clear()
  }
  useOverlay(isAsking, 'dims')
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        if (attestedWordOf(text) !== null) setAsking(true)
        else setProblem('This is not an attestation. Copy all of it.')
      }}
    >
      <TextField
        label="This machine was attested"
        hint="What another machine of yours gave out for this one."
        mono
        rows={2}
        value={text}
        error={problem}
        onChange={(event) => {
          setText(event.target.value)
          setProblem(null)
        }}
      />
      <div>
        <Button type="submit" disabled={text.trim() === ''}>
          Take it
        </Button>
      </div>
      {isAsking && (
        <Dialog
          title="Become a machine of that person?"
          onClose={stopAsking}
          actions={
            <>
              <Button onClick={stopAsking}>Cancel</Button>
              <Button
                look="danger"
                disabled={isPhraseKept && !mayForget}
                pending={accept.pending}
                onClick={() =>
                  void accept.run().then((done) => {
                    if (!done) return
                    stopAsking()
                    setText('')
                    notices.say('This machine now belongs to the person who attested it.')
                  })
                }
              >
                Take it
              </Button>
            </>
          }
        >
          <p>
            This machine stops acting as its present person, if that is another one. What that
            person wrote stays theirs.
          </p>
          {accept.error !== null && <ErrorNotice error={accept.error} />}
          {isPhraseKept && (
            <PhraseGoes checked={mayForget} disabled={accept.pending} onChange={setMayForget} />
          )}
        </Dialog>
      )}
    </form>
  )
}
