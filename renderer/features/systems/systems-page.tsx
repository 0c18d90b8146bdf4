import { PackageOpen } from 'lucide-react'
import { useState } from 'react'
import type { ReactNode } from 'react'
import { PERMISSIONS } from '../../../node-runtime/contract/permissions.ts'
import type { InstalledSystem } from '../../../node-runtime/contract/systems.ts'
import { useClient, useShell, useSystems } from '../../app/shell.tsx'
import { systemAddress } from '../../client/address.ts'
import { Button } from '../../ui/button.tsx'
import { useCall } from '../../ui/call.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Toggle } from '../../ui/field.tsx'
import { Fingerprint } from '../../ui/fingerprint.tsx'
import { Loading } from '../../ui/progress.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { RepositoryForm } from './repository-form.tsx'
import { describeSize } from './size.ts'
import { SystemIcon } from './system-icon.tsx'
import { UninstallDialog } from './uninstall-dialog.tsx'
import './systems-page.css'

/** What is installed on this machine, what it may do, and where more comes from. */
export function SystemsPage(): ReactNode {
  const systems = useSystems((state) => state.systems)
  const error = useSystems((state) => state.error)
  return (
    <div className="page">
      <header className="page-head">
        <h1>Systems</h1>
        <p>
          A system is an app that comes from a repository and runs on the machines of the cloud.
          Each can do only what you allow it.
        </p>
      </header>
      <section className="section" aria-labelledby="install-title">
        <h2 id="install-title">Install from a repository</h2>
        <RepositoryForm />
      </section>
      <section className="section" aria-labelledby="installed-title">
        <h2 id="installed-title">Installed</h2>
        {error !== null && <ErrorNotice error={error} />}
        {systems === null && error === null && <Loading>Reading the list</Loading>}
        {systems?.length === 0 && (
          <EmptyState icon={<PackageOpen />} title="Nothing is installed yet">
            Paste the address of a system’s repository above. You see who wrote it and what it asks
            for before anything is installed.
          </EmptyState>
        )}
        {systems !== null && systems.length > 0 && (
          <ul className="system-list" aria-label="Installed systems">
            {systems.map((system) => (
              <li key={system.key}>
                <SystemCard system={system} />
              </li>
            ))}
          </ul>
        )}
      </section>
    </div>
  )
}

function SystemCard({ system }: { system: InstalledSystem }): ReactNode {
  const client = useClient()
  const { tabs, overlays } = useShell()
  const [removing, setRemoving] = useState(false)
  const setGrant = useCall((grant: InstalledSystem['granted']) =>
    client.systems.setGrant({ system: system.key, grant }),
  )
  return (
    <article className="card system-card" aria-label={system.name}>
      <header className="system-head">
        <SystemIcon id={system.id} system={system} size={40} />
        <div>
          <h3>{system.name}</h3>
          <p className="muted">{system.description ?? system.id}</p>
          {/* Another system has its id: this is how the two are told apart. */}
          {system.host !== system.id && <p className="muted mono">{system.host}</p>}
        </div>
        <Button look="primary" onClick={() => tabs.go(systemAddress(system.host))}>
          Open
        </Button>
      </header>
      <div className="system-columns">
        <div className="stack">
          {system.permissions.length === 0 && <p className="muted">It asks for no permissions.</p>}
          {system.permissions.map((permission) => (
            <Toggle
              key={permission}
              label={PERMISSIONS[permission].title}
              description={PERMISSIONS[permission].description}
              checked={system.granted.includes(permission)}
              disabled={setGrant.pending}
              onChange={(checked) =>
                void setGrant.run(
                  system.permissions.filter((each) =>
                    each === permission ? checked : system.granted.includes(each),
                  ),
                )
              }
            />
          ))}
          {setGrant.error !== null && <ErrorNotice error={setGrant.error} />}
        </div>
        <dl className="facts">
          <dt>Version</dt>
          <dd>{system.version}</dd>
          <dt>Commit</dt>
          <dd>
            <Fingerprint value={system.commit} what="commit" short={system.commit.slice(0, 10)} />
          </dd>
          <dt>Author</dt>
          <dd>{system.author.name}</dd>
          <dt>Signed</dt>
          <dd>
            {system.publisher === null ? (
              'By nobody'
            ) : (
              <Fingerprint value={system.publisher} what="publisher’s key" />
            )}
          </dd>
          <dt>Size</dt>
          <dd>{describeSize(system.sizeBytes)}</dd>
          <dt>Installed</dt>
          <dd>
            <RelativeTime timeMs={system.installedMs} />
          </dd>
        </dl>
      </div>
      <footer className="system-foot">
        <span className="muted system-url">{system.url}</span>
        <Button size="small" onClick={() => overlays.setState({ installUrl: system.url })}>
          Look for an update
        </Button>
        <Button size="small" onClick={() => setRemoving(true)}>
          Uninstall
        </Button>
      </footer>
      {removing && <UninstallDialog system={system} onClose={() => setRemoving(false)} />}
    </article>
  )
}
