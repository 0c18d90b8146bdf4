import { useState } from 'react'
import type { ReactNode } from 'react'
import type { InstalledSystem } from '../../../node-runtime/contract/systems.ts'
import { useClient, useOverlay, useShell } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Toggle } from '../../ui/field.tsx'

interface UninstallDialogProps {
  system: InstalledSystem
  onClose: () => void
}

/** Says what happens to the data before it happens. */
export function UninstallDialog({ system, onClose }: UninstallDialogProps): ReactNode {
  const client = useClient()
  const { notices } = useShell()
  const [deleteData, setDeleteData] = useState(false)
  const uninstall = useCall(() => client.systems.uninstall({ system: system.key, deleteData }))
  useOverlay(true, 'dims')
  return (
    <Dialog
      title={`Uninstall ${system.name}?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="danger"
            pending={uninstall.pending}
            onClick={() =>
              void uninstall.run().then((done) => {
                if (done) notices.say(`${system.name} was uninstalled.`)
              })
            }
          >
            Uninstall
          </Button>
        </>
      }
    >
      <p>
        The system is removed from this machine. Its records stay in the cloud: what you and others
        wrote is there again when you install it again.
      </p>
      <Toggle
        look="checkbox"
        label="Also delete what I wrote with it"
        description="Your own records of this system are deleted on all machines. This cannot be undone. What others wrote, and what you signed together with others, stays."
        checked={deleteData}
        disabled={uninstall.pending}
        onChange={setDeleteData}
      />
      {uninstall.error !== null && <ErrorNotice error={uninstall.error} />}
    </Dialog>
  )
}
