import { useState } from 'react'
import type { ReactNode } from 'react'
import { readCloudKey } from '../../../node-runtime/contract/cloud-key.ts'
import type { ReleaseFile } from '../../../node-runtime/contract/cloud.ts'
import { useClient, useOverlay, useShell } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Field } from '../../ui/field.tsx'
import { Fingerprint, useCopy } from '../../ui/fingerprint.tsx'
import { WholeKey } from '../../ui/whole-key.tsx'

const DAY_MS = 86_400_000
const MAX_DAYS = 10_000

interface Made {
  release: string
  file: ReleaseFile
}

/** What the owner of a cloud for releases does: makes them, and takes them back. */
export function Releases({
  revoked,
  onChanged,
}: {
  revoked: readonly string[]
  onChanged: () => void
}): ReactNode {
  return (
    <>
      <h3>Make a release</h3>
      <NewRelease />
      <h3>Take a release back</h3>
      <Revocation onRevoked={onChanged} />
      {revoked.length > 0 && (
        <ul aria-label="Releases that were taken back">
          {revoked.map((release) => (
            <li key={release}>
              <Fingerprint value={release} what="release key" />
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function NewRelease(): ReactNode {
  const client = useClient()
  const [name, setName] = useState('')
  const [days, setDays] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [made, setMade] = useState<Made | null>(null)
  const make = useCall(async (expiresMs: number | null) =>
    setMade(await client.cloud.release({ name: name.trim(), expiresMs })),
  )
  return (
    <form
      className="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        const count = Number(days)
        if (days !== '' && (!Number.isInteger(count) || count < 1 || count > MAX_DAYS)) {
          return setProblem(`A whole number from 1 to ${MAX_DAYS}, or nothing.`)
        }
        void make.run(days === '' ? null : Date.now() + count * DAY_MS)
      }}
    >
      <div className="lists-access">
        <Field
          label="Name of the release"
          hint="Such as its version."
          maxLength={60}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Field
          label="Days that it holds"
          hint="Empty: for ever, until it is taken back."
          type="number"
          min={1}
          max={MAX_DAYS}
          value={days}
          error={problem}
          onChange={(event) => {
            setDays(event.target.value)
            setProblem(null)
          }}
        />
      </div>
      {make.error !== null && <ErrorNotice error={make.error} />}
      <div>
        <Button type="submit" pending={make.pending} disabled={name.trim() === ''}>
          Make a release
        </Button>
      </div>
      {made !== null && <ReleaseDialog made={made} onClose={() => setMade(null)} />}
    </form>
  )
}

/** Shown once: this machine keeps no copy of it. */
function ReleaseDialog({ made, onClose }: { made: Made; onClose: () => void }): ReactNode {
  const { copy, copied, failed } = useCopy(`${JSON.stringify(made.file, null, 2)}\n`)
  useOverlay(true, 'dims')
  return (
    <Dialog
      title="The release"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Done</Button>
          <Button look="primary" onClick={copy}>
            {copied ? 'Copied' : 'Copy the file'}
          </Button>
        </>
      }
    >
      <p>
        Copy its file now, and keep it where only you can read it: whoever has it comes in, and it
        is not shown again. Build with it: <code>DHARMA_RELEASE=FILE npm run pack</code>
      </p>
      <p className="muted">By this key you can take it back. Keep it with the file.</p>
      <WholeKey value={made.release} what="Key of the release" />
      <p role="status" className={failed ? '' : 'visually-hidden'}>
        {copied ? 'Copied' : failed ? 'It could not be copied. Try again.' : ''}
      </p>
    </Dialog>
  )
}

function Revocation({ onRevoked }: { onRevoked: () => void }): ReactNode {
  const client = useClient()
  const { notices } = useShell()
  const [text, setText] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [asked, setAsked] = useState<string | null>(null)
  const revoke = useCall((release: string) => client.cloud.revokeRelease({ release }))
  useOverlay(asked !== null, 'dims')
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        // All keys are written alike.
        const read = readCloudKey(text)
        if ('key' in read) setAsked(read.key)
        else setProblem('This is not the key of a release. Copy it whole.')
      }}
    >
      <Field
        label="Key of the release"
        mono
        value={text}
        error={problem}
        onChange={(event) => {
          setText(event.target.value)
          setProblem(null)
        }}
        action={
          <Button type="submit" disabled={text.trim() === ''}>
            Take back
          </Button>
        }
      />
      {asked !== null && (
        <Dialog
          title="Take this release back?"
          onClose={() => setAsked(null)}
          actions={
            <>
              <Button onClick={() => setAsked(null)}>Cancel</Button>
              <Button
                look="danger"
                pending={revoke.pending}
                onClick={() =>
                  void revoke.run(asked).then((done) => {
                    if (!done) return
                    setAsked(null)
                    setText('')
                    notices.say('The release was taken back. The other machines will hear of it.')
                    onRevoked()
                  })
                }
              >
                Take back
              </Button>
            </>
          }
        >
          <WholeKey value={asked} what="Release to take back" />
          <p>Machines that run it get no links any more. This cannot be undone.</p>
          {revoke.error !== null && <ErrorNotice error={revoke.error} />}
        </Dialog>
      )}
    </form>
  )
}
