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

/** A machine on this computer answers in milliseconds; one that is busy, in a second or two. */
const HANDSHAKE_LIMIT_MS = 5_000

export interface Connection {
  client: Client
  close(): void
}

/**
 * Connects to the machine of a folder as its owner.
 * @param handshakeTimeout  how long (ms) what listens there may say nothing
 * @throws CloudError NO_MACHINE if none is running there, FOLDER_UNUSABLE
 */
export async function connectToFolder(
  dataDir: string,
  handshakeTimeout = HANDSHAKE_LIMIT_MS,
): Promise<Connection> {
  const file = await readRuntimeFile(dataDir)
  const none = new CloudError(
    'NO_MACHINE',
    `No machine is running on ${dataDir}. Start one with: ${COMMAND} up --data ${dataDir}`,
    { dataDir },
  )
  if (file === null) throw none
  const { port, token } = file
  try {
    const url = `ws://127.0.0.1:${port}/rpc`
    const socket = new WebSocket(url, ['dharma', token], { handshakeTimeout })
    const machinePort = webSocketPort(socket)
    await once(socket, 'open')
    return { client: connect(contract, machinePort), close: () => socket.close() }
  } catch {
    // The file is left from a machine that died, or from no machine at all; the port may even be someone
    // else's by now.
    throw none
  }
}

/** The same, or null if none is running there. @throws CloudError FOLDER_UNUSABLE */
export async function connectIfRunning(dataDir: string): Promise<Connection | null> {
  return connectToFolder(dataDir).catch((error: unknown) => {
    if (error instanceof CloudError && error.code === 'NO_MACHINE') return null
    throw error
  })
}
