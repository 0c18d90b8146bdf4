import { useState } from 'react'
import type { ReactNode } from 'react'
import { useClient, useIdentity, useOverlay, useShell } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { TextField } from '../../ui/field.tsx'

/** One word, which may have been broken into lines. */
const ATTESTED_TEXT = /^[\w\s-]+$/u

/** Takes what another machine of a person has signed for this one. */
export function AcceptForm(): ReactNode {
  const client = useClient()
  const { notices } = useShell()
  const phraseKept = useIdentity((state) => state.identity?.phraseKept) ?? false
  const [text, setText] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [isAsking, setAsking] = useState(false)
  const accept = useCall(() => client.identity.accept({ text }))
  useOverlay(isAsking, 'dims')
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        if (ATTESTED_TEXT.test(text)) setAsking(true)
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
          onClose={() => {
            setAsking(false)
            accept.clear()
          }}
          actions={
            <>
              <Button onClick={() => setAsking(false)}>Cancel</Button>
              <Button
                look="danger"
                pending={accept.pending}
                onClick={() =>
                  void accept.run().then((done) => {
                    if (!done) return
                    setAsking(false)
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
            {phraseKept &&
              ' Their recovery phrase, which is on this machine now, is deleted: make sure that you have it.'}
          </p>
          {accept.error !== null && <ErrorNotice error={accept.error} />}
        </Dialog>
      )}
    </form>
  )
}
