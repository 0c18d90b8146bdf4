// The way to the machine that is running on a data folder.
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { CloudError } from '../contract/errors.ts'
import { contract } from '../contract/index.ts'
import { connect } from '../rpc/client.ts'
import type { Client } from '../rpc/client.ts'
import { webSocketPort } from '../rpc/transports/web-socket.ts'
import { COMMAND } from './command-name.ts'
import { readRuntimeFile } from '../store/runtime-file.ts'

export interface Connection {
  client: Client
  close(): void
}

/**
 * Connects to the machine of a folder as its owner.
 * @throws CloudError NO_MACHINE if none is running there
 */
export async function connectToFolder(dataDir: string): Promise<Connection> {
  const file = await readRuntimeFile(dataDir)
  const none = new CloudError(
    'NO_MACHINE',
    `No machine is running on ${dataDir}. Start one with: ${COMMAND} up --data ${dataDir}`,
    { dataDir },
  )
  if (file === null) throw none
  const { port, token } = file
  const socket = new WebSocket(`ws://127.0.0.1:${port}/rpc`, ['dharma', token])
  const machinePort = webSocketPort(socket)
  try {
    await once(socket, 'open')
  } catch {
    // The file is left from a machine that died; the port may even be someone else's by now.
    throw none
  }
  return { client: connect(contract, machinePort), close: () => socket.close() }
}
