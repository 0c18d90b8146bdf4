// TypeScript to JavaScript by blanking out the types: no build step for systems, and every line and
// column of an error stays where the author wrote it. A stranger's source meets the compiler in a
// worker that is thrown away when anything but a fault of syntax comes of it.
import { CloudError } from '../contract/errors.ts'
import { stripWorker } from './strip-worker.ts'
import type { StripReply, StripRequest } from './strip-worker.ts'
import { WorkerPool, workerText } from './worker-pool.ts'
import type { LossCause } from './worker-pool.ts'

/** One that hangs, and one for everybody else. */
const MAX_WORKERS = 2
/** Beside the compiler's own memory. */
const WORKER_MEMORY_MB = 128
/** A megabyte takes 0.3 s; ten times slower is still no reason to give up. */
const STRIP_LIMIT_MS = 5_000
/** People write modules of kilobytes; the compiler needs a multiple of its input. */
const MAX_SOURCE_CHARS = 1024 * 1024

export class TypeStripper {
  readonly #pool = new WorkerPool<StripRequest, StripReply>({
    size: MAX_WORKERS,
    memoryMb: WORKER_MEMORY_MB,
    text: () => workerText(stripWorker, ['amaro']),
  })

  /**
   * The module without its types. Syntax that does more than describe types (enums, parameter
   * properties, namespaces with values) is refused.
   * @param path  names the module in errors
   * @throws CloudError SYSTEM_CODE_INVALID, with { path, line, column, snippet } where it is known;
   *   UNAVAILABLE
   */
  async strip(source: string, path: string): Promise<string> {
    if (source.length > MAX_SOURCE_CHARS) {
      throw invalid(path, `it is larger than ${MAX_SOURCE_CHARS >> 20} MB`)
    }
    const exchange = await this.#pool.run({
      request: { source, path },
      owner: path,
      limitMs: STRIP_LIMIT_MS,
      chars: source.length,
    })
    if (exchange.kind === 'lost') throw lost(path, exchange.cause, exchange.reason)
    const { reply } = exchange
    if (reply.kind === 'code') return reply.code
    const { line, message, snippet } = reply
    const column = reply.column + 1
    throw new CloudError('SYSTEM_CODE_INVALID', `${path}:${line}:${column}: ${message}`, {
      path,
      line,
      column,
      snippet,
    })
  }

  close(): Promise<void> {
    return this.#pool.close()
  }
}

function invalid(path: string, reason: string): CloudError {
  return new CloudError('SYSTEM_CODE_INVALID', `${path}: ${reason}`, { path })
}

function lost(path: string, cause: LossCause, reason: string): CloudError {
  if (cause === 'full' || cause === 'closed') {
    return new CloudError('UNAVAILABLE', `${path} could not be read now: ${reason}. Try again.`)
  }
  return invalid(path, 'the compiler gave up on it; it may be nested too deeply or be too large')
}

let shared: TypeStripper | null = null

/** `TypeStripper.strip` of the one stripper that the process shares. */
export function stripTypes(source: string, path: string): Promise<string> {
  shared ??= new TypeStripper()
  return shared.strip(source, path)
}
