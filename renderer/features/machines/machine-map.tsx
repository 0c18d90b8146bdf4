import { Maximize, Minus, Plus } from 'lucide-react'
import { memo, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { KeyboardEvent, PointerEvent, ReactNode } from 'react'
import type { MachineInfo, RingReport } from '../../../node-runtime/contract/machines.ts'
import { IconButton } from '../../ui/button.tsx'
import { describeMachine } from './machine-state.ts'
import { dotRadius, drawMap, readColours } from './map-drawing.ts'
import type { MapColours } from './map-drawing.ts'
import { dotAt, layOut } from './map-layout.ts'
import type { Dot } from './map-layout.ts'
import { panBy, reveal, toCanvas, WHOLE, zoomAt } from './map-view.ts'
import type { MapSize } from './map-view.ts'

const NOBODY: readonly string[] = []
const FIRST_SIZE: MapSize = { width: 360, height: 360 }
const ZOOM_STEP = 1.5
/** Of a wheel's or a pinch's movement, px, that doubles the map. */
const WHEEL_DOUBLES_PX = 240
/** A pointer that was moved less has clicked. */
const CLICK_PX = 4

interface MachineMapProps {
  machines: readonly MachineInfo[]
  report: RingReport | null
  chosen: string | null
  onChoose: (machine: string) => void
}

/**
 * All machines that are known, on the ring by their places, this one on top; lines are its links, and the line from
 * machine to machine is the token's way. A click or Enter chooses a machine, as in the table, which says the same.
 * Buttons, a pinch, Ctrl and the wheel, or + and - make it larger; then it is moved by dragging.
 */
export const MachineMap = memo(function MachineMap({
  machines,
  report,
  chosen,
  onChoose,
}: MachineMapProps): ReactNode {
  const canvas = useRef<HTMLCanvasElement>(null)
  const size = useSize(canvas)
  const dots = useMemo(() => layOut(machines), [machines])
  const [pointedKey, setPointedKey] = useState<string | null>(null)
  const [view, setView] = useState(WHOLE)
  const drag = useRef<{ x: number; y: number; moved: boolean } | null>(null)
  const pointed = dots.findIndex(({ machine }) => machine.machine === pointedKey)
  useRevealed(dots, chosen, (dot) => setView((before) => reveal(before, size, dot)))
  const tokenWay = report?.machines ?? NOBODY
  const turns = report?.lap != null && tokenWay.length > 1
  useDrawn(
    canvas,
    useColours(canvas),
    useCallback(
      (on, colours) => drawMap(on, size, view, colours, { dots, tokenWay, turns }),
      [size, view, dots, tokenWay, turns],
    ),
  )
  useWheel(canvas, (at, deltaPx) =>
    setView((before) => zoomAt(before, size, at, 2 ** (-deltaPx / WHEEL_DOUBLES_PX))),
  )

  const middle = [size.width / 2, size.height / 2] as const
  const shown = dots[pointed]
  const marked = useMemo(
    () => dots.find(({ machine }) => machine.machine === chosen),
    [dots, chosen],
  )
  /** Around what is pointed at, if that is anything. */
  const zoom = (factor: number): void =>
    setView((before) => {
      const at = shown === undefined ? middle : toCanvas(shown, size, before)
      return zoomAt(before, size, at, factor)
    })
  const point = (index: number): void => setPointedKey(dots[index]?.machine.machine ?? null)
  const find = (event: PointerEvent | React.MouseEvent): number =>
    dotAt(dots, placeOf(event, canvas.current!), size, view)
  const choose = (index: number): void => {
    const dot = dots[index]
    if (dot !== undefined) onChoose(dot.machine.machine)
  }
  const movePointer = (event: PointerEvent): void => {
    const { current } = drag
    if (current === null) return point(find(event))
    const [dx, dy] = [event.clientX - current.x, event.clientY - current.y]
    if (!current.moved && Math.hypot(dx, dy) < CLICK_PX) return
    drag.current = { x: event.clientX, y: event.clientY, moved: true }
    setView((before) => panBy(before, size, dx, dy))
  }
  const moveBy = (event: KeyboardEvent): void => {
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
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (to !== undefined) {
      point(to)
      const dot = dots[to]
      if (dot !== undefined) setView((before) => reveal(before, size, dot))
    } else if (event.key === 'Enter') choose(pointed)
    else if (event.key === '+') zoom(ZOOM_STEP)
    else if (event.key === '-') zoom(1 / ZOOM_STEP)
    else if (event.key === '0') setView(WHOLE)
    else return
    event.preventDefault()
  }
  const linked = machines.filter((machine) => machine.linked && !machine.self).length
  const summary = describeLinks(linked, machines.length - 1)
  return (
    <figure className="machine-map">
      <canvas
        ref={canvas}
        className={view.zoom > 1 ? 'map-canvas map-canvas-large' : 'map-canvas'}
        role="slider"
        tabIndex={0}
        aria-label="Map of the machines"
        aria-valuemin={1}
        aria-valuemax={dots.length}
        aria-valuenow={Math.max(0, pointed) + 1}
        aria-valuetext={shown === undefined ? summary : describeMachine(shown.machine)}
        onPointerDown={(event) => {
          if (event.button !== 0) return
          drag.current = { x: event.clientX, y: event.clientY, moved: false }
          event.currentTarget.setPointerCapture(event.pointerId)
        }}
        onPointerMove={movePointer}
        onPointerLeave={() => setPointedKey(null)}
        onPointerCancel={() => (drag.current = null)}
        onClick={(event) => {
          const wasMoved = drag.current?.moved === true
          drag.current = null
          if (!wasMoved) choose(find(event))
        }}
        onKeyDown={moveBy}
        onBlur={() => setPointedKey(null)}
      />
      <div className="map-marks" aria-hidden="true">
        {[shown, marked].map((dot, index) =>
          dot === undefined ? null : (
            <span
              key={index === 0 ? 'pointed' : 'chosen'}
              className="map-mark"
              style={markPlace(toCanvas(dot, size, view), dotRadius(dots.length, size, view))}
            />
          ),
        )}
      </div>
      {shown !== undefined && (
        <p className="map-label" style={labelPlace(toCanvas(shown, size, view), size)}>
          {describeMachine(shown.machine)}
        </p>
      )}
      <div className="map-buttons">
        <IconButton label="Larger" keys="+" onClick={() => zoom(ZOOM_STEP)}>
          <Plus />
        </IconButton>
        <IconButton
          label="Smaller"
          keys="-"
          disabled={view.zoom === 1}
          onClick={() => zoom(1 / ZOOM_STEP)}
        >
          <Minus />
        </IconButton>
        <IconButton
          label="The whole map"
          keys="0"
          disabled={view.zoom === 1}
          onClick={() => setView(WHOLE)}
        >
          <Maximize />
        </IconButton>
      </div>
      <figcaption className="map-legend">
        <span className="map-words">{summary}</span>
        <Legend machines={machines} />
      </figcaption>
    </figure>
  )
})

const LEGEND: readonly [string, string, (machine: MachineInfo) => boolean][] = [
  ['self', 'This machine', ({ self }) => self],
  ['linked', 'Linked', ({ linked, revoked }) => linked && !revoked],
  [
    'known',
    'Online',
    ({ self, online, linked, revoked }) => online && !self && !linked && !revoked,
  ],
  ['suspected', 'Suspected', ({ suspected }) => suspected],
  ['away', 'Away', ({ online, suspected, revoked }) => !online && !suspected && !revoked],
  ['revoked', 'Revoked', ({ revoked }) => revoked],
]

function describeLinks(linked: number, others: number): string {
  if (linked < others) return `This machine has links to ${linked} of ${others} others.`
  return others === 1
    ? 'This machine has a link to the other one.'
    : `This machine has links to all ${others} others.`
}

/** What the dots mean, of those that there are. */
const Legend = memo(function Legend({ machines }: { machines: readonly MachineInfo[] }): ReactNode {
  return (
    <ul>
      {LEGEND.filter(([, , applies]) => machines.some(applies)).map(([look, word]) => (
        <li key={look}>
          <span className={`map-sign map-sign-${look}`} aria-hidden="true" />
          {word}
        </li>
      ))}
    </ul>
  )
})

/** Shows the chosen machine once it has become another, wherever it was chosen. */
function useRevealed(
  dots: readonly Dot[],
  chosen: string | null,
  onReveal: (dot: Dot) => void,
): void {
  const latest = useRef({ dots, onReveal })
  useEffect(() => {
    latest.current = { dots, onReveal }
  })
  useEffect(() => {
    const dot = latest.current.dots.find(({ machine }) => machine.machine === chosen)
    if (dot !== undefined) latest.current.onReveal(dot)
  }, [chosen])
}

function placeOf(
  { clientX, clientY }: { clientX: number; clientY: number },
  canvas: HTMLCanvasElement,
): [number, number] {
  const { left, top } = canvas.getBoundingClientRect()
  return [clientX - left, clientY - top]
}

/** A ring around the dot. It is no part of the drawing: a pointer moves it often. */
function markPlace([x, y]: readonly [number, number], radius: number) {
  const reach = radius + 6
  return { left: x - reach, top: y - reach, width: 2 * reach, height: 2 * reach }
}

/** Beside the dot, on the side on which there is more room. */
function labelPlace([x, y]: readonly [number, number], { width, height }: MapSize) {
  const top = Math.min(height - 12, Math.max(12, y))
  return x < width / 2 ? { left: x + 14, top } : { right: width - x + 14, top }
}

function useSize(canvas: React.RefObject<HTMLCanvasElement | null>): MapSize {
  const [size, setSize] = useState(FIRST_SIZE)
  useEffect(() => {
    const element = canvas.current
    if (element === null) return
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect
      if (width > 0 && height > 0) setSize({ width, height })
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [canvas])
  return size
}

/** Draws once a frame at most, whatever changes how often. */
function useDrawn(
  canvas: React.RefObject<HTMLCanvasElement | null>,
  colours: () => MapColours | null,
  draw: (canvas: HTMLCanvasElement, colours: MapColours) => void,
): void {
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      const read = colours()
      if (canvas.current !== null && read !== null) draw(canvas.current, read)
    })
    return () => cancelAnimationFrame(frame)
  }, [canvas, colours, draw])
}

type Canvas = React.RefObject<HTMLCanvasElement | null>

/** Reads the colours of the theme, once. */
function colourReader(canvas: Canvas): () => MapColours | null {
  let colours: MapColours | null = null
  return () => (colours ??= canvas.current === null ? null : readColours(canvas.current))
}

/** A new reader once colours or pixels have become others, which a canvas does not see by itself. */
function useColours(canvas: Canvas): () => MapColours | null {
  const [reader, setReader] = useState(() => colourReader(canvas))
  useEffect(() => {
    const repaint = (): void => setReader(() => colourReader(canvas))
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
  }, [canvas])
  return reader
}

/** A pinch, or the wheel with Ctrl: the wheel alone moves the page. */
function useWheel(
  canvas: React.RefObject<HTMLCanvasElement | null>,
  onZoom: (at: readonly [number, number], deltaPx: number) => void,
): void {
  const zoom = useRef(onZoom)
  useEffect(() => {
    zoom.current = onZoom
  })
  useEffect(() => {
    const element = canvas.current
    if (element === null) return
    const turn = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return
      event.preventDefault()
      zoom.current(placeOf(event, element), event.deltaY)
    }
    element.addEventListener('wheel', turn, { passive: false })
    return () => element.removeEventListener('wheel', turn)
  }, [canvas])
}
