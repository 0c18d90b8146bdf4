import { useState } from 'react'
import type { ReactNode } from 'react'
import { useClient, useIdentity, useOverlay, useShell } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { TextField } from '../../ui/field.tsx'
import { WholeKey } from '../../ui/whole-key.tsx'
import { PhraseGoes } from './phrase-goes.tsx'

/** Makes this machine belong to the person of a phrase, after a yes. */
export function RestoreForm(): ReactNode {
  const client = useClient()
  const { notices } = useShell()
  const [phrase, setPhrase] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const present = useIdentity((state) => state.identity?.person)
  /** Until the machine has said, it is kept for all that is known here. */
  const isPhraseKept = useIdentity((state) => state.identity?.phraseKept !== false)
  const [mayForget, setMayForget] = useState(false)
  /** Whose phrase it is, once that is known: then the question is asked. */
  const [person, setPerson] = useState<string | null>(null)
  const words = phrase.trim().toLowerCase().split(/\s+/).join(' ')
  const look = useCall(async () => {
    const found = await client.identity.personOf({ phrase: words })
    if (found.person === present) setProblem('This machine belongs to that person already.')
    else setPerson(found.person)
  })
  const restore = useCall(() =>
    client.identity.restore({ phrase: words, ...(mayForget ? { forgetPhrase: true } : {}) }),
  )
  const stopAsking = (): void => {
    setPerson(null)
    setMayForget(false)
    restore.clear()
  }
  const isWrong = look.error?.code === 'IDENTITY_PHRASE_INVALID'
  useOverlay(person !== null, 'dims')
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        if (phrase.trim() === '') return setProblem('Put in the words of a recovery phrase first.')
        void look.run()
      }}
    >
      <TextField
        label="Recovery phrase to restore"
        hint="24 words, in their order, with spaces between them."
        rows={3}
        maxLength={500}
        value={phrase}
        error={problem ?? (isWrong ? (look.error?.message ?? null) : null)}
        onChange={(event) => {
          setPhrase(event.target.value)
          setProblem(null)
          look.clear()
        }}
      />
      {look.error !== null && !isWrong && <ErrorNotice error={look.error} />}
      <div>
        <Button type="submit" pending={look.pending}>
          Restore
        </Button>
      </div>
      {person !== null && (
        <Dialog
          title="Become the person of this phrase?"
          onClose={stopAsking}
          actions={
            <>
              <Button onClick={stopAsking}>Cancel</Button>
              <Button
                look="danger"
                disabled={isPhraseKept && !mayForget}
                pending={restore.pending}
                onClick={() =>
                  void restore.run().then((done) => {
                    if (!done) return
                    stopAsking()
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
          <WholeKey value={person} what="Key of that person" />
          <p>
            This machine stops acting as its present person. What that person wrote stays theirs,
            and only their own recovery phrase makes you them again.
          </p>
          {isPhraseKept && (
            <PhraseGoes checked={mayForget} disabled={restore.pending} onChange={setMayForget} />
          )}
          {restore.error !== null && <ErrorNotice error={restore.error} />}
        </Dialog>
      )}
    </form>
  )
}
