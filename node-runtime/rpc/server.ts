// Serves a contract on any port: checks who calls, validates input and output, maps errors.
import type { AnyRouter } from '@orpc/server'
import { RPCHandler } from '@orpc/server/message-port'
import type { CallMeta } from '../contract/procedure.ts'
import { toWireError } from './errors.ts'
import type { AnyPort } from './port.ts'

export interface ServerOptions<C> {
  /** Throws if the caller may not make this call. Asked before it, and before each event of a stream. */
  checkAccess: (context: C, meta: CallMeta, input: unknown) => void
  /** Gets the errors that are our own bugs, for the log. */
  onInternalError: (error: unknown, path: readonly string[]) => void
}

/** Answers the calls that arrive on `port`, in the name of `context`, until the port closes. */
export type Serve<C> = (port: AnyPort, context: C) => void

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/** Makes a router servable on ports. */
export function createServer<C extends object>(
  router: AnyRouter,
  { checkAccess, onInternalError }: ServerOptions<C>,
): Serve<C> {
  const handler = new RPCHandler<C>(router as never, {
    clientInterceptors: [
      async ({ next, path, context, procedure, input }) => {
        const check = (): void =>
          checkAccess(context as C, procedure['~orpc'].meta as CallMeta, input)
        const fail = (error: unknown): Error => {
          const wireError = toWireError(error)
          if (wireError.code === 'INTERNAL') onInternalError(error, path)
          return wireError
        }
        try {
          check()
          const output = await next()
          return isStream(output) ? guardStream(output, check, fail) : output
        } catch (error) {
          throw fail(error)
        }
      },
    ],
  })
  return (port, context) => handler.upgrade(port, { context } as never)
}

/** A stream whose errors are mapped, and which ends when its caller may no longer have it. */
async function* guardStream(
  stream: AsyncIterable<unknown>,
  check: () => void,
  fail: (error: unknown) => Error,
): AsyncGenerator<unknown> {
  try {
    for await (const event of stream) {
      check()
      yield event
    }
  } catch (error) {
    throw fail(error)
  }
}
