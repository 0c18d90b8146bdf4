// A thing that the person asked for and that takes a while: pending until it is acknowledged, and with
// words when it fails.
import { CloudError } from '/.dharma/sdk.js'
import { html, nothing } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'

export interface Action {
  readonly pending: boolean
  readonly problem: string
  /** Runs `work` unless something runs already; true if it succeeded. */
  run(work: () => Promise<unknown>): Promise<boolean>
}

/** `changed` is called when it starts and when it ends. */
export function createAction(changed: () => void): Action {
  let pending = false
  let problem = ''
  return {
    get pending() {
      return pending
    },
    get problem() {
      return problem
    },
    async run(work) {
      if (pending) return false
      pending = true
      problem = ''
      changed()
      try {
        await work()
        return true
      } catch (error) {
        problem = error instanceof CloudError ? error.message : String(error)
        return false
      } finally {
        pending = false
        changed()
      }
    },
  }
}

/** Why something did not work, in words. */
export function problemTemplate(problem: string): TemplateResult | typeof nothing {
  return problem === ''
    ? nothing
    : html`<p class="d-notice d-notice-danger" role="alert">${problem}</p>`
}
