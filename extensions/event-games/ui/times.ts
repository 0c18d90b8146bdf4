// Times for people: relative, with the exact one on hover.
import { html } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'

const STEPS: readonly [unit: Intl.RelativeTimeFormatUnit, ms: number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
]
const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })

/** Such as `5 minutes ago`; a clock that runs ahead elsewhere counts as now. */
export function relativeTime(ms: number, nowMs: number): string {
  const past = Math.max(0, nowMs - ms)
  for (const [unit, size] of STEPS) {
    if (past >= size) return words.format(-Math.floor(past / size), unit)
  }
  return 'just now'
}

export function timeTemplate(ms: number): TemplateResult {
  const exact = new Date(ms)
  return html`<time datetime=${exact.toISOString()} title=${exact.toLocaleString()}
    >${relativeTime(ms, Date.now())}</time
  >`
}
