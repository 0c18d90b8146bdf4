import type { ReactNode } from 'react'
import { useClient, useOverlay, useShell } from '../../app/shell.tsx'
import { usePhraseCall } from '../../app/use-phrase-call.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { WholeKey } from '../../ui/whole-key.tsx'

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
  const join = usePhraseCall((given) => client.cloud.join({ cloud, ...given }))
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
      {join.notice}
    </Dialog>
  )
}
