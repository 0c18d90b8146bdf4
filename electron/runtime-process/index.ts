// The runtime inside Electron's utility process: starts it, and serves the ports that the main
// process hands over.
import type {} from 'electron'
import { CloudError } from '../../node-runtime/contract/errors.ts'
import type { Log } from '../../node-runtime/ports/log.ts'
import type { Caller } from '../../node-runtime/rpc/caller.ts'
import { isLocal } from '../../node-runtime/host/bootstrap.ts'
import { builtLists } from '../../node-runtime/host/built-lists.ts'
import { hostRuntime } from '../../node-runtime/host/host.ts'
import type { Host } from '../../node-runtime/host/host.ts'
import { createLog } from '../../node-runtime/host/log.ts'
import { guardProcess } from '../../node-runtime/host/process-guard.ts'
import { bakedRelease } from '../../node-runtime/host/release-file.ts'
import { Runtime } from '../../node-runtime/machine/runtime.ts'
import { MainSecrets } from './main-secrets.ts'
import type { FromRuntime, PortOwner, StartOptions, ToRuntime } from './messages.ts'

const { parentPort } = process

let log: Log | null = null
let runtime: Runtime | null = null
let host: Host | null = null

function tell(message: FromRuntime): void {
  parentPort.postMessage(message)
}

const secrets = new MainSecrets(tell)

async function start({ dataDir, sdkDir, cloud, bootstrap, lists }: StartOptions): Promise<void> {
  try {
    log = createLog(dataDir)
    guardProcess(log)
    const release = await bakedRelease()
    const built = await builtLists()
    runtime = await Runtime.start({
      dataDir,
      sdkDir,
      kind: 'desktop',
      secrets,
      log,
      lists,
      ...(built === undefined ? {} : { builtLists: built }),
      ...(cloud === null ? {} : { cloud }),
      ...(release === undefined ? {} : { release }),
      ...(bootstrap === null ? {} : { bootstrap }),
      ...(bootstrap !== null && isLocal(bootstrap) ? { host: '127.0.0.1' } : {}),
    })
    // For `dharma call`, and for a second start on the same folder.
    host = await hostRuntime(runtime, { dataDir, port: 0, log })
    tell({ type: 'ready' })
  } catch (error) {
    log?.error('the runtime did not start', { error })
    const shown =
      error instanceof CloudError
        ? error
        : new CloudError('INTERNAL', error instanceof Error ? error.message : String(error))
    tell({ type: 'failed', error: shown.toJSON() })
  }
}

async function close(): Promise<void> {
  await host?.close()
  await runtime?.close()
}

function callerOf(owner: PortOwner, { systems }: Runtime): Caller {
  if (owner.kind === 'owner') return owner
  const { system } = owner
  return {
    kind: 'system',
    system,
    hasPermission: (permission) => systems.hasPermission(system, permission),
  }
}

parentPort.on('message', ({ data, ports }) => {
  const message = data as ToRuntime
  if (message.type === 'start') {
    void start(message.options)
  } else if (message.type === 'awake') {
    runtime?.awake()
  } else if (message.type === 'secret') {
    secrets.answered(message.id, message.text)
  } else if (message.type === 'close') {
    close()
      .catch((error: unknown) => log?.error('the runtime did not close cleanly', { error }))
      .finally(() => tell({ type: 'closed' }))
  } else {
    const [port] = ports
    if (port === undefined) return
    if (runtime === null) return port.close()
    runtime.serve(port, callerOf(message.owner, runtime))
    port.start()
  }
})
