import { useState } from 'react'
import type { ReactNode } from 'react'
import { readCloudKey } from '../../../node-runtime/contract/cloud-key.ts'
import type { CloudError } from '../../../node-runtime/contract/errors.ts'
import { useClient, useOverlay, useShell } from '../../app/shell.tsx'
import { toCloudError } from '../../client/cloud-error.ts'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { TextField } from '../../ui/field.tsx'
import { isPhraseFault, PhraseField } from '../../ui/phrase-field.tsx'
import { WholeKey } from '../../ui/whole-key.tsx'

/** Joins the cloud of a pasted key, after a yes. */
export function JoinForm({ present }: { present: string }): ReactNode {
  const [cloud, setCloud] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [asking, setAsking] = useState(false)
  const read = readCloudKey(cloud)
  const key = 'key' in read ? read.key : null
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        if (cloud.trim() === '') return setProblem('Paste the key of a cloud first.')
        if ('fault' in read) return setProblem(read.fault)
        if (key === present) return setProblem('This machine is in that cloud already.')
        setAsking(true)
      }}
    >
      <TextField
        label="Cloud key"
        mono
        rows={2}
        placeholder="52 letters and digits"
        hint="Someone in that cloud finds it on their Home page."
        value={cloud}
        error={problem}
        onChange={(event) => {
          setCloud(event.target.value)
          setProblem(null)
        }}
        onKeyDown={(event) => {
          // A key has no lines.
          if (event.key !== 'Enter') return
          event.preventDefault()
          event.currentTarget.form?.requestSubmit()
        }}
      />
      <div>
        <Button type="submit">Join cloud</Button>
      </div>
      {asking && key !== null && (
        <JoinDialog
          cloud={key}
          onClose={() => setAsking(false)}
          onJoined={() => {
            setAsking(false)
            setCloud('')
          }}
        />
      )}
    </form>
  )
}

/** What the question needs. */
interface JoinDialogProps {
  cloud: string
  /** The machine was in it before. */
  back?: boolean
  onClose: () => void
  onJoined: () => void
}

/** Asks, and joins the cloud of a key. */
export function JoinDialog({ cloud, back = false, onClose, onJoined }: JoinDialogProps): ReactNode {
  const client = useClient()
  const { notices } = useShell()
  const [phrase, setPhrase] = useState('')
  const [needsPhrase, setNeedsPhrase] = useState(false)
  const join = useCall(async () => {
    try {
      await client.cloud.join({ cloud, ...(needsPhrase ? { phrase } : {}) })
    } catch (error) {
      if (toCloudError(error).code !== 'IDENTITY_PHRASE_NEEDED') throw error
      setNeedsPhrase(true)
      throw error
    }
  })
  useOverlay(true, 'dims')
  return (
    <Dialog
      title={back ? 'Go back to this cloud?' : 'Join this cloud?'}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="primary"
            pending={join.pending}
            onClick={() =>
              void join.run().then((done) => {
                if (!done) return
                notices.say('This machine now belongs to that cloud, and looks for its machines.')
                onJoined()
              })
            }
          >
            {back ? 'Go back' : 'Join'}
          </Button>
        </>
      }
    >
      <p>
        This machine leaves its present cloud and joins this one. What was written in the present
        cloud stays in the data folder; joining it again brings it back.
      </p>
      <WholeKey value={cloud} what="Cloud key to join" />
      {!back && (
        <p>
          Compare the key with the one on the Home page of who gave it to you; another picture is
          another key. With one wrong letter it names another cloud, and an empty one.
        </p>
      )}
      {needsPhrase && (
        <PhraseField
          hint="It is not on this machine any more, and is needed for a cloud in which the machine was not yet. It is used once, and not kept."
          value={phrase}
          error={join.error}
          onChange={(words) => {
            setPhrase(words)
            join.clear()
          }}
        />
      )}
      {join.error !== null && !isSaidAtField(join.error) && <ErrorNotice error={join.error} />}
    </Dialog>
  )
}

/** The field for the phrase says it. */
function isSaidAtField(error: CloudError): boolean {
  return isPhraseFault(error) || error.code === 'IDENTITY_PHRASE_NEEDED'
}
