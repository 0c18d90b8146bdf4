import { useEffect, useState } from 'react'
import type { ReactNode } from 'react'
import { useStore } from 'zustand'
import { PERMISSIONS } from '../../../node-runtime/contract/permissions.ts'
import type { Permission } from '../../../node-runtime/contract/permissions.ts'
import type { SystemPreview } from '../../../node-runtime/contract/systems.ts'
import { useClient, useOverlay, useShell } from '../../app/shell.tsx'
import { systemAddress } from '../../client/address.ts'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Toggle } from '../../ui/field.tsx'
import { Fingerprint } from '../../ui/fingerprint.tsx'
import { KeyPicture } from '../../ui/key-picture.tsx'
import { Loading } from '../../ui/progress.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { ForkedKeys } from './forked-keys.tsx'
import { InstallNotes } from './install-notes.tsx'
import { RepositoryForm } from './repository-form.tsx'
import { describeSize } from './size.ts'
import './install-prompt.css'

/** A prompt takes no answer this long after it appeared, against clicks meant for what was there before. */
const UNANSWERABLE_MS = 500

/** True once `since` has stood for as long as a person needs to see it. */
function useAnswerable(since: unknown): boolean {
  const [answerable, setAnswerable] = useState(false)
  useEffect(() => {
    setAnswerable(false)
    const timer = setTimeout(() => setAnswerable(true), UNANSWERABLE_MS)
    return () => clearTimeout(timer)
  }, [since])
  return answerable
}

interface InstallPromptProps {
  url: string
  onClose: () => void
}

/** Preview, permissions, yes or no, progress, and then the door. Asked by the window, never by a page. */
export function InstallPrompt({ url, onClose }: InstallPromptProps): ReactNode {
  const client = useClient()
  const { tabs, host } = useShell()
  const connected = useStore(host.connection.state, ({ phase }) => phase === 'connected')
  const [preview, setPreview] = useState<SystemPreview | null>(null)
  const [grant, setGrant] = useState<readonly Permission[]>([])
  const [removing, setRemoving] = useState<readonly string[]>([])
  const [installed, setInstalled] = useState<string | null>(null)
  const look = useCall(async () => {
    const found = await client.systems.preview({ url })
    setPreview(found)
    setGrant(firstGrant(found))
    setRemoving([])
  })
  const install = useCall(async () => {
    if (preview === null) return
    const { url, commit } = preview
    const { host } = await client.systems.install({ url, commit, grant: [...grant] })
    for (const system of removing) await client.systems.uninstall({ system, deleteData: false })
    setInstalled(host)
  })
  const answerable = useAnswerable(preview)
  useOverlay(true, 'dims')
  useEffect(() => {
    if (connected && preview === null) void look.run()
    // Once for each prompt and connection; "Try again" is the person's.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [connected])

  const lookAgain = (): void => {
    setPreview(null)
    install.clear()
    void look.run()
  }
  const actions =
    preview === null ? (
      <Button onClick={onClose}>Cancel</Button>
    ) : installed !== null ? (
      <>
        <Button onClick={onClose}>Close</Button>
        <Button
          look="primary"
          onClick={() => {
            onClose()
            tabs.go(systemAddress(installed))
          }}
        >
          Open
        </Button>
      </>
    ) : (
      <>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          look="primary"
          disabled={!answerable}
          pending={install.pending}
          onClick={() => void install.run()}
        >
          {install.pending ? 'Installing' : installWord(preview)}
        </Button>
      </>
    )

  return (
    <Dialog
      title={
        installed !== null ? `${preview?.name ?? 'The system'} is installed` : 'Install a system'
      }
      placement="prompt"
      onClose={onClose}
      actions={actions}
    >
      {preview === null && look.error === null && (
        <Loading>{connected ? `Reading ${url}` : 'Waiting for this machine'}</Loading>
      )}
      {look.error !== null && (
        <>
          <ErrorNotice error={look.error} />
          <ForkedKeys error={look.error} onForgotten={lookAgain} />
          <RepositoryForm
            refused={url}
            onRetry={look.error.code === 'REPO_URL_INVALID' ? null : lookAgain}
          />
        </>
      )}
      {preview !== null && installed === null && (
        <>
          <Head preview={preview} />
          <InstallNotes
            preview={preview}
            removing={removing}
            disabled={install.pending}
            onRemoving={setRemoving}
          />
          <Facts preview={preview} />
          <Permissions
            asked={preview.permissions}
            fresh={preview.changes?.permissions ?? []}
            grant={grant}
            disabled={install.pending}
            onChange={setGrant}
          />
          {install.error !== null && (
            <ErrorNotice
              error={install.error}
              action={
                <Button size="small" onClick={lookAgain}>
                  Look at it again
                </Button>
              }
            />
          )}
        </>
      )}
      {preview !== null && installed !== null && (
        <p role="status">
          Version {preview.version} is on this machine, at exactly the commit you saw. It can be
          changed or removed on the Systems page.
        </p>
      )}
    </Dialog>
  )
}

/**
 * What is ticked when the prompt opens: all that a new system asks for; of an installed one what it
 * has. A permission that came with the update is for the person to give.
 */
function firstGrant({ permissions, installed }: SystemPreview): Permission[] {
  return permissions.filter(
    (permission) => installed === null || installed.granted.includes(permission),
  )
}

function installWord({ installed, changes, commit }: SystemPreview): string {
  if (installed === null) return 'Install'
  if (installed.commit === commit) return 'Install again'
  return changes?.older === true ? 'Go back' : 'Update'
}

function Head({ preview }: { preview: SystemPreview }): ReactNode {
  return (
    <div className="install-head">
      {preview.icon === null ? (
        <KeyPicture text={preview.key} size={44} />
      ) : (
        <img className="system-icon" src={preview.icon} alt="" width={44} height={44} />
      )}
      <div>
        <h3>{preview.name}</h3>
        <p className="muted">{preview.description ?? preview.id}</p>
      </div>
    </div>
  )
}

function Facts({ preview }: { preview: SystemPreview }): ReactNode {
  return (
    <dl className="facts">
      <dt>Version</dt>
      <dd>{preview.version}</dd>
      <dt>Author</dt>
      <dd title="As the repository says it: a claim, not a proof">
        {preview.author.name} &lt;{preview.author.email}&gt;
      </dd>
      <dt>Signed</dt>
      <dd className="row">
        {preview.publisher === null ? (
          <span className="muted">By nobody: it is known by its address alone</span>
        ) : (
          <>
            By <Fingerprint value={preview.publisher} what="publisher’s key" />
          </>
        )}
      </dd>
      <dt>Commit</dt>
      <dd className="row">
        <Fingerprint value={preview.commit} what="commit" short={preview.commit.slice(0, 10)} />
        <span className="muted">
          <RelativeTime timeMs={preview.committedMs} />
        </span>
      </dd>
      <dt>Size</dt>
      <dd>
        {describeSize(preview.sizeBytes)} in {preview.fileCount}{' '}
        {preview.fileCount === 1 ? 'file' : 'files'}
      </dd>
      <dt>From</dt>
      <dd className="install-url">{preview.url}</dd>
    </dl>
  )
}

interface PermissionsProps {
  asked: readonly Permission[]
  /** Those that the installed version did not ask for. */
  fresh: readonly Permission[]
  grant: readonly Permission[]
  disabled: boolean
  onChange: (grant: readonly Permission[]) => void
}

function Permissions({ asked, fresh, grant, disabled, onChange }: PermissionsProps): ReactNode {
  return (
    <fieldset className="install-permissions">
      <legend>{asked.length === 0 ? 'It asks for no permissions.' : 'It asks for'}</legend>
      {asked.map((permission) => (
        <Toggle
          key={permission}
          look="checkbox"
          label={labelOf(permission, fresh)}
          description={PERMISSIONS[permission].description}
          checked={grant.includes(permission)}
          disabled={disabled}
          onChange={(checked) =>
            onChange(asked.filter((each) => (each === permission ? checked : grant.includes(each))))
          }
        />
      ))}
      {grant.length < asked.length && (
        <p className="muted">
          What needs a permission you leave out will not work. You can give it later.
        </p>
      )}
    </fieldset>
  )
}

function labelOf(permission: Permission, fresh: readonly Permission[]): string {
  const { title } = PERMISSIONS[permission]
  return fresh.includes(permission) ? `${title} (new in this version)` : title
}
