// The few icons of the system; always beside a name in words.
import { html, svg } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'

const SHAPES = {
  first: svg`<path d="M6 5v14M19 5.5 9.5 12l9.5 6.5z" />`,
  previous: svg`<path d="M16.5 5.5 7 12l9.5 6.5z" />`,
  next: svg`<path d="M7.5 5.5 17 12l-9.5 6.5z" />`,
  last: svg`<path d="M18 5v14M5 5.5l9.5 6.5L5 18.5z" />`,
  play: svg`<path d="M8 5v14l11-7z" fill="currentColor" />`,
  pause: svg`<path d="M9 6v12M15 6v12" stroke-width="3" />`,
  check: svg`<path d="m5 12.5 4.5 4.5L19 7.5" stroke-width="2.5" />`,
} as const

export type IconName = keyof typeof SHAPES

export function iconTemplate(name: IconName): TemplateResult {
  return html`<svg
    class="icon"
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="2"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    ${SHAPES[name]}
  </svg>`
}
