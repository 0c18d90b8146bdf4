// The compiler that strips types, in a worker: source that is nested deeply enough breaks it for good.
import type { WorkerBody } from './worker-shell.ts'

export interface StripRequest {
  source: string
  path: string
}

export type StripReply =
  | { kind: 'code'; code: string }
  /** Lines from 1, columns from 0. */
  | { kind: 'fault'; message: string; line: number; column: number; snippet: string }

/** The whole of the worker's body; it uses nothing from outside itself. */
export function stripWorker(amaro: typeof import('amaro')): WorkerBody<StripRequest, StripReply> {
  return ({ source, path }) => {
    try {
      const { code } = amaro.transformSync(source, { mode: 'strip-only', filename: path })
      return { kind: 'code', code }
    } catch (error) {
      const fault = Object(error) as Record<string, unknown>
      const { startLine: line, startColumn: column, message, snippet } = fault
      // Anything but a fault of syntax may have left the compiler in pieces; the worker ends with it.
      if (typeof line !== 'number' || typeof column !== 'number') throw error
      return { kind: 'fault', message: String(message), line, column, snippet: String(snippet) }
    }
  }
}
