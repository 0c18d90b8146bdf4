// The machine of a folder, for a command: the one that is running, or one that is started for the moment.
import { MessageChannel } from 'node:worker_threads'
import { contract } from '../contract/index.ts'
import { isLocal } from '../host/bootstrap.ts'
import { createLog } from '../host/log.ts'
import { SDK_DIR } from '../host/places.ts'
import { bakedRelease } from '../host/release-file.ts'
import { connectIfRunning } from '../host/running-machine.ts'
import { Runtime } from '../machine/runtime.ts'
import type { RuntimeOptions } from '../machine/runtime.ts'
import { connect } from '../rpc/client.ts'
import type { Client } from '../rpc/client.ts'
import type { AnyPort } from '../rpc/port.ts'

export interface BriefMachine {
  client: Client
  /** Was it running before? */
  running: boolean
  close: () => Promise<void>
}

/**
 * Close when done.
 * @param how  it looks for others, if it has to be started
 * @throws CloudError FOLDER_UNUSABLE, and what starting throws
 */
export async function openMachine(
  dataDir: string,
  { bootstrap, ways }: Pick<RuntimeOptions, 'bootstrap' | 'ways'> = {},
): Promise<BriefMachine> {
  const connection = await connectIfRunning(dataDir)
  if (connection !== null) {
    const { client } = connection
    return { client, running: true, close: async () => connection.close() }
  }
  const release = await bakedRelease()
  const runtime = await Runtime.start({
    dataDir,
    kind: 'headless',
    sdkDir: SDK_DIR,
    log: createLog(dataDir),
    ...(release === undefined ? {} : { release }),
    ...(ways === undefined ? {} : { ways }),
    ...(bootstrap === undefined ? {} : { bootstrap }),
    ...(bootstrap !== undefined && isLocal(bootstrap) ? { host: '127.0.0.1' } : {}),
  })
  const { port1, port2 } = new MessageChannel()
  runtime.serve(port2 as unknown as AnyPort, { kind: 'owner' })
  return {
    client: connect(contract, port1 as unknown as AnyPort),
    running: false,
    close: async () => {
      port1.close()
      await runtime.close()
    },
  }
}
