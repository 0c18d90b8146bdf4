// Which part of the map is seen: how much larger than the whole, and which of its points is in the middle.

const MOST_ZOOM = 32

export interface MapView {
  /** 1: the whole map fits. */
  zoom: number
  /** The point in the middle, as shares of the side of the map. */
  x: number
  y: number
}

/** Of the canvas, in CSS pixels. */
export interface MapSize {
  width: number
  height: number
}

export const WHOLE: MapView = { zoom: 1, x: 0.5, y: 0.5 }

/** The side of the whole map, px. */
export function sideOf({ width, height }: MapSize, { zoom }: MapView): number {
  return Math.min(width, height) * zoom
}

/** Where a point of the map is on the canvas, px. */
export function toCanvas(
  point: { x: number; y: number },
  size: MapSize,
  view: MapView,
): [number, number] {
  const side = sideOf(size, view)
  return [size.width / 2 + (point.x - view.x) * side, size.height / 2 + (point.y - view.y) * side]
}

/** The point of the map that is there on the canvas. */
export function toMap(
  [x, y]: readonly [number, number],
  size: MapSize,
  view: MapView,
): { x: number; y: number } {
  const side = sideOf(size, view)
  return { x: view.x + (x - size.width / 2) / side, y: view.y + (y - size.height / 2) / side }
}

/** Larger by that factor, with what is under a point of the canvas staying there. */
export function zoomAt(
  view: MapView,
  size: MapSize,
  at: readonly [number, number],
  factor: number,
): MapView {
  const zoom = Math.min(MOST_ZOOM, Math.max(1, view.zoom * factor))
  const fixed = toMap(at, size, view)
  const side = sideOf(size, { ...view, zoom })
  return held({
    zoom,
    x: fixed.x - (at[0] - size.width / 2) / side,
    y: fixed.y - (at[1] - size.height / 2) / side,
  })
}

/** Moved with a pointer, by so many px. */
export function panBy(view: MapView, size: MapSize, dx: number, dy: number): MapView {
  const side = sideOf(size, view)
  return held({ ...view, x: view.x - dx / side, y: view.y - dy / side })
}

/** Shows a point, by moving no more than that takes. */
export function reveal(view: MapView, size: MapSize, point: { x: number; y: number }): MapView {
  const [x, y] = toCanvas(point, size, view)
  const outside = x < 0 || y < 0 || x > size.width || y > size.height
  return outside ? held({ ...view, x: point.x, y: point.y }) : view
}

/** The map does not leave the canvas, and the whole of it stands in the middle. */
function held({ zoom, x, y }: MapView): MapView {
  const room = 0.5 * (1 - 1 / zoom)
  const within = (value: number): number => Math.min(0.5 + room, Math.max(0.5 - room, value))
  return { zoom, x: within(x), y: within(y) }
}
