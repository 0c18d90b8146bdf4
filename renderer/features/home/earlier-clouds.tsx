import { useState } from 'react'
import type { ReactNode } from 'react'
import type { KnownCloud } from '../../../node-runtime/contract/cloud.ts'
import { Button } from '../../ui/button.tsx'
import { Fingerprint, shortKey } from '../../ui/fingerprint.tsx'
import { JoinDialog } from './join-dialog.tsx'

/** The way back to the clouds that this machine was in before. */
export function EarlierClouds({ clouds }: { clouds: readonly KnownCloud[] }): ReactNode {
  const [asked, setAsked] = useState<string | null>(null)
  const stop = (): void => setAsked(null)
  return (
    <section className="section" aria-labelledby="home-earlier">
      <h2 id="home-earlier">Earlier clouds</h2>
      <p className="muted">
        This machine was in them before. What it wrote there is kept, and is there again when you go
        back.
      </p>
      <ul className="earlier-clouds">
        {clouds.map(({ cloud, originated }) => (
          <li key={cloud}>
            <Fingerprint value={cloud} what="cloud key" />
            <span className="muted">{originated ? 'Started by this machine' : 'Joined'}</span>
            <Button
              size="small"
              aria-label={`Go back to ${shortKey(cloud)}`}
              onClick={() => setAsked(cloud)}
            >
              Go back
            </Button>
          </li>
        ))}
      </ul>
      {asked !== null && <JoinDialog back cloud={asked} onClose={stop} onJoined={stop} />}
    </section>
  )
}
