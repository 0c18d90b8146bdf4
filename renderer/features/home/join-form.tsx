import { useEffect, useRef, useState } from 'react'
import type { ReactNode } from 'react'
import { useStore } from 'zustand'
import { readJoinText } from '../../../node-runtime/contract/join-text.ts'
import type { JoinText } from '../../../node-runtime/contract/join-text.ts'
import { useShell } from '../../app/shell.tsx'
import { endJoining } from '../../stores/join.ts'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/field.tsx'
import { InvitationOffer } from './invitation-offer.tsx'
import { JoinDialog } from './join-dialog.tsx'

/** The invitation in a text, as the runtime reads it. */
function invitationIn(read: JoinText | { fault: string }): string | null {
  if (!('kind' in read) || read.kind === 'cloud') return null
  return read.kind === 'link' ? `dharma:invite/${read.invitation}` : read.words
}

/** Joins the cloud of a key after a yes, or that of an invitation after showing where it leads. */
export function JoinForm({ present }: { present: string }): ReactNode {
  const { join } = useShell()
  const { text, inFront } = useStore(join)
  const [problem, setProblem] = useState<string | null>(null)
  /** The text that was sent off by hand. */
  const [asked, setAsked] = useState<string | null>(null)
  const form = useRef<HTMLFormElement>(null)
  const read = readJoinText(text)
  const key = 'kind' in read && read.kind === 'cloud' ? read.cloud : null
  const invitation = invitationIn(read)
  // A link comes whole; words may still be on their way.
  const isShown =
    invitation !== null && (asked === text || ('kind' in read && read.kind === 'link'))

  useEffect(() => {
    if (inFront) form.current?.querySelector('textarea')?.focus()
  }, [inFront])

  const end = (): void => {
    setAsked(null)
    endJoining(join)
    form.current?.querySelector('textarea')?.focus()
  }
  return (
    <form
      ref={form}
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        if (text.trim() === '') return setProblem('Paste a link, a key or five words first.')
        if ('fault' in read) return setProblem(read.fault)
        if (key === present) return setProblem('This machine is in that cloud already.')
        setAsked(text)
      }}
    >
      <TextField
        label="Link, five words, or key"
        mono
        rows={2}
        maxLength={500}
        placeholder="dharma:invite/…"
        hint="Somebody in that cloud gives you one of them: a link or five words from “Invite others” on their Home page, or the cloud’s key."
        value={text}
        error={problem}
        onChange={(event) => {
          join.setState({ text: event.target.value })
          setProblem(null)
          setAsked(null)
        }}
        onKeyDown={(event) => {
          // None of them has lines.
          if (event.key !== 'Enter') return
          event.preventDefault()
          event.currentTarget.form?.requestSubmit()
        }}
      />
      {isShown ? (
        <InvitationOffer
          key={invitation}
          invitation={invitation}
          present={present}
          onClose={end}
          onJoined={end}
        />
      ) : (
        <div>
          <Button type="submit">Continue</Button>
        </div>
      )}
      {asked === text && key !== null && (
        <JoinDialog cloud={key} onClose={() => setAsked(null)} onJoined={end} />
      )}
    </form>
  )
}
