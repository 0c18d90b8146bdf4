// Where each machine is drawn: on the ring by its place, or within it while that is not known.
import type { MachineInfo } from '../../../node-runtime/contract/machines.ts'
import { toCanvas } from './map-view.ts'
import type { MapSize, MapView } from './map-view.ts'

/** Of the ring, as a share of the side. */
export const RADIUS = 0.44
/** Of those that are not there, or whose place is not known. */
const INNER_RADIUS = 0.28
/** A pointer this near to a dot means it. */
const REACH_PX = 14

export interface Dot {
  machine: MachineInfo
  /** Shares of the side of the picture. */
  x: number
  y: number
}

function around(machine: MachineInfo, share: number, radius: number): Dot {
  const angle = share * 2 * Math.PI - Math.PI / 2
  return { machine, x: 0.5 + radius * Math.cos(angle), y: 0.5 + radius * Math.sin(angle) }
}

/** Is it on the ring, and not one of those within? */
function isOnRing({ self, online, place, revoked }: MachineInfo): boolean {
  return self || (online && place !== null && !revoked)
}

/** All machines, this one on top, then clockwise by place; after them those within. */
export function layOut(machines: readonly MachineInfo[]): Dot[] {
  const own = machines.find(({ self }) => self)?.place ?? 0
  const shareOf = ({ self, place }: MachineInfo): number =>
    self || place === null ? 0 : (place - own + 1) % 1
  const onRing = machines
    .filter(isOnRing)
    .map((machine) => around(machine, shareOf(machine), RADIUS))
    .toSorted((a, b) => shareOf(a.machine) - shareOf(b.machine))
  const within = machines
    .filter((machine) => !isOnRing(machine))
    .toSorted((a, b) => (a.machine < b.machine ? -1 : 1))
  return [
    ...onRing,
    ...within.map((machine, index) => around(machine, index / within.length, INNER_RADIUS)),
  ]
}

/** The dot that a pointer means, at that point of the canvas; -1 if there is none near. */
export function dotAt(
  dots: readonly Dot[],
  [x, y]: readonly [number, number],
  size: MapSize,
  view: MapView,
): number {
  let nearest = -1
  let nearestPx = REACH_PX
  dots.forEach((dot, index) => {
    const [dotX, dotY] = toCanvas(dot, size, view)
    const px = Math.hypot(dotX - x, dotY - y)
    if (px < nearestPx) [nearest, nearestPx] = [index, px]
  })
  return nearest
}
