import { MonitorX } from 'lucide-react'
import { useCallback, useDeferredValue, useEffect, useMemo, useState } from 'react'
import type { ReactNode } from 'react'
import type { CloudStatus } from '../../../node-runtime/contract/cloud.ts'
import type { MachineInfo, RingReport } from '../../../node-runtime/contract/machines.ts'
import { describeCount, isPartial } from '../../app/cloud-words.ts'
import { useCloud, useShell } from '../../app/shell.tsx'
import { pageAddress } from '../../client/address.ts'
import { followRingReport } from '../../stores/ring-report.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorNotice } from '../../ui/error-notice.tsx'
import { Field } from '../../ui/field.tsx'
import { Fingerprint } from '../../ui/fingerprint.tsx'
import { Loading } from '../../ui/progress.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { Sparkline } from '../../ui/sparkline.tsx'
import { Table } from '../../ui/table.tsx'
import type { Column } from '../../ui/table.tsx'
import { Button } from '../../ui/button.tsx'
import { describeLatency } from './latency.ts'
import { MachineMap } from './machine-map.tsx'
import { MachinePanel } from './machine-panel.tsx'
import { describeRoles, describeState, STATE_ORDER } from './machine-state.ts'
import { RingFigures } from './ring-figures.tsx'
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
      key: 'roles',
      title: 'Roles',
      sortBy: describeRoles,
      render: describeRoles,
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
        self || online ? 'now' : lastSeenMs === 0 ? 'never' : <RelativeTime timeMs={lastSeenMs} />,
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
  const status = useCloud((state) => state.status)
  const error = useCloud((state) => state.error)
  const report = useRingReport()
  const [filter, setFilter] = useState('')
  const [chosen, setChosen] = useState<string | null>(null)
  /** Its row is then in the table, whatever was looked for. */
  const chooseOnMap = useCallback((machine: string) => {
    setFilter('')
    setChosen(machine)
  }, [])
  const known = status !== null
  const isSeveral = machines.length > 1
  return (
    <div className="page machines-page">
      <header className="page-head">
        <h1>Machines</h1>
        <p role="status">{status === null ? '' : describeMachines(status, machines)}</p>
        {machines.length === 1 && <OnlyMachine />}
      </header>
      {error !== null && <ErrorNotice error={error} />}
      {!known && error === null && <Loading>Asking this machine</Loading>}
      {isSeveral && (
        <div className="machines-overview">
          <MachineMap machines={machines} report={report} chosen={chosen} onChoose={chooseOnMap} />
          {chosen === null ? (
            <RingFigures report={report} machines={status?.machinesEstimated ?? machines.length} />
          ) : (
            <MachinePanel
              key={chosen}
              machine={chosen}
              nameOf={(key) => machines.find(({ machine }) => machine === key)?.name}
              onClose={() => setChosen(null)}
            />
          )}
        </div>
      )}
      {known && (
        <MachineTable
          machines={machines}
          filter={filter}
          onFilter={setFilter}
          chosen={chosen}
          onChoose={setChosen}
        />
      )}
    </div>
  )
}

/** How many there are, and how many of them this machine knows. */
function describeMachines(status: CloudStatus, machines: readonly MachineInfo[]): string {
  const online = machines.filter((machine) => machine.self || machine.online).length
  const all = machines.length
  if (all === 1) return 'No other machine has joined yet. It appears here as soon as it has.'
  if (isPartial(status)) {
    return `The cloud has ${describeCount(status)}. This machine knows ${count(all)} of them; ${count(online)} are online.`
  }
  return `${count(online)} of ${count(all)} machines online.`
}

function count(machines: number): string {
  return machines.toLocaleString('en')
}

function useRingReport(): RingReport | null {
  const { host } = useShell()
  const [report, setReport] = useState<RingReport | null>(null)
  useEffect(() => {
    const { store, stop } = followRingReport(host.connection)
    const unsubscribe = store.subscribe((state) => setReport(state.report))
    return () => {
      unsubscribe()
      stop()
    }
  }, [host.connection])
  return report
}

interface MachineTableProps {
  machines: readonly MachineInfo[]
  filter: string
  onFilter: (filter: string) => void
  chosen: string | null
  onChoose: (machine: string) => void
}

function MachineTable({
  machines,
  filter,
  onFilter,
  chosen,
  onChoose,
}: MachineTableProps): ReactNode {
  const latencies = useCloud((state) => state.latencies)
  const columns = useMemo(() => columnsWith(latencies, onChoose), [latencies, onChoose])
  // Typing comes first: the rows follow when there is time.
  const wanted = useDeferredValue(filter)
  const texts = useMemo(() => machines.map(searchedText), [machines])
  const shown = useMemo(() => {
    const words = wanted.toLowerCase().split(/\s+/)
    return machines.filter((_, at) => words.every((word) => texts[at]?.includes(word)))
  }, [machines, texts, wanted])
  return (
    <section className="section" aria-label="All machines">
      {machines.length > 1 && (
        <div className="machines-filter">
          <Field
            label="Filter machines"
            hideLabel
            type="search"
            placeholder="Filter by name, state, role or key"
            value={filter}
            onChange={(event) => onFilter(event.target.value)}
          />
        </div>
      )}
      {shown.length > 0 ? (
        <Table
          label="Machines"
          columns={columns}
          rows={shown}
          rowKey={machineKey}
          initialSort={{ key: 'state', descending: false }}
          chosen={chosen}
          rowLook={({ self, online: isOnline }) => (self || isOnline ? '' : 'row-faint')}
        />
      ) : (
        <EmptyState
          icon={<MonitorX />}
          title="No machine fits the filter"
          action={<Button onClick={() => onFilter('')}>Show all</Button>}
        >
          Names, states such as “online”, roles and keys are searched.
        </EmptyState>
      )}
    </section>
  )
}

/** In which the words of the filter are looked for. */
function searchedText(machine: MachineInfo): string {
  const { name, machine: key } = machine
  return `${name} ${key} ${describeState(machine)} ${describeRoles(machine)}`.toLowerCase()
}

function machineKey({ machine }: MachineInfo): string {
  return machine
}

/** What to do where nobody else is: how others come in, Home knows for each kind of cloud. */
function OnlyMachine(): ReactNode {
  const { tabs } = useShell()
  return (
    <div>
      <Button look="primary" onClick={() => tabs.go(pageAddress('home'))}>
        Invite others
      </Button>
    </div>
  )
}
