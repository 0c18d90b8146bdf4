import { X } from 'lucide-react'
import { useEffect, useState } from 'react'
import type { ReactNode } from 'react'
import type { MachineDetails } from '../../../node-runtime/contract/machines.ts'
import { useShell } from '../../app/shell.tsx'
import { useConnectionReport } from '../../app/use-connection-report.ts'
import { followMachineDetails } from '../../stores/machine-details.ts'
import type { MachineDetailsState } from '../../stores/machine-details.ts'
import { IconButton } from '../../ui/button.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Fingerprint } from '../../ui/fingerprint.tsx'
import { Loading } from '../../ui/progress.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { LatencyChart } from './latency-chart.tsx'
import { describeLatency } from './latency.ts'
import { describeRoles, describeState } from './machine-state.ts'

const GIB = 2 ** 30

/** One machine, with all that is known of it here. */
export function MachinePanel({
  machine,
  nameOf,
  onClose,
}: {
  machine: string
  /** The name of another machine, if it is known. */
  nameOf: (machine: string) => string | undefined
  onClose: () => void
}): ReactNode {
  const { details, error } = useMachineDetails(machine)
  return (
    <section className="machine-panel" aria-label="The chosen machine">
      <div className="machine-panel-head">
        <h2>{details?.machine.name ?? nameOf(machine) ?? 'Machine'}</h2>
        <IconButton label="Close" onClick={onClose}>
          <X />
        </IconButton>
      </div>
      {error !== null && <ErrorNotice error={error} />}
      {details === null && error === null && <Loading>Asking this machine</Loading>}
      {details !== null && <Details details={details} nameOf={nameOf} />}
    </section>
  )
}

function useMachineDetails(machine: string): MachineDetailsState {
  const { host } = useShell()
  const [state, setState] = useState<MachineDetailsState>({ details: null, error: null })
  useEffect(() => {
    const { store, stop } = followMachineDetails(host.connection, machine)
    const unsubscribe = store.subscribe(setState)
    return () => {
      unsubscribe()
      stop()
    }
  }, [host.connection, machine])
  return state
}

function Details({
  details,
  nameOf,
}: {
  details: MachineDetails
  nameOf: (machine: string) => string | undefined
}): ReactNode {
  const { machine, link, resources, protocol, addresses, besideOn } = details
  return (
    <>
      {link !== null && (
        <figure className="machine-latency">
          <figcaption>
            <span className="muted">Round trip</span>
            {machine.latencyMs === null ? '' : describeLatency(machine.latencyMs)}
          </figcaption>
          <LatencyChart {...link.latencies} />
        </figure>
      )}
      <dl className="facts">
        <dt>State</dt>
        <dd>{describeState(machine)}</dd>
        {!machine.self && (
          <>
            <dt>Last heard</dt>
            <dd>
              {machine.online ? (
                'now'
              ) : machine.lastSeenMs === 0 ? (
                'never, by this machine'
              ) : (
                <RelativeTime timeMs={machine.lastSeenMs} />
              )}
            </dd>
            <dt>Link</dt>
            <dd>{describeWay(details, nameOf)}</dd>
            {machine.relayed && <WhyRelayed />}
            {link !== null && (
              <>
                <dt>Open since</dt>
                <dd>
                  <span>
                    <RelativeTime timeMs={link.openedMs} />, asked for by{' '}
                    {link.dialled ? 'this machine' : 'that one'}
                  </span>
                </dd>
              </>
            )}
          </>
        )}
        {besideOn.length > 0 && (
          <>
            <dt>Neighbour</dt>
            <dd>{describeRings(besideOn)}</dd>
          </>
        )}
        <dt>Roles</dt>
        <dd>{describeRoles(machine)}</dd>
        <dt>From outside</dt>
        <dd>
          {machine.relays
            ? 'Others reach it, and may go through it'
            : 'It does not say that others reach it'}
        </dd>
        {addresses.length > 0 && (
          <>
            <dt>Found at</dt>
            <dd className="machine-addresses">{addresses.join(', ')}</dd>
          </>
        )}
        {resources !== null && (
          <>
            <dt>Computer</dt>
            <dd>
              {resources.cores === 1 ? '1 core' : `${resources.cores} cores`},{' '}
              {(resources.memoryBytes / GIB).toFixed(resources.memoryBytes < 10 * GIB ? 1 : 0)} GB
              of memory
            </dd>
          </>
        )}
        <dt>Version</dt>
        <dd>
          <span title={`Speaks ${protocol.capabilities.join(', ')}`}>
            {machine.appVersion}, protocol {protocol.version}
          </span>
        </dd>
        <dt>Key</dt>
        <dd>
          <Fingerprint value={machine.machine} what="machine key" />
        </dd>
        <dt>Person</dt>
        <dd>
          <Fingerprint value={machine.person} what="person key" />
        </dd>
      </dl>
    </>
  )
}

function describeRings(rings: readonly number[]): string {
  const names = rings.map((ring) => `${ring + 1}`)
  if (names.length === 1) return `Of this machine, on ring ${names[0]}`
  return `Of this machine, on rings ${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

function describeWay(
  { machine, link }: MachineDetails,
  nameOf: (machine: string) => string | undefined,
): string {
  if (link === null) return 'None with this machine'
  if (!machine.relayed) return link.address === null ? 'Direct' : `Direct, to ${link.address}`
  const relay = link.through === null ? undefined : nameOf(link.through)
  return `Through ${relay ?? 'another machine'}, which can’t read along`
}

function WhyRelayed(): ReactNode {
  const { report } = useConnectionReport()
  return (
    <>
      <dt>Why</dt>
      <dd>
        {report?.nat === 'symmetric'
          ? 'This machine’s router gives each of the others another port, so no direct way has come'
          : 'No direct way has come yet'}
      </dd>
    </>
  )
}
