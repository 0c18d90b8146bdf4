import { CloudOff } from 'lucide-react'
import type { ReactNode } from 'react'
import type { ViewState } from '../../../electron/contract/tabs.ts'
import { Button } from '../../ui/button.tsx'
import { useCopy } from '../../ui/fingerprint.tsx'
import './failed-page.css'

interface FailedPageProps {
  address: string
  failure: NonNullable<ViewState['failure']>
  onRetry: () => void
  onHome: () => void
}

/** What stands where a page would that did not load. */
export function FailedPage({ address, failure, onRetry, onHome }: FailedPageProps): ReactNode {
  const { copy, copied } = useCopy(`${address}\n${failure.code}\n${failure.message}`)
  return (
    <div className="page failed-page">
      <CloudOff aria-hidden="true" />
      <header className="page-head">
        <h1>This page did not load.</h1>
        <p>{failure.message}</p>
        <p className="failed-address">
          {address}
          <br />
          <code>{failure.code}</code>
        </p>
      </header>
      <div className="row row-wrap">
        <Button look="primary" onClick={onRetry}>
          Try again
        </Button>
        <Button onClick={onHome}>Go to Home</Button>
        <Button look="quiet" onClick={copy}>
          {copied ? 'Copied' : 'Copy the details'}
        </Button>
      </div>
    </div>
  )
}
