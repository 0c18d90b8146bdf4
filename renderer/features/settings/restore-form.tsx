import { useState } from 'react'
import type { ReactNode } from 'react'
import { useClient, useOverlay, useShell } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { TextField } from '../../ui/field.tsx'

/** Makes this machine belong to the person of a phrase, after a yes. */
export function RestoreForm(): ReactNode {
  const client = useClient()
  const { notices } = useShell()
  const [phrase, setPhrase] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [asking, setAsking] = useState(false)
  const restore = useCall(() =>
    client.identity.restore({ phrase: phrase.trim().toLowerCase().split(/\s+/).join(' ') }),
  )
  useOverlay(asking)
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        if (phrase.trim() === '') return setProblem('Put in the words of a recovery phrase first.')
        setAsking(true)
      }}
    >
      <TextField
        label="Recovery phrase to restore"
        hint="24 words, in their order, with spaces between them."
        rows={3}
        maxLength={500}
        value={phrase}
        error={problem}
        onChange={(event) => {
          setPhrase(event.target.value)
          setProblem(null)
        }}
      />
      <div>
        <Button type="submit">Restore</Button>
      </div>
      {asking && (
        <Dialog
          title="Become the person of this phrase?"
          onClose={() => setAsking(false)}
          actions={
            <>
              <Button onClick={() => setAsking(false)}>Cancel</Button>
              <Button
                look="danger"
                pending={restore.pending}
                onClick={() =>
                  void restore.run().then((done) => {
                    if (!done) return
                    setAsking(false)
                    setPhrase('')
                    notices.say('This machine now belongs to the person of that phrase.')
                  })
                }
              >
                Restore
              </Button>
            </>
          }
        >
          <p>
            This machine stops acting as its present person. What that person wrote stays theirs,
            and only their own recovery phrase makes you them again: make sure that you have it.
          </p>
          {restore.error !== null && <ErrorNotice error={restore.error} />}
        </Dialog>
      )}
    </form>
  )
}
