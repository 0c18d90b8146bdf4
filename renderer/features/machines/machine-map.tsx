import { useEffect, useMemo, useRef, useState } from 'react'
import type { KeyboardEvent, ReactNode } from 'react'
import type { MachineInfo, RingReport } from '../../../node-runtime/contract/cloud.ts'
import { useShell } from '../../app/shell.tsx'
import { followRingReport } from '../../stores/ring-report.ts'
import { describeLatency } from './latency.ts'
import { describeState } from './machine-state.ts'
import { drawMap } from './map-drawing.ts'
import { dotAt, layOut } from './map-layout.ts'

const SIDE_PX = 320

interface MachineMapProps {
  machines: readonly MachineInfo[]
  chosen: string | null
  onChoose: (machine: string) => void
}

function describe(machine: MachineInfo): string {
  const { name, latencyMs } = machine
  const latency = latencyMs === null ? '' : `, ${describeLatency(latencyMs)}`
  return `${name}, ${describeState(machine).toLowerCase()}${latency}`
}

/**
 * All machines that are known, on the ring by their places, this one on top; lines are its links, and the line from
 * machine to machine is the token's way. A click or Enter chooses a machine, as in the table, which says the same.
 */
export function MachineMap({ machines, chosen, onChoose }: MachineMapProps): ReactNode {
  const report = useRingReport()
  const canvas = useRef<HTMLCanvasElement>(null)
  const dots = useMemo(() => layOut(machines), [machines])
  const [pointedKey, setPointedKey] = useState<string | null>(null)
  const pointed = dots.findIndex(({ machine }) => machine.machine === pointedKey)
  const repaints = useRepaints()
  useEffect(() => {
    if (canvas.current === null) return
    const turns = report?.lap != null
    drawMap(canvas.current, SIDE_PX, {
      dots,
      tokenWay: report?.machines ?? [],
      turns,
      pointed,
      chosen,
    })
  }, [dots, report, pointed, chosen, repaints])

  const point = (index: number): void => setPointedKey(dots[index]?.machine.machine ?? null)
  const find = (event: { clientX: number; clientY: number }): number => {
    const { left, top } = canvas.current!.getBoundingClientRect()
    return dotAt(dots, (event.clientX - left) / SIDE_PX, (event.clientY - top) / SIDE_PX)
  }
  const choose = (index: number): void => {
    const dot = dots[index]
    if (dot !== undefined) onChoose(dot.machine.machine)
  }
  const move = (event: KeyboardEvent): void => {
    const last = dots.length - 1
    const next: Record<string, number> = {
      ArrowRight: pointed === last ? 0 : pointed + 1,
      ArrowDown: pointed === last ? 0 : pointed + 1,
      ArrowLeft: pointed <= 0 ? last : pointed - 1,
      ArrowUp: pointed <= 0 ? last : pointed - 1,
      Home: 0,
      End: last,
    }
    const to = next[event.key]
    if (to !== undefined) point(to)
    else if (event.key === 'Enter') choose(pointed)
    else return
    event.preventDefault()
  }
  const linked = machines.filter((machine) => machine.linked && !machine.self).length
  const shown = dots[pointed]?.machine
  const summary = `This machine has links to ${linked} of ${machines.length - 1} others.`
  return (
    <figure className="machine-map">
      <canvas
        ref={canvas}
        className="map-canvas"
        style={{ width: SIDE_PX, height: SIDE_PX }}
        role="slider"
        tabIndex={0}
        aria-label="Map of the machines"
        aria-valuemin={1}
        aria-valuemax={dots.length}
        aria-valuenow={Math.max(0, pointed) + 1}
        aria-valuetext={shown === undefined ? summary : describe(shown)}
        onPointerMove={(event) => point(find(event))}
        onPointerLeave={() => setPointedKey(null)}
        onClick={(event) => choose(find(event))}
        onKeyDown={move}
        onBlur={() => setPointedKey(null)}
      />
      <figcaption>
        <p className="map-words">{shown === undefined ? summary : describe(shown)}</p>
        <RingFigures lap={report?.lap ?? null} />
      </figcaption>
    </figure>
  )
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

/** Grows when colours or pixels have become others, which a canvas does not see by itself. */
function useRepaints(): number {
  const [repaints, setRepaints] = useState(0)
  useEffect(() => {
    const repaint = (): void => setRepaints((before) => before + 1)
    const theme = new MutationObserver(repaint)
    theme.observe(document.documentElement, { attributeFilter: ['data-theme'] })
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', repaint)
    window.addEventListener('resize', repaint)
    return () => {
      theme.disconnect()
      dark.removeEventListener('change', repaint)
      window.removeEventListener('resize', repaint)
    }
  }, [])
  return repaints
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
  )
}
