import type { ReactNode } from 'react'
import type { MachineInfo } from '../../../node-runtime/contract/cloud.ts'

const SIZE = 150
const RADIUS = 60
const LARGEST_DOT = 6.5
/** More dots than this cannot be told apart on the ring. */
const MOST = 60

/** The machines in the order of their keys, as on the ring of the cloud; links are this machine's own. */
export function MachineRing({ machines }: { machines: readonly MachineInfo[] }): ReactNode {
  const online = machines.filter((machine) => machine.online && !machine.self).length
  const shown = machines
    .toSorted(
      (a, b) =>
        Number(b.self) - Number(a.self) ||
        Number(b.online) - Number(a.online) ||
        a.machine.localeCompare(b.machine),
    )
    .slice(0, MOST)
    .toSorted((a, b) => a.machine.localeCompare(b.machine))
  const places = shown.map((machine, index) => {
    const angle = (index / shown.length) * 2 * Math.PI - Math.PI / 2
    return {
      machine,
      x: SIZE / 2 + RADIUS * Math.cos(angle),
      y: SIZE / 2 + RADIUS * Math.sin(angle),
    }
  })
  // Neighbours never touch.
  const dot = Math.min(LARGEST_DOT, (0.8 * Math.PI * RADIUS) / shown.length)
  const self = places.find(({ machine }) => machine.self)
  return (
    <svg
      className="machine-ring"
      width={SIZE}
      height={SIZE}
      viewBox={`0 0 ${SIZE} ${SIZE}`}
      role="img"
      aria-label={`This machine has links to ${online} of ${machines.length - 1} others.`}
    >
      <circle className="ring-line" cx={SIZE / 2} cy={SIZE / 2} r={RADIUS} />
      {self !== undefined &&
        places
          .filter(({ machine }) => machine.online && !machine.self)
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
      {places.map(({ machine, x, y }) => (
        <circle
          key={machine.machine}
          className={machine.self ? 'ring-self' : machine.online ? 'ring-online' : 'ring-offline'}
          cx={x}
          cy={y}
          r={machine.self ? dot + 1.5 : dot}
        >
          <title>{machine.name}</title>
        </circle>
      ))}
    </svg>
  )
}
