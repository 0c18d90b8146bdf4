// Serves a contract on any port: checks who calls, validates input and output, maps errors.
import { getEventIteratorSchemaDetails, isContractProcedure } from '@orpc/contract'
import type { AnyRouter } from '@orpc/server'
import { StandardRPCHandler } from '@orpc/server/standard'
import { createServerPeerHandleRequestFn } from '@orpc/server/standard-peer'
import {
  deserializeRequestMessage,
  encodeResponseMessage,
  experimental_ServerPeerWithoutCodec as ServerPeer,
} from '@orpc/standard-server-peer'
import type { CallMeta } from '../contract/procedure.ts'
import { toWireError } from './errors.ts'
import { nextTurn } from '../flow/next-turn.ts'
import { OWNER_SHARE } from './budget.ts'
import type { ShareOwner } from './budget.ts'
import type { AnyPort } from './port.ts'
import { isStream, wrapStream } from './stream.ts'
import { Traffic } from './traffic.ts'

export interface AccessCheck<C> {
  /** Throws if the caller may not make this call. `input` is as it arrived. */
  beforeCall: (context: C, meta: CallMeta, input: unknown) => Promise<void>
  /** Throws if what the call needs was taken back meanwhile. */
  beforeEvent: (context: C, meta: CallMeta) => void
  /** Whose budget the calls on a port with this context draw on. */
  shareOf: (context: C) => ShareOwner
}

/** For a port whose holder was checked when it was handed out, and may all that is served on it. */
export const openAccess: AccessCheck<object> = {
  beforeCall: async () => undefined,
  beforeEvent: () => undefined,
  shareOf: () => OWNER_SHARE,
}

export interface ServerOptions<C> {
  access: AccessCheck<C>
  /**
   * Puts what a call means in the place of what was written, before it is checked. What it throws is
   * the call's answer.
   */
  readInput?: (context: C, input: unknown) => unknown
  /** Gets the errors that are our own bugs, for the log. */
  onInternalError: (error: unknown, path: readonly string[]) => void
}

/**
 * So many events of a stream go out before the event loop gets its turn. Without it a generator that
 * never waits would fill the memory before the caller's end of the stream is even read.
 */
const EVENTS_PER_TURN = 64

/** Between making and sending an answer that is longer, others have their turn. */
const LONG_ANSWER = 32 * 1024

/** Where the context of a call keeps its way back to the port that it came by. */
const PROGRESS = Symbol('progress')
interface Progress {
  /** To be called when the answer is a stream, and waits for events from now on. */
  begun: () => void
  /** Resolves when the port takes more. */
  drained: () => Promise<void> | undefined
}

/** The paths of all calls that answer with a stream, as `/db/watch`. */
function streamPaths(router: unknown, path = ''): string[] {
  if (typeof router !== 'object' || router === null) return []
  if (isContractProcedure(router)) {
    return getEventIteratorSchemaDetails(router['~orpc'].outputSchema) === undefined ? [] : [path]
  }
  return Object.entries(router).flatMap(([name, node]) => streamPaths(node, `${path}/${name}`))
}

/** Answers the calls that arrive on `port`, in the name of `context`, until the port closes. */
export type Serve<C> = (port: AnyPort, context: C) => void

/**
 * Makes a router servable on ports. A handler's `signal` aborts when the caller gives up or its port
 * closes: a handler that waits must honour it, for nothing else can stop it while it waits.
 */
export function createServer<C extends object>(
  router: AnyRouter,
  { access, readInput = (_, input) => input, onInternalError }: ServerOptions<C>,
): Serve<C> {
  const streams = new Set(streamPaths(router))
  const handler = new StandardRPCHandler<C>(router as never, {
    clientInterceptors: [
      async (options) => {
        const { next, path, context, procedure, signal } = options
        const meta = procedure['~orpc'].meta as CallMeta
        const { [PROGRESS]: progress } = context as unknown as { [PROGRESS]: Progress }
        const toError = (error: unknown): Error => {
          const wireError = toWireError(error)
          if (wireError.code === 'INTERNAL') onInternalError(error, path)
          return wireError
        }
        try {
          const input = readInput(context as C, options.input)
          await access.beforeCall(context as C, meta, input)
          const output = await next({ ...options, input })
          if (!isStream(output)) return output
          progress.begun()
          let events = 0
          const beforeEvent = async (): Promise<void> => {
            await progress.drained()
            access.beforeEvent(context as C, meta)
            events++
            if (events % EVENTS_PER_TURN === 0) await nextTurn()
          }
          return wrapStream(output, { signal, beforeEvent, toError })
        } catch (error) {
          throw toError(error)
        }
      },
    ],
  })
  const traffic = new Traffic({
    isStreamPath: (path) => streams.has(path),
    onError: (error) => onInternalError(error, []),
  })
  return (port, context) => {
    const peer = new ServerPeer(async ([id, type, payload]) => {
      const message = await encodeResponseMessage(id, type, payload)
      if (typeof message === 'string' && message.length > LONG_ANSWER) await nextTurn()
      trafficPort.send(message)
    })
    const trafficPort = traffic.open(port, access.shareOf(context), {
      handle(frame, begun) {
        const call: Progress = { begun, drained: () => trafficPort.drained() }
        const options = { context: { ...context, [PROGRESS]: call } }
        const handle = createServerPeerHandleRequestFn(handler, options as never)
        return peer.message(deserializeRequestMessage(frame), handle)
      },
      close: () => peer.close(),
    })
  }
}
