// A machine of the demo: `dharma up` in a process of its own, and a client as its owner.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import * as z from 'zod'
import { CloudError } from '../../contract/errors.ts'
import type { Client } from '../../rpc/client.ts'
import { connectToFolder } from '../../host/running-machine.ts'

const readySchema = z.object({ event: z.literal('ready'), cloud: z.string(), url: z.string() })

export interface DemoMachine {
  name: string
  dataDir: string
  cloud: string
  url: string
  client: Client
  /** Resolves when the process has ended, by itself or not. */
  ended: Promise<void>
  close(): Promise<void>
}

export interface DemoMachineOptions {
  name: string
  dataDir: string
  /** As `--bootstrap` has it. */
  bootstrap: string
  cloud?: string
}

/** Starts a machine and connects to it. */
export async function startMachine(options: DemoMachineOptions): Promise<DemoMachine> {
  const { name, dataDir, bootstrap, cloud } = options
  const args = ['up', '--json', '--data', dataDir, '--bootstrap', bootstrap]
  if (cloud !== undefined) args.push('--cloud', cloud)
  const child = spawn(
    process.execPath,
    [...process.execArgv, process.argv[1] ?? '', ...args],
    // With the channel it stops when this process goes, however that goes.
    { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
  )
  const ended = once(child, 'exit').then(() => undefined)
  const close = async (): Promise<void> => {
    if (child.connected) child.disconnect()
    await ended
  }
  try {
    const lines = createInterface({ input: child.stdout! })
    const first = await Promise.race([
      once(lines, 'line').then(([line]) => String(line)),
      ended.then(() => {
        throw new CloudError('NO_MACHINE', `The machine "${name}" did not start.`, { name })
      }),
    ])
    const ready = readySchema.parse(JSON.parse(first))
    const connection = await connectToFolder(dataDir)
    return {
      name,
      dataDir,
      cloud: ready.cloud,
      url: ready.url,
      client: connection.client,
      ended,
      async close() {
        connection.close()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
