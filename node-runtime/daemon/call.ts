// `dharma call`: makes one call on the running machine of a folder.
import { CloudError } from '../contract/errors.ts'
import { isStream } from '../rpc/stream.ts'
import { parseCall } from './call-list.ts'
import { printJson } from './output.ts'
import { COMMAND } from '../host/command-name.ts'
import { connectToFolder } from '../host/running-machine.ts'
import { waitForStop } from './stop-signal.ts'

type DynamicClient = Record<string, Record<string, (input: unknown) => Promise<unknown>>>

function parseArguments(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CloudError('BAD_INPUT', `The arguments are not JSON: ${reason}`, { text })
  }
}

/** Names the way to learn what the call takes. */
function withHint(error: unknown, name: string): unknown {
  if (!(error instanceof CloudError) || error.code !== 'BAD_INPUT') return error
  return new CloudError(error.code, `${error.message} See: ${COMMAND} calls ${name}`, error.details)
}

/**
 * Prints the answer as JSON; of a stream, one line for each event until it ends or is interrupted.
 * @throws CloudError any of the call's, NO_MACHINE, UNKNOWN_CALL, BAD_INPUT
 */
export async function call(name: string, argument: string, dataDir: string): Promise<void> {
  const [service, method] = parseCall(name)
  const input = parseArguments(argument)
  const { client, close } = await connectToFolder(dataDir)
  try {
    const output = await (client as unknown as DynamicClient)[service]![method]!(input).catch(
      (error: unknown) => {
        throw withHint(error, name)
      },
    )
    if (!isStream(output)) return printJson(output)
    const iterator = output[Symbol.asyncIterator]()
    void waitForStop().then(() => iterator.return?.())
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      printJson(next.value)
    }
  } finally {
    close()
  }
}
