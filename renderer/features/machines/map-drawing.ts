// Draws the map: all of it anew when anything changes, in a few strokes and fills for all machines together.
import { RADIUS } from './map-layout.ts'
import type { Dot } from './map-layout.ts'
import { sideOf, toCanvas } from './map-view.ts'
import type { MapSize, MapView } from './map-view.ts'

const LARGEST_DOT_PX = 6
const SMALLEST_DOT_PX = 1.5
const LEAST_ROUND_PX = 2

export interface Drawing {
  dots: readonly Dot[]
  /** Machines in the order in which the token goes around them. */
  tokenWay: readonly string[]
  turns: boolean
}

/** As the legend shows them. */
const LOOKS = {
  revoked: '--danger',
  linked: '--accent',
  known: '--line-strong',
  away: '--line-strong',
} as const
type Look = keyof typeof LOOKS
const AWAY_ALPHA = 0.7

const COLOURS = ['--text', '--accent', '--line-strong', '--line', '--danger', '--surface'] as const
export type MapColours = Record<(typeof COLOURS)[number], string>

/** The colours of the theme that is shown; asking for them costs more than drawing does. */
export function readColours(element: Element): MapColours {
  const style = getComputedStyle(element)
  return Object.fromEntries(
    COLOURS.map((name) => [name, style.getPropertyValue(name).trim()]),
  ) as MapColours
}

/** Radius of a machine's dot: neighbours that stand evenly do not touch. */
export function dotRadius(count: number, size: MapSize, view: MapView): number {
  const roomPx = (0.8 * Math.PI * RADIUS * sideOf(size, view)) / Math.max(1, count)
  return Math.min(LARGEST_DOT_PX, Math.max(SMALLEST_DOT_PX, roomPx))
}

export function drawMap(
  canvas: HTMLCanvasElement,
  size: MapSize,
  view: MapView,
  colours: MapColours,
  drawing: Drawing,
): void {
  const context = canvas.getContext('2d')
  if (context === null) return
  const scale = devicePixelRatio
  const width = Math.round(size.width * scale)
  const height = Math.round(size.height * scale)
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width
    canvas.height = height
  }
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, size.width, size.height)
  const { dots, tokenWay, turns } = drawing
  const at = (point: { x: number; y: number }): [number, number] => toCanvas(point, size, view)

  context.lineWidth = 1
  context.strokeStyle = colours['--line']
  context.beginPath()
  context.arc(...at({ x: 0.5, y: 0.5 }), RADIUS * sideOf(size, view), 0, 2 * Math.PI)
  context.stroke()

  if (turns) {
    const byKey = new Map(dots.map((dot) => [dot.machine.machine, dot]))
    const way = tokenWay.flatMap((machine) => byKey.get(machine) ?? [])
    context.globalAlpha = 0.7
    context.lineWidth = 1.5
    context.strokeStyle = colours['--line-strong']
    context.beginPath()
    for (const dot of way) context.lineTo(...at(dot))
    context.closePath()
    context.stroke()
  }

  const self = dots.find(({ machine }) => machine.self)
  context.lineWidth = 1.25
  context.strokeStyle = colours['--accent']
  for (const relayed of [false, true]) {
    context.globalAlpha = relayed ? 0.8 : 0.45
    context.setLineDash(relayed ? [4, 4] : [])
    context.beginPath()
    for (const dot of dots) {
      if (self === undefined || !dot.machine.linked || dot.machine.relayed !== relayed) continue
      context.moveTo(...at(self))
      context.lineTo(...at(dot))
    }
    context.stroke()
  }
  context.setLineDash([])
  context.globalAlpha = 1

  const dotPx = dotRadius(dots.length, size, view)
  const disc = (dot: Dot, radiusPx: number): void => {
    context.beginPath()
    context.arc(...at(dot), radiusPx, 0, 2 * Math.PI)
  }
  const looks = new Map<Look, Dot[]>()
  for (const dot of dots) {
    if (dot.machine.self) continue
    const look = lookOf(dot)
    const alike = looks.get(look)
    if (alike === undefined) looks.set(look, [dot])
    else alike.push(dot)
  }
  for (const [look, alike] of looks) {
    context.globalAlpha = look === 'away' ? AWAY_ALPHA : 1
    context.fillStyle = colours[LOOKS[look]]
    const radius = look === 'linked' ? dotPx + 1 : dotPx
    for (const dot of alike) {
      const [x, y] = at(dot)
      if (x < -radius || y < -radius || x > size.width + radius || y > size.height + radius) {
        continue
      }
      // So small a circle looks no different, and takes ten times as long. One path of all takes longer than each.
      if (radius < LEAST_ROUND_PX) {
        context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius)
      } else {
        context.beginPath()
        context.arc(x, y, radius, 0, 2 * Math.PI)
        context.fill()
      }
    }
  }
  context.globalAlpha = 1
  // Asked after by others now: a ring, and nothing in it.
  for (const dot of dots) {
    if (!dot.machine.suspected) continue
    disc(dot, dotPx + 1)
    context.fillStyle = colours['--surface']
    context.fill()
    context.lineWidth = 1.5
    context.strokeStyle = colours['--text']
    context.stroke()
  }
  if (self !== undefined) {
    disc(self, Math.max(dotPx, 4) + 1.5)
    context.fillStyle = colours['--text']
    context.fill()
  }
}

function lookOf({ machine: { revoked, linked, online } }: Dot): Look {
  if (revoked) return 'revoked'
  return linked ? 'linked' : online ? 'known' : 'away'
}
