import { Globe, History, ListTree, ShieldAlert, Wifi } from 'lucide-react'
import type { ReactNode } from 'react'
import type { ConnectionReport, WayReport } from '../../../node-runtime/contract/cloud.ts'
import { ListState } from '../../app/list-state.tsx'
import { useConnectionReport } from '../../app/use-connection-report.ts'
import { ErrorNotice } from '../../ui/error-notice.tsx'
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
          {isOutside(report) && (
            <p className="not-admitted" role="alert">
              <ShieldAlert aria-hidden="true" />
              {report.admission.message}
            </p>
          )}
          <section className="section" aria-labelledby="ways">
            <h2 id="ways">Ways to the other machines</h2>
            <ul className="ways">
              {report.ways.map((way) => (
                <Way key={way.way} way={way} />
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
              <dd>{describeLinks(report.links)}</dd>
              {report.relaying !== null && (
                <>
                  <dt>Relaying</dt>
                  <dd>{describeRelaying(report.relaying)}</dd>
                </>
              )}
              <dt>Router</dt>
              <dd>{ROUTERS[report.nat]}</dd>
              <dt>Port</dt>
              <dd>{report.ports.message}</dd>
              <dt>Found at</dt>
              <dd>
                {report.addresses.length === 0 ? 'Not known yet.' : report.addresses.join(', ')}
              </dd>
            </dl>
          </section>
        </>
      )}
    </div>
  )
}

function describeLinks({ direct, relayed }: ConnectionReport['links']): string {
  if (relayed === 0) return `${direct} direct`
  return `${direct} direct, ${relayed} through another machine of the cloud, which can’t read along`
}

function describeRelaying(count: number): string {
  return `Others that can’t meet directly may go through this machine; ${count === 0 ? 'none does' : `${count} do`} now.`
}

/** Will others not let this machine in, as it is? */
function isOutside({ admission }: ConnectionReport): boolean {
  return admission.state === 'missing' || admission.state === 'refused'
}

function Way({ way }: { way: WayReport }): ReactNode {
  const { title, icon } = WAYS[way.way]
  return (
    <li className={`way way-${way.state}`}>
      <span className="way-icon" aria-hidden="true">
        {icon}
      </span>
      <div className="way-words">
        <h3>{title}</h3>
        <p className="muted">{way.message}</p>
      </div>
      <span className="way-state">
        {WAY_STATES[way.state]}
        {way.tookMs !== null && <span className="muted"> in {describeTime(way.tookMs)}</span>}
      </span>
    </li>
  )
}

function describeTime(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`
}
