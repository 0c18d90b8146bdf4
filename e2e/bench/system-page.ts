// What the page of a system does, without the page: its calls over the socket of a headless machine.
import { readFile, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { WebSocket } from 'ws'
import * as z from 'zod'
import { contract } from '../../node-runtime/contract/index.ts'
import { createRepository } from '../../node-runtime/daemon/system-repository.ts'
import { connect } from '../../node-runtime/rpc/client.ts'
import type { Client } from '../../node-runtime/rpc/client.ts'
import { webSocketPort } from '../../node-runtime/rpc/transports/web-socket.ts'
import type { Daemon } from '../support/machines.ts'

export const COLLECTION = 'notes'

const runtimeSchema = z.object({ port: z.number(), token: z.string() })

export interface SystemPage {
  system: string
  client: Client
  close(): void
}

/**
 * Installs a small system with that id on a machine.
 * @param folder  an empty one, for its repository
 * @returns the key of the system
 */
export async function installSystem(daemon: Daemon, id: string, folder: string): Promise<string> {
  const source = path.join(folder, 'source')
  await mkdir(path.join(source, 'ui'), { recursive: true })
  const manifest = {
    manifestVersion: 1,
    id,
    name: id,
    version: '1.0.0',
    ui: 'ui/index.html',
    permissions: ['db'],
    collections: {
      [COLLECTION]: { schema: { type: 'object' }, write: 'author', maxBytes: 262_144 },
    },
  }
  await writeFile(path.join(source, 'dharma.json'), JSON.stringify(manifest))
  await writeFile(path.join(source, 'ui', 'index.html'), '<!doctype html>')
  const { url } = await createRepository({ source, folder: path.join(folder, 'repository') })
  const { commit } = z
    .object({ commit: z.string() })
    .parse(await daemon.call('systems.preview', { url }))
  const { key } = z
    .object({ key: z.string() })
    .parse(await daemon.call('systems.install', { url, commit, grant: ['db'] }))
  return key
}

/** A socket for the calls of a system that is installed on the machine of a folder. */
export async function openSystemPage(dataDir: string, system: string): Promise<SystemPage> {
  const text = await readFile(path.join(dataDir, 'runtime.json'), 'utf8')
  const { port, token } = runtimeSchema.parse(JSON.parse(text))
  const address = `ws://127.0.0.1:${port}/rpc?system=${system}`
  const socket = new WebSocket(address, ['dharma', token])
  const client = connect(contract, webSocketPort(socket))
  return { system, client, close: () => socket.terminate() }
}
