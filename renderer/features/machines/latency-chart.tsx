import type { ReactNode } from 'react'
import { latencyPath, roundUp, spanFor } from './latency-scale.ts'
import { describeLatency } from './latency.ts'

const WIDTH = 240
const HEIGHT = 88
/** For the numbers beside the axes. */
const LEFT = 44
const BOTTOM = 20
const TOP = 8

interface LatencyChartProps {
  /** Means of equal stretches of time, the newest last; null where nothing was heard. */
  meansMs: readonly (number | null)[]
  stretchMs: number
}

/** The round trips of the last minutes, as a line with its axes. */
export function LatencyChart({ meansMs, stretchMs }: LatencyChartProps): ReactNode {
  const heard = meansMs.filter((meanMs) => meanMs !== null)
  if (heard.length < 2) return <p className="muted">The line begins in a few seconds.</p>
  const spanMs = spanFor(meansMs.length * stretchMs)
  const topMs = roundUp(Math.max(...heard))
  const minutes = spanMs / 60_000
  const words =
    `Round trips of the last ${minutes === 1 ? 'minute' : `${minutes} minutes`}: ` +
    `from ${describeLatency(Math.min(...heard))} to ${describeLatency(Math.max(...heard))}.`
  return (
    <svg
      className="latency-chart"
      viewBox={`0 0 ${LEFT + WIDTH + 8} ${TOP + HEIGHT + BOTTOM}`}
      role="img"
      aria-label={words}
    >
      <title>{words}</title>
      <g transform={`translate(${LEFT} ${TOP})`}>
        {[0, 0.5, 1].map((share) => (
          <g key={share} transform={`translate(0 ${HEIGHT * (1 - share)})`}>
            <line x2={WIDTH} className="chart-grid" />
            <text x={-6} dy="0.32em" textAnchor="end">
              {`${share * topMs} ms`}
            </text>
          </g>
        ))}
        <text y={HEIGHT + 16}>{`${minutes} min ago`}</text>
        <text y={HEIGHT + 16} x={WIDTH} textAnchor="end">
          now
        </text>
        <path
          className="chart-line"
          d={latencyPath(meansMs, stretchMs, { spanMs, topMs, width: WIDTH, height: HEIGHT })}
        />
      </g>
    </svg>
  )
}
