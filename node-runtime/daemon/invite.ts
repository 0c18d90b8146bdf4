// `dharma invite` and `dharma join`: how people come into a cloud.
import { MessageChannel } from 'node:worker_threads'
import type { DhtAddress } from 'hyperdht'
import { contract } from '../contract/index.ts'
import { isLocal } from '../host/bootstrap.ts'
import { createLog } from '../host/log.ts'
import { SDK_DIR } from '../host/places.ts'
import { bakedRelease } from '../host/release-file.ts'
import { connectIfRunning, connectToFolder } from '../host/running-machine.ts'
import { Runtime } from '../machine/runtime.ts'
import { connect } from '../rpc/client.ts'
import type { Client } from '../rpc/client.ts'
import type { AnyPort } from '../rpc/port.ts'
import { printJson, printText } from './output.ts'
import { readStdin, STDIN } from './standard-input.ts'

/** A link takes a hundred; its words as many. */
const MAX_JOIN_CHARS = 2_000

/** @throws CloudError NO_MACHINE, INVITATION_INVALID, LIMIT_REACHED */
export async function invite(
  dataDir: string,
  { uses, expires, json }: { uses: number; expires: number; json: boolean },
): Promise<void> {
  const { client, close } = await connectToFolder(dataDir)
  const given = await client.cloud.invite({ uses, lastsMs: expires }).finally(close)
  if (json) return printJson(given)
  printText(`Link     ${given.link}`)
  printText(`Code     ${given.code}`)
  printText(`For      ${uses === 1 ? 'one person' : `${uses} persons`}`)
  printText(`Until    ${new Date(given.expiresMs).toISOString()}`)
  printText(`Take it back with: --withdraw ${given.id}`)
  printText('This machine must be on while somebody comes in by it.')
}

/** @throws CloudError NO_MACHINE, INVITATION_INVALID */
export async function withdraw(dataDir: string, id: string, json: boolean): Promise<void> {
  const { client, close } = await connectToFolder(dataDir)
  await client.cloud.withdrawInvitation({ id }).finally(close)
  if (json) printJson({ id })
  else printText('The invitation lets nobody in any more.')
}

interface JoinOptions {
  /** `-`: it comes by standard input. */
  text: string
  bootstrap?: DhtAddress[]
  json: boolean
}

/** A machine that is off is started for the moment. @throws CloudError */
export async function join(dataDir: string, options: JoinOptions): Promise<void> {
  const text = options.text === STDIN ? await readStdin(MAX_JOIN_CHARS) : options.text
  const running = await connectIfRunning(dataDir)
  const { client, close } =
    running === null
      ? await startForAMoment(dataDir, options.bootstrap)
      : { client: running.client, close: async () => running.close() }
  try {
    await client.cloud.join({ cloud: text })
    const { cloud, machine, state } = await client.cloud.status({})
    if (options.json) return printJson({ cloud, machine, state })
    printText(`Cloud    ${cloud}`)
    printText(`Machine  ${machine}`)
    if (running === null) printText('Start the machine, and it looks for the others.')
  } finally {
    await close()
  }
}

async function startForAMoment(
  dataDir: string,
  bootstrap: DhtAddress[] | undefined,
): Promise<{ client: Client; close: () => Promise<void> }> {
  const release = await bakedRelease()
  const runtime = await Runtime.start({
    dataDir,
    kind: 'headless',
    sdkDir: SDK_DIR,
    log: createLog(dataDir),
    ...(release === undefined ? {} : { release }),
    ...(bootstrap === undefined ? {} : { bootstrap }),
    ...(bootstrap !== undefined && isLocal(bootstrap) ? { host: '127.0.0.1' } : {}),
  })
  const { port1, port2 } = new MessageChannel()
  runtime.serve(port2 as unknown as AnyPort, { kind: 'owner' })
  return {
    client: connect(contract, port1 as unknown as AnyPort),
    close: async () => {
      port1.close()
      await runtime.close()
    },
  }
}
