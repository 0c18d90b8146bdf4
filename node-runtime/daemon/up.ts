// `dharma up`: runs a machine until it is told to stop.
import { MessageChannel } from 'node:worker_threads'
import type { DhtAddress } from 'hyperdht'
import { contract } from '../contract/index.ts'
import type { WayName } from '../core/finding/ways-core.ts'
import { CloudError } from '../contract/errors.ts'
import { Runtime } from '../machine/runtime.ts'
import { isLocal } from '../host/bootstrap.ts'
import { builtLists } from '../host/built-lists.ts'
import { hostRuntime } from '../host/host.ts'
import type { Host } from '../host/host.ts'
import { createLog } from '../host/log.ts'
import type { Log } from '../ports/log.ts'
import { guardProcess } from '../host/process-guard.ts'
import { connect } from '../rpc/client.ts'
import type { AnyPort } from '../rpc/port.ts'
import { printJson, printText } from './output.ts'
import { SDK_DIR } from '../host/places.ts'
import { bakedRelease, readReleaseFile } from '../host/release-file.ts'
import { endAtOnce, waitForStop } from './stop-signal.ts'

/** A machine that has not closed by then is ended; what it acknowledged is on disk already. */
const CLOSE_TIMEOUT_MS = 10_000

export interface UpOptions {
  dataDir: string
  port: number
  cloud?: string
  /** A release file; the one of the build if absent. */
  release?: string
  bootstrap?: DhtAddress[]
  ways?: WayName[]
  /** Look-up lists of the cloud. */
  lists?: string[]
  /** Is the router asked for a port, if the person has not set otherwise? */
  portMapping: boolean
  json: boolean
}

/** Names the address of the machine that has the folder, if it has one. */
function withAddress(error: unknown): unknown {
  if (!(error instanceof CloudError) || error.code !== 'FOLDER_IN_USE') return error
  const { url } = error.details as { url?: string }
  if (url === undefined) return error
  return new CloudError(error.code, `${error.message} It is open at ${url}`, error.details)
}

interface Machine {
  runtime: Runtime
  host: Host
}

/** @throws CloudError */
async function start(options: UpOptions, log: Log): Promise<Machine> {
  const { dataDir, port, cloud, bootstrap, ways, lists, portMapping } = options
  const release =
    options.release === undefined ? await bakedRelease() : await readReleaseFile(options.release)
  const built = await builtLists()
  const runtime = await Runtime.start({
    dataDir,
    kind: 'headless',
    sdkDir: SDK_DIR,
    log,
    ...(cloud === undefined ? {} : { cloud }),
    ...(release === undefined ? {} : { release }),
    ...(bootstrap === undefined ? {} : { bootstrap }),
    ...(ways === undefined ? {} : { ways }),
    ...(lists === undefined ? {} : { lists }),
    ...(portMapping ? {} : { portMapping }),
    ...(built === undefined ? {} : { builtLists: built }),
    ...(bootstrap !== undefined && isLocal(bootstrap) ? { host: '127.0.0.1' } : {}),
  }).catch((error: unknown) => {
    throw withAddress(error)
  })
  const host = await hostRuntime(runtime, { dataDir, port, log }).catch(async (error: unknown) => {
    await runtime.close()
    throw error
  })
  return { runtime, host }
}

/** Says when the machine moves into another cloud, when that does not let it in, and when its clock is off. */
async function tellChanges(runtime: Runtime): Promise<void> {
  const { port1, port2 } = new MessageChannel()
  runtime.serve(port2 as unknown as AnyPort, { kind: 'owner' })
  const { cloud: calls } = connect(contract, port1 as unknown as AnyPort)
  // It is not what keeps the process alive.
  port1.unref()
  let { cloud } = runtime
  let fault: string | null = null
  let clockState = 'unknown'
  for await (const { admission, clock } of await calls.watchConnection({})) {
    if (runtime.cloud !== cloud) printText(`Cloud   ${runtime.cloud}`)
    ;({ cloud } = runtime)
    const isOut = admission.state === 'missing' || admission.state === 'refused'
    if (isOut && admission.fault !== fault) printText(admission.message)
    fault = admission.fault
    const isOff = clock.state === 'ahead' || clock.state === 'behind'
    if (isOff && clock.state !== clockState) printText(clock.message)
    clockState = clock.state
  }
}

/** Resolves once the machine has closed after SIGINT or SIGTERM. @throws CloudError */
export async function up(options: UpOptions): Promise<void> {
  const { dataDir, json } = options
  const stopped = waitForStop()
  const log = createLog(dataDir)
  guardProcess(log)
  const started = await Promise.race([start(options, log), stopped])
  // A start may take long, or for ever, and has acknowledged nothing.
  if (typeof started === 'string') return endAtOnce(started)
  const { runtime, host } = started

  const { machine, originated } = runtime
  const { url } = host
  log.info('ready', { machine, cloud: runtime.cloud, pid: process.pid })
  if (json) {
    printJson({ event: 'ready', machine, cloud: runtime.cloud, originated, url, pid: process.pid })
  } else {
    printText(originated ? 'This machine began a cloud of its own.' : 'This machine is up.')
    printText(`Cloud   ${runtime.cloud}`)
    printText(`Machine ${machine}`)
    printText(`Data    ${dataDir}`)
    printText(`Open    ${url}`)
    printText('Ctrl+C stops it.')
    void tellChanges(runtime).catch((error: unknown) =>
      log.error('changes are not told here any more', { error }),
    )
  }

  const asked = await stopped
  const timer = setTimeout(() => {
    log.error('the machine did not close in time')
    endAtOnce(asked)
  }, CLOSE_TIMEOUT_MS)
  await host.close()
  await runtime.close()
  clearTimeout(timer)
  log.info('closed')
}
