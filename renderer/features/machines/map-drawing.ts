// Draws the map: all of it anew when anything changes, in a few strokes and fills for all machines together.
import { RADIUS } from './map-layout.ts'
import type { Dot } from './map-layout.ts'
import { sideOf, toCanvas } from './map-view.ts'
import type { MapSize, MapView } from './map-view.ts'

const LARGEST_DOT_PX = 6
const SMALLEST_DOT_PX = 1.5

export interface Drawing {
  dots: readonly Dot[]
  /** Machines in the order in which the token goes around them. */
  tokenWay: readonly string[]
  turns: boolean
  /** The dot under the pointer or the keyboard's; -1 for none. */
  pointed: number
  chosen: string | null
}

/** As the legend shows them. */
const LOOKS = {
  revoked: '--danger',
  linked: '--accent',
  known: '--line-strong',
  away: '--line-strong',
} as const
type Look = keyof typeof LOOKS
const AWAY_ALPHA = 0.4

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
  const { dots, tokenWay, turns, pointed, chosen } = drawing
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
  const paths = new Map<Look, Path2D>()
  for (const dot of dots) {
    const { self: isSelf, linked } = dot.machine
    if (isSelf) continue
    const [x, y] = at(dot)
    const radius = linked ? dotPx + 1 : dotPx
    if (x < -radius || y < -radius || x > size.width + radius || y > size.height + radius) continue
    const look = lookOf(dot)
    let path = paths.get(look)
    if (path === undefined) paths.set(look, (path = new Path2D()))
    path.moveTo(x + radius, y)
    path.arc(x, y, radius, 0, 2 * Math.PI)
  }
  for (const [look, path] of paths) {
    context.globalAlpha = look === 'away' ? AWAY_ALPHA : 1
    context.fillStyle = colours[LOOKS[look]]
    context.fill(path)
  }
  context.globalAlpha = 1
  const disc = (dot: Dot, radiusPx: number): void => {
    context.beginPath()
    context.arc(...at(dot), radiusPx, 0, 2 * Math.PI)
  }
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
  const marked = dots.filter((dot, index) => index === pointed || dot.machine.machine === chosen)
  for (const dot of marked) {
    disc(dot, dotPx + 5)
    context.lineWidth = 2
    context.strokeStyle = colours['--text']
    context.stroke()
  }
}

function lookOf({ machine: { revoked, linked, online } }: Dot): Look {
  if (revoked) return 'revoked'
  return linked ? 'linked' : online ? 'known' : 'away'
}
