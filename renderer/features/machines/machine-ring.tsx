import { useEffect, useState } from 'react'
import type { ReactNode } from 'react'
import type { MachineInfo, RingReport } from '../../../node-runtime/contract/cloud.ts'
import { useShell } from '../../app/shell.tsx'
import { followRingReport } from '../../stores/ring-report.ts'
import { describeLatency } from './latency.ts'

const SIZE = 176
const RADIUS = 74
/** Of those that this machine is not linked with. */
const INNER_RADIUS = 44
const LARGEST_DOT = 6.5
/** More dots than this cannot be told apart on the ring. */
const MOST = 60

interface Place {
  machine: MachineInfo
  x: number
  y: number
}

function placesOn(radius: number, machines: readonly MachineInfo[]): Place[] {
  return machines.map((machine, index) => {
    const angle = (index / machines.length) * 2 * Math.PI - Math.PI / 2
    return {
      machine,
      x: SIZE / 2 + radius * Math.cos(angle),
      y: SIZE / 2 + radius * Math.sin(angle),
    }
  })
}

/**
 * The ring of servers, this machine on top and then clockwise those that it is linked with, in the order in which
 * the token goes around them; within, those that it is not linked with. Beside it what the token showed last.
 */
export function MachineRing({ machines }: { machines: readonly MachineInfo[] }): ReactNode {
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
  const linked = machines.filter((machine) => machine.online && !machine.self).length
  const order = new Map((report?.machines ?? []).map((key, index) => [key, index]))
  const rank = ({ machine, self }: MachineInfo): number =>
    self ? -1 : (order.get(machine) ?? order.size)
  const onRing = machines
    .filter(({ self, online }) => self || online)
    .toSorted((a, b) => rank(a) - rank(b) || a.machine.localeCompare(b.machine))
    .slice(0, MOST)
  const within = machines
    .filter(({ self, online }) => !self && !online)
    .toSorted((a, b) => a.machine.localeCompare(b.machine))
    .slice(0, MOST)
  const ring = placesOn(RADIUS, onRing)
  const inner = placesOn(INNER_RADIUS, within)
  // Neighbours never touch.
  const dotOf = (radius: number, count: number): number =>
    Math.min(LARGEST_DOT, (0.8 * Math.PI * radius) / count)
  const dot = dotOf(RADIUS, ring.length)
  const innerDot = dotOf(INNER_RADIUS, Math.max(6, inner.length))
  const self = ring.find(({ machine }) => machine.self)
  const turns = report?.lap != null
  return (
    <figure className="machine-ring">
      <svg
        width={SIZE}
        height={SIZE}
        viewBox={`0 0 ${SIZE} ${SIZE}`}
        role="img"
        aria-label={`This machine has links to ${linked} of ${machines.length - 1} others.`}
      >
        <circle
          className={turns ? 'ring-line ring-turns' : 'ring-line'}
          cx={SIZE / 2}
          cy={SIZE / 2}
          r={RADIUS}
        />
        {self !== undefined &&
          ring
            .filter(({ machine }) => !machine.self)
            .map(({ machine, x, y }) => (
              <line
                key={machine.machine}
                className="ring-link"
                x1={self.x}
                y1={self.y}
                x2={x}
                y2={y}
              />
            ))}
        {inner.map(({ machine, x, y }) => (
          <circle key={machine.machine} className="ring-offline" cx={x} cy={y} r={innerDot}>
            <title>{machine.name}</title>
          </circle>
        ))}
        {ring.map(({ machine, x, y }) => (
          <circle
            key={machine.machine}
            className={machine.self ? 'ring-self' : 'ring-online'}
            cx={x}
            cy={y}
            r={machine.self ? dot + 1.5 : dot}
          >
            <title>{machine.name}</title>
          </circle>
        ))}
      </svg>
      <RingFigures lap={report?.lap ?? null} />
    </figure>
  )
}

function RingFigures({ lap }: { lap: RingReport['lap'] }): ReactNode {
  if (lap === null) return null
  const figures = [
    ['Lap', `${(lap.lapMs / 1_000).toFixed(1)} s`],
    ['Machines', `${lap.hops}`],
    ['Hop', describeLatency(lap.hopMs)],
    ['Skew', describeLatency(lap.skewMs)],
  ] as const
  return (
    <figcaption>
      <dl
        className="ring-figures"
        title="A token goes around the machines: how long a lap takes and a step of it, and by how much their common clock was off."
      >
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </figcaption>
  )
}
