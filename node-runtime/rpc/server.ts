// Serves a contract on any port: checks who calls, validates input and output, maps errors.
import type { AnyRouter } from '@orpc/server'
import { RPCHandler } from '@orpc/server/message-port'
import type { CallMeta } from '../contract/procedure.ts'
import { toWireError } from './errors.ts'
import { requestPort } from './frames.ts'
import type { AnyPort } from './port.ts'
import { isStream, wrapStream } from './stream.ts'

export interface AccessCheck<C> {
  /** Throws if the caller may not make this call. `input` is as it arrived. */
  beforeCall: (context: C, meta: CallMeta, input: unknown) => Promise<void>
  /** Throws if what the call needs was taken back meanwhile. */
  beforeEvent: (context: C, meta: CallMeta) => void
}

/** For a port whose holder was checked when it was handed out, and may all that is served on it. */
export const openAccess: AccessCheck<object> = {
  beforeCall: async () => undefined,
  beforeEvent: () => undefined,
}

export interface ServerOptions<C> {
  access: AccessCheck<C>
  /** Gets the errors that are our own bugs, for the log. */
  onInternalError: (error: unknown, path: readonly string[]) => void
}

/**
 * So many events of a stream go out before the event loop gets its turn. Without it a generator that
 * never waits would fill the memory before the caller's end of the stream is even read.
 */
const EVENTS_PER_TURN = 64

/** Answers the calls that arrive on `port`, in the name of `context`, until the port closes. */
export type Serve<C> = (port: AnyPort, context: C) => void

/**
 * Makes a router servable on ports. A handler's `signal` aborts when the caller gives up or its port
 * closes: a handler that waits must honour it, for nothing else can stop it while it waits.
 */
export function createServer<C extends object>(
  router: AnyRouter,
  { access, onInternalError }: ServerOptions<C>,
): Serve<C> {
  const handler = new RPCHandler<C>(router as never, {
    clientInterceptors: [
      async ({ next, path, context, procedure, input, signal }) => {
        const meta = procedure['~orpc'].meta as CallMeta
        const toError = (error: unknown): Error => {
          const wireError = toWireError(error)
          if (wireError.code === 'INTERNAL') onInternalError(error, path)
          return wireError
        }
        try {
          await access.beforeCall(context as C, meta, input)
          const output = await next()
          if (!isStream(output)) return output
          let events = 0
          const beforeEvent = async (): Promise<void> => {
            access.beforeEvent(context as C, meta)
            events++
            if (events % EVENTS_PER_TURN === 0)
              await new Promise((resolve) => setImmediate(resolve))
          }
          return wrapStream(output, { signal, beforeEvent, toError })
        } catch (error) {
          throw toError(error)
        }
      },
    ],
  })
  return (port, context) => handler.upgrade(requestPort(port), { context } as never)
}
