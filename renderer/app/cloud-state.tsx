import { useCallback, useState } from 'react'
import type { ReactNode } from 'react'
import { useStore } from 'zustand'
import { pageAddress } from '../client/address.ts'
import { Button } from '../ui/button.tsx'
import { Fingerprint } from '../ui/fingerprint.tsx'
import { Popover } from '../ui/popover.tsx'
import { RelativeTime } from '../ui/relative-time.tsx'
import { describeCloud } from './cloud-words.ts'
import { useCloud, useOverlay, useShell } from './shell.tsx'
import './cloud-state.css'

/** The right end of the address bar: alone, looking or joined. A click says more. */
export function CloudState(): ReactNode {
  const { host, tabs } = useShell()
  const status = useCloud((state) => state.status)
  const phase = useStore(host.connection.state, (state) => state.phase)
  const [open, setOpen] = useState(false)
  const close = useCallback(() => setOpen(false), [])
  useOverlay(open, 'floats')

  const words = status === null ? null : describeCloud(status)
  const look = phase !== 'connected' ? 'lost' : (status?.state ?? 'looking')
  const short = phase === 'lost' ? 'No connection' : (words?.short ?? 'Starting')
  return (
    <div className="cloud-state">
      <button
        type="button"
        className="cloud-button"
        aria-label={`Cloud: ${short}`}
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <span className={`dot dot-${look}`} aria-hidden="true" />
        {short}
      </button>
      {open && (
        <Popover label="Cloud" onClose={close}>
          {phase === 'lost' || status === null || words === null ? (
            <p>There is no connection to this machine at the moment. Above the page stands why.</p>
          ) : (
            <div className="stack">
              <div>
                <h2>{words.title}</h2>
                <p className="muted">{words.text}</p>
              </div>
              <dl className="facts">
                <dt>Cloud</dt>
                <dd>
                  <Fingerprint value={status.cloud} what="cloud key" />
                </dd>
                <dt>This machine</dt>
                <dd>
                  <Fingerprint value={status.machine} what="machine key" />
                </dd>
                <dt>Connections</dt>
                <dd>{status.connections}</dd>
                <dt>Network</dt>
                <dd>
                  {status.dhtOnline === null
                    ? 'being tried'
                    : status.dhtOnline
                      ? 'reachable'
                      : 'does not answer'}
                </dd>
                <dt>Running since</dt>
                <dd>
                  <RelativeTime timeMs={status.startedMs} />
                </dd>
              </dl>
              <Button
                onClick={() => {
                  setOpen(false)
                  tabs.go(pageAddress('machines'))
                }}
              >
                Show the machines
              </Button>
              <Button
                onClick={() => {
                  setOpen(false)
                  tabs.go(pageAddress('connection'))
                }}
              >
                How it is connected
              </Button>
            </div>
          )}
        </Popover>
      )}
    </div>
  )
}
