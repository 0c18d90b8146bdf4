import type { ReactNode } from 'react'
import { useOverlay } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { WholeKey } from '../../ui/whole-key.tsx'
import { useJoining } from './use-joining.ts'

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
  const { join, pending, notice } = useJoining({ cloud }, onJoined)
  useOverlay(true, 'dims')
  return (
    <Dialog
      title={back ? 'Go back to this cloud?' : 'Join this cloud?'}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" pending={pending} onClick={join}>
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
      {notice}
    </Dialog>
  )
}
