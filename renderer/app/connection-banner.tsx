import { useEffect, useState } from 'react'
import type { ReactNode } from 'react'
import { useStore } from 'zustand'
import { Button } from '../ui/button.tsx'
import { Spinner } from '../ui/progress.tsx'
import { useShell } from './shell.tsx'

/** Says that this machine does not answer, why, and when it is tried again, if that can help. */
export function ConnectionBanner(): ReactNode {
  const { connection } = useShell().host
  const { phase, retryAtMs, failure } = useStore(connection.state)
  if (phase !== 'lost') return null
  const isRefused = failure?.code === 'UNAUTHENTICATED'
  return (
    <div className="banner" role="alert">
      {retryAtMs === null && !isRefused && <Spinner />}
      <p>
        <strong>
          {isRefused
            ? 'This page has no access to the machine.'
            : 'Connection to this machine lost, retrying.'}
        </strong>{' '}
        {failure?.message}
      </p>
      {retryAtMs !== null && <Countdown untilMs={retryAtMs} />}
      {!isRefused && (
        <Button size="small" disabled={retryAtMs === null} onClick={() => connection.retry()}>
          Try now
        </Button>
      )}
    </div>
  )
}

function Countdown({ untilMs }: { untilMs: number }): ReactNode {
  const [nowMs, setNowMs] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 500)
    return () => clearInterval(timer)
  }, [])
  const seconds = Math.max(0, Math.ceil((untilMs - nowMs) / 1000))
  // Not read out: the seconds would drown everything else.
  return (
    <span className="muted" aria-hidden="true">
      in {seconds} s
    </span>
  )
}
