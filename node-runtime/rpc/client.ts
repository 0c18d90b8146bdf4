// The typed client over any port.
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/message-port'
import type { AnyContractRouter, ContractRouterClient } from '@orpc/contract'
import { RequestValidationPlugin, ResponseValidationPlugin } from '@orpc/contract/plugins'
import type { Contract } from '../contract/index.ts'
import { fromWireError } from './errors.ts'
import type { AnyPort } from './port.ts'

/** `client.db.put({...})`: one promise per call; an async iterator for streams. */
export type Client = ContractRouterClient<Contract>

async function* rethrowing(stream: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  try {
    yield* stream
  } catch (error) {
    throw fromWireError(error)
  }
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/**
 * A client of `contract` over `port`. Arguments are checked before they are sent and answers when
 * they arrive. Every failure is a CloudError; a stream ends with one when the port closes.
 */
export function connect<T extends AnyContractRouter>(
  contract: T,
  port: AnyPort,
): ContractRouterClient<T> {
  const link = new RPCLink({
    port,
    interceptors: [
      async ({ next }) => {
        try {
          const output = await next()
          return isStream(output) ? rethrowing(output) : output
        } catch (error) {
          throw fromWireError(error)
        }
      },
    ],
    plugins: [new RequestValidationPlugin(contract), new ResponseValidationPlugin(contract)],
  })
  return createORPCClient<ContractRouterClient<T>>(link)
}
