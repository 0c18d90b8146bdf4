import { Globe, History, ListTree, ShieldAlert, ShieldQuestionMark, Wifi } from 'lucide-react'
import type { ReactNode } from 'react'
import type { ConnectionReport, WayReport } from '../../../node-runtime/contract/connection.ts'
import { ListState } from '../../app/list-state.tsx'
import { PageLink } from '../../app/page-link.tsx'
import { useShell } from '../../app/shell.tsx'
import { useConnectionReport } from '../../app/use-connection-report.ts'
import { pageAddress } from '../../client/address.ts'
import { Button } from '../../ui/button.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { useCopy } from '../../ui/fingerprint.tsx'
import { Loading } from '../../ui/progress.tsx'
import './connection-page.css'

const STATES: Record<ConnectionReport['state'], string> = {
  alone:
    'This machine began its cloud, and is alone in it. It works as the whole cloud, and goes on looking for others.',
  looking: 'No other machine is linked yet. They are looked for in every way there is.',
  joined: 'This machine is linked with others of its cloud.',
}

const WAYS: Record<WayReport['way'], { title: string; icon: ReactNode }> = {
  memory: { title: 'From memory', icon: <History /> },
  lan: { title: 'Local network', icon: <Wifi /> },
  list: { title: 'Lists', icon: <ListTree /> },
  dht: { title: 'DHT', icon: <Globe /> },
}

const WAY_STATES: Record<WayReport['state'], string> = {
  off: 'Off',
  waiting: 'Waiting',
  asking: 'Looking',
  answered: 'Done',
  failed: 'Failed',
}

const ROUTERS: Record<ConnectionReport['nat'], string> = {
  open: 'Others reach this machine from outside.',
  home: 'Others reach this machine with its help, as behind most routers at home.',
  symmetric: 'Others reach this machine, unless their router is as strict as this one.',
  unknown: 'Not known yet.',
}

/** How this machine looks for the others: each way, what came of it, and what can be done. */
export function ConnectionPage(): ReactNode {
  const { report, error } = useConnectionReport()
  return (
    <div className="page connection-page">
      <div className="page-head">
        <h1>Connection</h1>
        <p role="status">{report === null ? '' : STATES[report.state]}</p>
      </div>
      {error !== null && <ErrorNotice error={error} />}
      {report === null && error === null && <Loading>Asking this machine</Loading>}
      {report !== null && (
        <>
          {isOutside(report) && <NotAdmitted admission={report.admission} />}
          <section className="section" aria-labelledby="ways">
            <h2 id="ways">Ways to the other machines</h2>
            <ul className="ways">
              {report.ways.map((way) => (
                <Way key={way.way} way={way} lists={report.lists.length} />
              ))}
            </ul>
          </section>
          {report.lists.length > 0 && (
            <section className="section" aria-labelledby="lists">
              <h2 id="lists">Look-up lists</h2>
              <ul className="ways">
                {report.lists.map((list) => (
                  <li key={list.url} className="way">
                    <div className="way-words">
                      <h3 className="mono list-address">{list.url}</h3>
                      <ListState list={list} />
                    </div>
                  </li>
                ))}
              </ul>
            </section>
          )}
          <section className="section" aria-labelledby="this-machine">
            <h2 id="this-machine">This machine</h2>
            <dl className="facts">
              <dt>Admission</dt>
              <dd>{report.admission.message}</dd>
              <dt>Links</dt>
              <dd>{describeLinks(report)}</dd>
              {report.relaying !== null && (
                <>
                  <dt>Relaying</dt>
                  <dd>{describeRelaying(report.relaying)}</dd>
                </>
              )}
              <dt>Clock</dt>
              <dd className={isClockOff(report) ? 'fact-wrong' : ''}>{report.clock.message}</dd>
              <dt>Router</dt>
              <dd>{ROUTERS[report.nat]}</dd>
              <dt>Port</dt>
              <dd>
                <span>
                  {report.ports.message} <PageLink page="settings">Settings</PageLink>
                </span>
              </dd>
              <dt>Found at</dt>
              <dd>
                {report.addresses.length === 0 ? 'Not known yet.' : report.addresses.join(', ')}
              </dd>
            </dl>
          </section>
          <Details report={report} />
        </>
      )}
    </div>
  )
}

/** Why others do not let this machine in, and what can be done at once. */
function NotAdmitted({ admission }: { admission: ConnectionReport['admission'] }): ReactNode {
  const { join, tabs } = useShell()
  // Whoever may lie must lead nobody anywhere, as to an invitation of their own.
  if (admission.hearsay) {
    return (
      <div
        className="not-admitted not-admitted-hearsay"
        role="note"
        aria-label="Said by one machine"
      >
        <ShieldQuestionMark aria-hidden="true" />
        <p>{admission.message}</p>
      </div>
    )
  }
  return (
    <div className="not-admitted" role="alert">
      <ShieldAlert aria-hidden="true" />
      <p>{admission.message}</p>
      {admission.kind === 'invitation' && (
        <Button
          onClick={() => {
            join.setState({ inFront: true })
            tabs.go(pageAddress('home'))
          }}
        >
          Join with an invitation
        </Button>
      )}
    </div>
  )
}

/** All of it as programs have it, for whoever helps. */
function Details({ report }: { report: ConnectionReport }): ReactNode {
  const text = JSON.stringify(report, null, 2)
  const { copy, copied, failed } = useCopy(text)
  return (
    <details className="more">
      <summary>All of this for somebody who helps</summary>
      <p className="muted">It has the addresses of this machine in it, and no secret.</p>
      <pre className="connection-report">{text}</pre>
      <div className="row">
        <Button size="small" onClick={copy}>
          {copied ? 'Copied' : 'Copy it'}
        </Button>
        <span role="status">{failed ? 'It could not be copied. Select it instead.' : ''}</span>
      </div>
    </details>
  )
}

function isClockOff({ clock }: ConnectionReport): boolean {
  return clock.state === 'ahead' || clock.state === 'behind'
}

function describeLinks({ links, nat }: ConnectionReport): string {
  const { direct, relayed } = links
  if (relayed === 0) return `${direct} direct`
  const why =
    nat === 'symmetric'
      ? 'this machine’s router gives each of the others another port, so with routers like it no direct way comes'
      : 'no direct way has come yet, and it goes on being tried'
  return `${direct} direct, ${relayed} through another machine of the cloud, which can’t read along: ${why}`
}

function describeRelaying(count: number): string {
  return `Others that can’t meet directly may go through this machine; ${count === 0 ? 'none does' : `${count} do`} now.`
}

/** Will others not let this machine in, as it is? */
function isOutside({ admission }: ConnectionReport): boolean {
  return admission.state === 'missing' || admission.state === 'refused'
}

function Way({ way, lists }: { way: WayReport; lists: number }): ReactNode {
  const { title, icon } = WAYS[way.way]
  /** There is nothing to ask. */
  const isEmpty = way.way === 'list' && way.state !== 'off' && lists === 0
  return (
    <li className={`way way-${isEmpty ? 'off' : way.state}`}>
      <span className="way-icon" aria-hidden="true">
        {icon}
      </span>
      <div className="way-words">
        <h3>{title}</h3>
        <p className="muted">
          {way.message}
          {isEmpty && (
            <>
              {' '}
              <PageLink page="settings">Add a list</PageLink>
            </>
          )}
        </p>
        {way.step !== null && (
          <p className="way-step">
            Failed at <code>{way.step}</code>
          </p>
        )}
      </div>
      <span className="way-state">
        {isEmpty ? 'None' : WAY_STATES[way.state]}
        {way.tookMs !== null && !isEmpty && (
          <span className="muted"> in {describeTime(way.tookMs)}</span>
        )}
      </span>
    </li>
  )
}

function describeTime(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`
}
