// Draws the map: all of it anew when anything changes, which is two loops over the machines.
import type { Dot } from './map-layout.ts'

const RING_RADIUS = 0.44
const LARGEST_DOT_PX = 6
const SMALLEST_DOT_PX = 2

export interface Drawing {
  dots: readonly Dot[]
  /** Machines in the order in which the token goes around them. */
  tokenWay: readonly string[]
  turns: boolean
  /** The dot under the pointer or the keyboard's; -1 for none. */
  pointed: number
  chosen: string | null
}

/** The colours of the theme that is shown. */
function readColours(element: Element): (name: string) => string {
  const style = getComputedStyle(element)
  return (name) => style.getPropertyValue(name).trim()
}

export function drawMap(canvas: HTMLCanvasElement, sidePx: number, drawing: Drawing): void {
  const context = canvas.getContext('2d')
  if (context === null) return
  const scale = devicePixelRatio
  const pixels = Math.round(sidePx * scale)
  if (canvas.width !== pixels) canvas.width = canvas.height = pixels
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, sidePx, sidePx)
  const colour = readColours(canvas)
  const { dots, tokenWay, turns, pointed, chosen } = drawing
  const at = (dot: Dot): [number, number] => [dot.x * sidePx, dot.y * sidePx]

  context.lineWidth = 1
  context.strokeStyle = colour('--line')
  context.beginPath()
  context.arc(sidePx / 2, sidePx / 2, RING_RADIUS * sidePx, 0, 2 * Math.PI)
  context.stroke()

  const byKey = new Map(dots.map((dot) => [dot.machine.machine, dot]))
  const way = tokenWay.flatMap((machine) => byKey.get(machine) ?? [])
  if (turns && way.length > 1) {
    context.globalAlpha = 0.7
    context.lineWidth = 1.5
    context.strokeStyle = colour('--line-strong')
    context.beginPath()
    for (const dot of way) context.lineTo(...at(dot))
    context.closePath()
    context.stroke()
  }

  const self = dots.find(({ machine }) => machine.self)
  context.lineWidth = 1.25
  context.strokeStyle = colour('--accent')
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

  // Neighbours that stand evenly do not touch.
  const roomPx = (0.8 * Math.PI * RING_RADIUS * sidePx) / Math.max(1, dots.length)
  const dotPx = Math.min(LARGEST_DOT_PX, Math.max(SMALLEST_DOT_PX, roomPx))
  const disc = (dot: Dot, radiusPx: number): void => {
    context.beginPath()
    context.arc(...at(dot), radiusPx, 0, 2 * Math.PI)
  }
  for (const dot of dots) {
    const { self: isSelf, linked, online, revoked } = dot.machine
    if (isSelf) continue
    disc(dot, linked ? dotPx + 1 : dotPx)
    context.fillStyle = colour(
      revoked ? '--danger' : linked ? '--accent' : online ? '--line-strong' : '--line',
    )
    context.fill()
  }
  if (self !== undefined) {
    disc(self, Math.max(dotPx, 4) + 1.5)
    context.fillStyle = colour('--text')
    context.fill()
  }
  const marked = dots.filter((dot, index) => index === pointed || dot.machine.machine === chosen)
  for (const dot of marked) {
    disc(dot, dotPx + 5)
    context.lineWidth = 2
    context.strokeStyle = colour('--text')
    context.stroke()
  }
}
