// People on the page: a picture made from the key, the name they gave (a claim), the fingerprint (the
// proof).
import { html, nothing, svg } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'

const SIDE = 5
/** The left half and the middle; the right half mirrors the left. */
const HALF = 3
/** How long the sign that a key was copied stays. */
const COPIED_MS = 1600

/** The short form of a key, to tell people with the same name apart; as the window writes it. */
export function fingerprint(key: string): string {
  return `${key.slice(0, 6)}…${key.slice(-4)}`
}

/** FNV-1a, 32 bits: spreads similar keys well enough for a picture; proves nothing. */
function hash(text: string, seed: number): number {
  let value = 0x811c9dc5 ^ seed
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0
  }
  return value
}

/** A picture made from a key, the same that the window around the page shows for it. */
export function picture(key: string): TemplateResult {
  const bits = hash(key, 0x5bd1e995)
  const cells: TemplateResult[] = []
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < HALF; x++) {
      if (((bits >>> (y * HALF + x)) & 1) === 0) continue
      for (const column of new Set([x, SIDE - 1 - x])) {
        cells.push(svg`<rect x=${column} y=${y} width="1.02" height="1.02" />`)
      }
    }
  }
  return html`<svg
    class="picture"
    viewBox="-1 -1 7 7"
    style="--hue: ${hash(key, 1) % 360}"
    aria-hidden="true"
  >
    ${cells}
  </svg>`
}

/** The whole key to the clipboard; where a page may not, the key is in the title to be read. */
async function copy(key: string, button: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(key)
  } catch {
    return
  }
  button.dataset.copied = ''
  setTimeout(() => delete button.dataset.copied, COPIED_MS)
}

export interface PersonOptions {
  /** A dot: here, away, or (null) not known. Without it, no dot. */
  online?: boolean | null
  self?: boolean
}

/** A person in a line of text or a cell of a table. */
export function personTemplate(
  key: string,
  name: string,
  { online, self = false }: PersonOptions = {},
): TemplateResult {
  const status = online === true ? 'online' : online === false ? 'offline' : 'not here yet'
  return html`<span class="person">
    ${picture(key)}
    <span class="person-who">
      <span class="person-name">${name}</span>
      ${self ? html`<span class="d-badge">you</span>` : nothing}
    </span>
    <button
      type="button"
      class="fingerprint d-mono"
      title=${`${key}\nClick to copy`}
      aria-label=${`Copy key ${fingerprint(key)}`}
      @click=${(event: Event) => void copy(key, event.currentTarget as HTMLElement)}
    >
      ${fingerprint(key)}
    </button>
    ${online === undefined
      ? nothing
      : html`<span class="dot dot-${status.replaceAll(' ', '-')}"></span
          ><span class="d-hidden">${status}</span>`}
  </span>`
}
