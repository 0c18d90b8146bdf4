import type { ReactNode } from 'react'
import { useCloud, useShell, useStoreOf } from '../../app/shell.tsx'
import type { Theme } from '../../../electron/contract/tabs.ts'
import { Button } from '../../ui/button.tsx'
import { Choices } from '../../ui/choices.tsx'
import type { Option } from '../../ui/choices.tsx'
import { Fingerprint, useCopy } from '../../ui/fingerprint.tsx'
import { Loading } from '../../ui/progress.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { LookUpLists } from './look-up-lists.tsx'
import { NameForms } from './name-forms.tsx'
import { OwnMachines } from './own-machines.tsx'
import { PortMapping } from './port-mapping.tsx'
import { RecoveryPhrase } from './recovery-phrase.tsx'
import { RestoreForm } from './restore-form.tsx'
import { ShownInvitations } from './shown-invitations.tsx'
import { YourCloud } from './your-cloud.tsx'
import './settings-page.css'

/** Theme, names, recovery phrase, the person’s machines, the cloud, invitations, look-up lists, the router, data folder, and what this is. */
export function SettingsPage(): ReactNode {
  return (
    <div className="page settings-page">
      <header className="page-head">
        <h1>Settings</h1>
      </header>
      <ThemeChoice />
      <section className="section" aria-labelledby="settings-names">
        <h2 id="settings-names">Names</h2>
        <NameForms />
      </section>
      <section className="section" aria-labelledby="settings-phrase">
        <h2 id="settings-phrase">Recovery phrase</h2>
        <RecoveryPhrase />
      </section>
      <section className="section" aria-labelledby="settings-machines">
        <h2 id="settings-machines">Your machines</h2>
        <OwnMachines />
      </section>
      <section className="section" aria-labelledby="settings-restore">
        <h2 id="settings-restore">Restore from a phrase</h2>
        <RestoreForm />
      </section>
      <section className="section" aria-labelledby="settings-cloud">
        <h2 id="settings-cloud">This cloud</h2>
        <YourCloud />
      </section>
      <section className="section" aria-labelledby="settings-invitations">
        <h2 id="settings-invitations">Invitations</h2>
        <ShownInvitations />
      </section>
      <section className="section" aria-labelledby="settings-lists">
        <h2 id="settings-lists">Look-up lists</h2>
        <LookUpLists />
      </section>
      <section className="section" aria-labelledby="settings-router">
        <h2 id="settings-router">Router</h2>
        <PortMapping />
      </section>
      <DataFolder />
      <About />
    </div>
  )
}

const THEMES: readonly Option<Theme>[] = [
  { value: 'system', label: 'As the computer has it' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
]

function ThemeChoice(): ReactNode {
  const { theme: owner } = useShell()
  const chosen = useStoreOf(
    (shell) => shell.theme.store,
    (state) => state.theme,
  )
  return (
    <section className="section" aria-labelledby="settings-theme">
      <h2 id="settings-theme">Theme</h2>
      <Choices
        labelledBy="settings-theme"
        options={THEMES}
        value={chosen}
        onChange={(theme) => owner.choose(theme)}
      />
    </section>
  )
}

function DataFolder(): ReactNode {
  const dataDir = useCloud((state) => state.status?.dataDir)
  const { copy, copied, failed } = useCopy(dataDir ?? '')
  return (
    <section className="section" aria-labelledby="settings-folder">
      <h2 id="settings-folder">Data folder</h2>
      {dataDir === undefined ? (
        <Loading>Asking this machine</Loading>
      ) : (
        <>
          <p className="muted">
            All that this machine keeps is in this folder. It cannot be used by being copied; the
            recovery phrase is what moves you to another machine.
          </p>
          <div className="row row-wrap">
            <code className="settings-path">{dataDir}</code>
            <Button size="small" onClick={copy}>
              {copied ? 'Copied' : 'Copy the path'}
            </Button>
            <span role="status">{failed ? 'It could not be copied.' : ''}</span>
          </div>
        </>
      )}
    </section>
  )
}

function About(): ReactNode {
  const { host } = useShell()
  const status = useCloud((state) => state.status)
  const person = useStoreOf(
    (shell) => shell.identity,
    (state) => state.identity?.person,
  )
  return (
    <section className="section" aria-labelledby="settings-about">
      <h2 id="settings-about">About</h2>
      {status === null ? (
        <Loading>Asking this machine</Loading>
      ) : (
        <dl className="facts">
          <dt>Dharma</dt>
          <dd>{status.appVersion}</dd>
          <dt>Window</dt>
          <dd>{host.kind === 'desktop' ? 'Desktop window' : 'Page of the headless daemon'}</dd>
          <dt>Running since</dt>
          <dd>
            <RelativeTime timeMs={status.startedMs} />
          </dd>
          <dt>Machine</dt>
          <dd>
            <Fingerprint value={status.machine} what="machine key" />
          </dd>
          {person !== undefined && (
            <>
              <dt>Person</dt>
              <dd>
                <Fingerprint value={person} what="person key" />
              </dd>
            </>
          )}
          <dt>Cloud</dt>
          <dd>
            <Fingerprint value={status.cloud} what="cloud key" />
          </dd>
          <dt>Licence</dt>
          <dd>MIT</dd>
        </dl>
      )}
    </section>
  )
}
