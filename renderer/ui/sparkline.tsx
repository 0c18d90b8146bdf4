import type { ReactNode } from 'react'

const WIDTH = 72
const HEIGHT = 20
/** A steady value then runs near the middle, and a rise has room. */
const HEADROOM = 1.5

/** The line through the values, newest at the right; it always spans `room` values, so it never jumps. */
export function linePath(values: readonly number[], room: number): string {
  const top = HEADROOM * Math.max(...values, 1)
  const stepX = WIDTH / Math.max(1, room - 1)
  return values
    .map((value, index) => {
      const x = WIDTH - (values.length - 1 - index) * stepX
      const y = HEIGHT - 2 - (value / top) * (HEIGHT - 4)
      return `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`
    })
    .join('')
}

/** A small line of the last values. The number beside it is what is read out. */
export function Sparkline({
  values,
  room = 40,
}: {
  values: readonly number[]
  room?: number
}): ReactNode {
  if (values.length <= 1) {
    return (
      <span className="sparkline" style={{ width: WIDTH, height: HEIGHT }} aria-hidden="true" />
    )
  }
  return (
    <svg
      className="sparkline"
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      aria-hidden="true"
    >
      <path
        d={linePath(values, room)}
        fill="none"
        stroke="var(--accent)"
        strokeWidth="1.5"
        strokeLinejoin="round"
      />
    </svg>
  )
}
