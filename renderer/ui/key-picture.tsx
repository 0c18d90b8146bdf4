// A picture made from a key, so that two keys can be told apart at a glance.
import type { ReactNode } from 'react'

const SIDE = 5
/** As a path from its corner; neighbours overlap, so that no line is seen between them. */
const CELL = 'h1.02v1.02h-1.02z'

/**
 * FNV-1a, 32 bits, with the finish of MurmurHash3, without which the low bits hang on the last letter
 * alone. Enough for a picture; proves nothing.
 */
function hash(text: string, seed: number): number {
  let value = 0x811c9dc5 ^ seed
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

/** The filled cells of a square that mirrors left to right, and a hue. */
export function pictureOf(text: string): { cells: [x: number, y: number][]; hue: number } {
  const bits = hash(text, 0x5bd1e995)
  const cells: [number, number][] = []
  const half = Math.ceil(SIDE / 2)
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < half; x += 1) {
      if (((bits >>> (y * half + x)) & 1) === 0) continue
      cells.push([x, y])
      if (SIDE - 1 - x !== x) cells.push([SIDE - 1 - x, y])
    }
  }
  return { cells, hue: hash(text, 1) % 360 }
}

/** Decoration: whoever uses it says in words whose key it is. */
export function KeyPicture({ text, size = 20 }: { text: string; size?: number }): ReactNode {
  const { cells, hue } = pictureOf(text)
  return (
    <svg
      className="key-picture"
      width={size}
      height={size}
      viewBox={`-1 -1 ${SIDE + 2} ${SIDE + 2}`}
      aria-hidden="true"
      focusable="false"
    >
      <rect
        x="-1"
        y="-1"
        width={SIDE + 2}
        height={SIDE + 2}
        rx="1.6"
        fill={`hsl(${hue} 45% 50% / 18%)`}
      />
      <path d={cells.map(([x, y]) => `M${x} ${y}${CELL}`).join('')} fill={`hsl(${hue} 48% 48%)`} />
    </svg>
  )
}
