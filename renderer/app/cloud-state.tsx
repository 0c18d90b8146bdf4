import type { ReactNode } from 'react'
import { useStore } from 'zustand'
import { pageAddress } from '../client/address.ts'
import { describeCloud } from './cloud-words.ts'
import { useCloud, useShell } from './shell.tsx'
import './cloud-state.css'

/** The right end of the toolbar: alone, looking or joined. A click opens Connection, which says more. */
export function CloudState({ address }: { address: string }): ReactNode {
  const { host, tabs } = useShell()
  const status = useCloud((state) => state.status)
  const phase = useStore(host.connection.state, (state) => state.phase)
  const words = status === null ? null : describeCloud(status)
  const look = phase !== 'connected' ? 'lost' : (status?.state ?? 'looking')
  const short = phase === 'lost' ? 'No connection' : (words?.short ?? 'Starting')
  const connection = pageAddress('connection')
  return (
    <button
      type="button"
      className="cloud-button"
      aria-label={`Cloud: ${short}`}
      aria-current={address === connection ? 'page' : undefined}
      title="How this machine is connected"
      onClick={() => tabs.go(connection)}
    >
      <span className={`dot dot-${look}`} aria-hidden="true" />
      {short}
    </button>
  )
}
