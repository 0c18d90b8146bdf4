// Status and format of an event, and the state of a result, as they are shown everywhere.
import { html } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import { PHASE_TEXT } from './phase.ts'
import type { Phase } from './phase.ts'
import type { EventValue } from './records.ts'
import type { Verdict } from './verifier.ts'

const PHASE_CLASS: Record<Phase, string> = {
  open: 'd-badge-accent',
  full: '',
  playing: 'd-badge-attention',
  finished: '',
  cancelled: '',
}

export function phaseTemplate(phase: Phase): TemplateResult {
  return html`<span class="d-badge ${PHASE_CLASS[phase]}">${PHASE_TEXT[phase]}</span>`
}

export function formatText({ format }: EventValue): string {
  return format === 'single' ? 'Single game' : 'Round robin'
}

/** How many can take part. */
export function playersText({ format, maxPlayers }: EventValue): string {
  return format === 'single' ? 'two players' : `up to ${maxPlayers} players`
}

const VERDICT: Record<Verdict['state'], { className: string; text: string }> = {
  checking: { className: '', text: 'Checking…' },
  verified: { className: 'd-badge-accent', text: 'Checked here' },
  missing: { className: '', text: 'Moves not in reach' },
  refused: { className: 'd-badge-danger', text: 'Does not hold' },
}

/** What this machine has found out about a result. */
export function verdictTemplate({ state }: Verdict): TemplateResult {
  return html`<span class="d-badge ${VERDICT[state].className}">${VERDICT[state].text}</span>`
}
