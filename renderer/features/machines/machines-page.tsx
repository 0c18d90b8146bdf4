import { MonitorX } from 'lucide-react'
import { useState } from 'react'
import type { ReactNode } from 'react'
import type { MachineInfo } from '../../../node-runtime/contract/cloud.ts'
import { useCloud } from '../../app/shell.tsx'
import { pageAddress } from '../../client/address.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Field } from '../../ui/field.tsx'
import { Fingerprint } from '../../ui/fingerprint.tsx'
import { Loading } from '../../ui/progress.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { Sparkline } from '../../ui/sparkline.tsx'
import { Table } from '../../ui/table.tsx'
import type { Column } from '../../ui/table.tsx'
import { useShell } from '../../app/shell.tsx'
import { Button } from '../../ui/button.tsx'
import { describeLatency } from './latency.ts'
import { MachineMap } from './machine-map.tsx'
import { describeState, STATE_ORDER } from './machine-state.ts'
import './machines-page.css'

function columnsWith(
  latencies: Record<string, number[]>,
  onChoose: (machine: string) => void,
): Column<MachineInfo>[] {
  return [
    {
      key: 'name',
      title: 'Name',
      sortBy: ({ name }) => name,
      render: ({ machine, name }) => (
        <button type="button" className="machine-name" onClick={() => onChoose(machine)}>
          {name}
        </button>
      ),
    },
    {
      key: 'state',
      title: 'State',
      sortBy: (machine) => STATE_ORDER[describeState(machine)],
      render: (machine) => (
        <span className="row">
          <span
            className={`dot ${machine.online || machine.self ? 'dot-online' : ''}`}
            aria-hidden="true"
          />
          {describeState(machine)}
        </span>
      ),
    },
    {
      key: 'latency',
      title: 'Latency',
      sortBy: ({ latencyMs }) => latencyMs ?? Number.MAX_SAFE_INTEGER,
      align: 'end',
      render: ({ machine, self, latencyMs }) => (
        <span className="latency">
          {!self && <Sparkline values={latencies[machine] ?? []} />}
          <span className="latency-number">
            {latencyMs === null ? '–' : describeLatency(latencyMs)}
          </span>
        </span>
      ),
    },
    {
      key: 'kind',
      title: 'Kind',
      sortBy: ({ kind }) => kind,
      render: ({ kind }) => (kind === 'desktop' ? 'Desktop' : 'Headless'),
    },
    {
      key: 'version',
      title: 'Version',
      sortBy: ({ appVersion }) => appVersion,
      render: ({ appVersion }) => appVersion,
    },
    {
      key: 'seen',
      title: 'Last seen',
      sortBy: ({ lastSeenMs }) => -lastSeenMs,
      render: ({ self, online, lastSeenMs }) =>
        self || online ? 'now' : <RelativeTime timeMs={lastSeenMs} />,
    },
    {
      key: 'key',
      title: 'Key',
      render: ({ machine }) => <Fingerprint value={machine} what="machine key" />,
    },
  ]
}

/** The machines of the cloud, live. */
export function MachinesPage(): ReactNode {
  const machines = useCloud((state) => state.machines)
  const latencies = useCloud((state) => state.latencies)
  const known = useCloud((state) => state.status !== null)
  const error = useCloud((state) => state.error)
  const [filter, setFilter] = useState('')
  const [chosen, setChosen] = useState<string | null>(null)
  const words = filter.toLowerCase().split(/\s+/)
  const shown = machines.filter((machine) => {
    const text = `${machine.name} ${machine.machine} ${describeState(machine)} ${machine.kind}`
    return words.every((word) => text.toLowerCase().includes(word))
  })
  const online = machines.filter((machine) => machine.self || machine.online).length
  return (
    <div className="page machines-page">
      <header className="machines-head">
        <div className="page-head">
          <h1>Machines</h1>
          <p role="status">
            {known
              ? `${online} of ${machines.length} ${machines.length === 1 ? 'machine' : 'machines'} online.`
              : ''}
          </p>
          {machines.length === 1 && <OnlyMachine />}
        </div>
        {machines.length > 1 && (
          <MachineMap
            machines={machines}
            chosen={chosen}
            onChoose={(machine) => {
              setFilter('')
              setChosen(machine)
            }}
          />
        )}
      </header>
      {error !== null && <ErrorNotice error={error} />}
      {!known && error === null && <Loading>Asking this machine</Loading>}
      {known && (
        <section className="section" aria-label="All machines">
          {machines.length > 1 && (
            <div className="machines-filter">
              <Field
                label="Filter machines"
                hideLabel
                type="search"
                placeholder="Filter by name, state or key"
                value={filter}
                onChange={(event) => setFilter(event.target.value)}
              />
            </div>
          )}
          {shown.length > 0 ? (
            <Table
              label="Machines"
              columns={columnsWith(latencies, setChosen)}
              rows={shown}
              rowKey={({ machine }) => machine}
              initialSort={{ key: 'state', descending: false }}
              chosen={chosen}
              rowLook={({ self, online: isOnline }) => (self || isOnline ? '' : 'row-faint')}
            />
          ) : (
            <EmptyState
              icon={<MonitorX />}
              title="No machine fits the filter"
              action={<Button onClick={() => setFilter('')}>Show all</Button>}
            >
              Names, states such as “online”, kinds and keys are searched.
            </EmptyState>
          )}
        </section>
      )}
    </div>
  )
}

function OnlyMachine(): ReactNode {
  const { tabs } = useShell()
  return (
    <p>
      No other machine has joined yet. Copy the cloud key on{' '}
      <a
        className="link"
        href={pageAddress('home')}
        onClick={(event) => {
          event.preventDefault()
          tabs.go(pageAddress('home'))
        }}
      >
        Home
      </a>{' '}
      and give it to someone; their machine appears here as soon as it has joined.
    </p>
  )
}
