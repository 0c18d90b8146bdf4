// Times for people: relative, with the exact one on hover; and how long something takes.
import { html } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'

const STEPS: readonly [unit: Intl.RelativeTimeFormatUnit, ms: number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
]
const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })

/** Such as `5 minutes ago`; a clock that runs ahead elsewhere counts as now. */
export function relativeTime(ms: number, nowMs: number): string {
  const past = Math.max(0, nowMs - ms)
  for (const [unit, size] of STEPS) {
    if (unit !== 'second' && past >= size) return words.format(-Math.floor(past / size), unit)
  }
  return 'just now'
}

export function timeTemplate(ms: number): TemplateResult {
  const exact = new Date(ms)
  return html`<time datetime=${exact.toISOString()} title=${exact.toLocaleString()}
    >${relativeTime(ms, Date.now())}</time
  >`
}

/** Such as `5 minutes` or `1 hour 30 minutes`: the two longest units, the last one rounded down. */
export function durationText(ms: number): string {
  const first = STEPS.findIndex(([, size]) => ms >= size)
  let left = ms
  const parts: string[] = []
  for (const [unit, size] of first === -1 ? [] : STEPS.slice(first, first + 2)) {
    const count = Math.floor(left / size)
    left -= count * size
    if (count > 0) parts.push(`${count} ${unit}${count === 1 ? '' : 's'}`)
  }
  return parts.join(' ')
}

/** What is left of a time that runs out: `4:32`, and with an hour or more `1 hour 30 minutes`. */
export function countdownText(ms: number): string {
  const seconds = Math.ceil(Math.max(0, ms) / 1000)
  if (seconds >= 3600) return durationText(seconds * 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
