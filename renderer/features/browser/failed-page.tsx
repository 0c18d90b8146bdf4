import { CloudOff, PackageOpen } from 'lucide-react'
import type { ReactNode } from 'react'
import type { InstalledSystem } from '../../../node-runtime/contract/systems.ts'
import type { ViewState } from '../../../electron/contract/tabs.ts'
import { Button } from '../../ui/button.tsx'
import { useCopy } from '../../ui/fingerprint.tsx'
import './failed-page.css'

interface FailedPageProps {
  address: string
  failure: NonNullable<ViewState['failure']>
  /** The system of this address, if it is installed by now. */
  system: Pick<InstalledSystem, 'name'> | null
  onRetry: () => void
  onHome: () => void
  onSystems: () => void
}

/** What loading again does not change: it is for the person to install or to choose. */
const ABOUT_SYSTEMS: Partial<Record<string, { title: string; advice: string }>> = {
  SYSTEM_NOT_INSTALLED: {
    title: 'This system is not installed.',
    advice:
      'Systems are installed from the address of their repository: ask for it where you have this address from, and paste it on the Systems page. Then come back.',
  },
  SYSTEM_ID_AMBIGUOUS: {
    title: 'Several systems have this name.',
    advice: 'Open the one you mean from the Systems page.',
  },
}

/** What stands where a page would that did not load. */
export function FailedPage({
  address,
  failure,
  system,
  onRetry,
  onHome,
  onSystems,
}: FailedPageProps): ReactNode {
  const isBack = failure.code === 'SYSTEM_NOT_INSTALLED' && system !== null
  const about = isBack
    ? { title: `${system.name} is installed now.`, advice: 'It was not when this page ended.' }
    : ABOUT_SYSTEMS[failure.code]
  const { copy, copied } = useCopy(`${address}\n${failure.code}\n${failure.message}`)
  return (
    <div className="page failed-page">
      {about === undefined ? <CloudOff aria-hidden="true" /> : <PackageOpen aria-hidden="true" />}
      <header className="page-head">
        <h1>{about?.title ?? 'This page did not load.'}</h1>
        <p>{about?.advice ?? failure.message}</p>
        <p className="failed-address">
          {address}
          <br />
          <code>{failure.code}</code>
        </p>
      </header>
      <div className="row row-wrap">
        {about === undefined || isBack ? (
          <Button look="primary" onClick={onRetry}>
            {isBack ? 'Open' : 'Try again'}
          </Button>
        ) : (
          <Button look="primary" onClick={onSystems}>
            Go to Systems
          </Button>
        )}
        <Button onClick={onHome}>Go to Home</Button>
        <Button look="quiet" onClick={copy}>
          {copied ? 'Copied' : 'Copy the details'}
        </Button>
      </div>
    </div>
  )
}
