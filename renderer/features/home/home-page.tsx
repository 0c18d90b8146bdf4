import { Info, PackageOpen } from 'lucide-react'
import { useState } from 'react'
import type { ReactNode } from 'react'
import type { CloudStatus } from '../../../node-runtime/contract/cloud.ts'
import type { InstalledSystem } from '../../../node-runtime/contract/systems.ts'
import { describeCloud } from '../../app/cloud-words.ts'
import { useCloud, useShell, useStoreOf, useSystems } from '../../app/shell.tsx'
import { systemAddress } from '../../client/address.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Loading } from '../../ui/progress.tsx'
import { RepositoryForm } from '../systems/repository-form.tsx'
import { SystemIcon } from '../systems/system-icon.tsx'
import { EarlierClouds } from './earlier-clouds.tsx'
import { FirstQuestion } from './first-question.tsx'
import { Invite } from './invite.tsx'
import { JoinForm } from './join-form.tsx'
import { PageLink } from '../../app/page-link.tsx'
import { StartCloud } from './start-cloud.tsx'
import './home-page.css'

/** Where one is, what is here, and what to do next. */
export function HomePage(): ReactNode {
  const status = useCloud((state) => state.status)
  const error = useCloud((state) => state.error)
  const systems = useSystems((state) => state.systems)
  const known = useCloud((state) => state.known)
  const earlier = known.filter(({ current }) => !current).toReversed()
  // Nobody was ever met here: the key may be wrong, and the way back belongs where one looks first.
  const isLost = status?.state === 'looking' && status.machinesKnown === 1
  const words = status === null ? null : describeCloud(status)
  const joinsFirst = useStoreOf(
    (shell) => shell.join,
    (state) => state.inFront,
  )
  const isNew = useIsNew()
  return (
    <div className="page">
      <header className="page-head">
        <h1>{words?.title ?? 'Welcome to Dharma.'}</h1>
        {words !== null && (
          <p>
            {words.text} <PageLink page="machines">See the machines</PageLink>
          </p>
        )}
        {error !== null && <ErrorNotice error={error} />}
        {status !== null && <Notices notices={status.notices} />}
        {status === null && error === null && <Loading>Asking this machine</Loading>}
      </header>
      {isNew === true && <FirstQuestion />}
      {status !== null && joinsFirst && <Join present={status.cloud} title="Join a cloud" />}
      {isLost && earlier.length > 0 && <EarlierClouds clouds={earlier} />}

      <section className="section" aria-labelledby="home-systems">
        <div className="section-head">
          <h2 id="home-systems">Your systems</h2>
          {systems !== null && systems.length > 0 && <PageLink page="systems">Manage</PageLink>}
        </div>
        {systems === null && <Loading>Reading the list</Loading>}
        {systems !== null && systems.length > 0 && <SystemTiles systems={systems} />}
        {systems?.length === 0 && (
          <>
            <EmptyState icon={<PackageOpen />} title="Install your first system">
              Systems are the apps of the cloud: games, tournaments, tools. Paste the address of a
              repository, and look at what it is and what it asks for. Event Games comes with
              Dharma: its README says how to get an address for it.
            </EmptyState>
            <RepositoryForm />
          </>
        )}
      </section>

      {status !== null && isNew === false && (
        <div className="home-columns">
          <Invite key={status.cloud} cloud={status.cloud} />
          {!joinsFirst && <Join present={status.cloud} title="Join another cloud" />}
        </div>
      )}
      {!isLost && earlier.length > 0 && <EarlierClouds clouds={earlier} />}
    </div>
  )
}

/**
 * Nothing was done in this folder yet, and what it is to be was not asked. Null until that is known, unless it
 * can't be.
 */
function useIsNew(): boolean | null {
  const systems = useSystems((state) => state.systems)
  const status = useCloud((state) => state.status)
  const known = useCloud((state) => state.known)
  const hasFailed = useFailed()
  const isChosen = useStoreOf(
    (shell) => shell.preferences,
    (state) => state.beginningChosen,
  )
  const isAlone = status?.state === 'alone' && status.machinesKnown === 1
  if (isChosen || !isAlone || hasFailed) return false
  if (systems === null || known.length === 0) return null
  return known.length === 1 && systems.length === 0
}

function useFailed(): boolean {
  const systems = useSystems((state) => state.error)
  const cloud = useCloud((state) => state.error)
  return systems !== null || cloud !== null
}

function Join({ present, title }: { present: string; title: string }): ReactNode {
  const [starting, setStarting] = useState(false)
  const stop = (): void => setStarting(false)
  return (
    <section className="section" aria-labelledby="home-join">
      <h2 id="home-join">{title}</h2>
      <JoinForm present={present} />
      <div>
        <Button look="quiet" size="small" className="home-start" onClick={() => setStarting(true)}>
          Or start a cloud of your own
        </Button>
      </div>
      {starting && <StartCloud onClose={stop} onStarted={stop} />}
    </section>
  )
}

/** What this machine has to say of itself, calmly: nothing here stops anybody from going on. */
function Notices({ notices }: { notices: CloudStatus['notices'] }): ReactNode {
  if (notices.length === 0) return null
  return (
    <ul className="home-notices" aria-label="About this machine">
      {notices.map(({ code, message }) => (
        <li key={`${code} ${message}`}>
          <Info aria-hidden="true" />
          <p>{message}</p>
        </li>
      ))}
    </ul>
  )
}

function SystemTiles({ systems }: { systems: readonly InstalledSystem[] }): ReactNode {
  const { tabs } = useShell()
  return (
    <ul className="tiles">
      {systems.map((system) => (
        <li key={system.key}>
          <a
            className="tile"
            href={systemAddress(system.host)}
            aria-label={`Open ${system.name}`}
            onClick={(event) => {
              event.preventDefault()
              if (event.ctrlKey || event.metaKey) {
                tabs.open(systemAddress(system.host), { behind: true })
              } else tabs.go(systemAddress(system.host))
            }}
          >
            <SystemIcon id={system.id} system={system} size={40} />
            <span>
              <strong>{system.name}</strong>
              <span className="muted tile-text">{system.description ?? system.id}</span>
            </span>
          </a>
        </li>
      ))}
    </ul>
  )
}
