// The typed client over any port.
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/message-port'
import { isContractProcedure } from '@orpc/contract'
import type { AnyContractRouter, ContractRouterClient } from '@orpc/contract'
import { RequestValidationPlugin, ResponseValidationPlugin } from '@orpc/contract/plugins'
import { CloudError } from '../contract/errors.ts'
import type { Contract } from '../contract/index.ts'
import { fromWireError } from './errors.ts'
import { responsePort } from './frames.ts'
import type { AnyPort } from './port.ts'
import { isStream, wrapStream } from './stream.ts'

/** `client.db.put({...})`: one promise per call; an async iterator for streams. */
export type Client = ContractRouterClient<Contract>

/** Is there such a call in the contract? `path` is as in `['db', 'put']`. */
function hasCall(contract: AnyContractRouter, path: readonly string[]): boolean {
  let node: unknown = contract
  for (const part of path) {
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, part)) return false
    node = (node as Record<string, unknown>)[part]
  }
  return isContractProcedure(node)
}

/**
 * A client of `contract` over `port`. Arguments are checked before they are sent and answers when
 * they arrive. Every failure is a CloudError. When the port closes, pending calls, streams and all
 * later calls fail with UNAVAILABLE; a call whose `signal` aborts fails with CANCELLED.
 */
export function connect<T extends AnyContractRouter>(
  contract: T,
  port: AnyPort,
): ContractRouterClient<T> {
  let closed = false
  const frames = responsePort(port)
  frames.on('close', () => {
    closed = true
  })
  const toError = (error: unknown): CloudError =>
    closed && !(error instanceof CloudError)
      ? new CloudError('UNAVAILABLE', 'The connection to the machine was closed.')
      : fromWireError(error)

  const link = new RPCLink({
    port: frames,
    interceptors: [
      async ({ next, path, signal }) => {
        if (!hasCall(contract, path)) {
          const call = path.join('.')
          throw new CloudError('UNKNOWN_CALL', `There is no call "${call}".`, { call })
        }
        try {
          if (closed) throw new Error('closed')
          const output = await next()
          return isStream(output) ? wrapStream(output, { toError }) : output
        } catch (error) {
          throw signal?.aborted === true
            ? new CloudError('CANCELLED', 'The call was cancelled.')
            : toError(error)
        }
      },
    ],
    plugins: [new RequestValidationPlugin(contract), new ResponseValidationPlugin(contract)],
  })
  return createORPCClient<ContractRouterClient<T>>(link)
}
