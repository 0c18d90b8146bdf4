// How the shell page in the desktop window gets its ports: the preload script forwards them.
import { connect } from '../../node-runtime/rpc/client.ts'
import { tabsContract } from '../../electron/contract/tabs.ts'
import * as z from 'zod'
import { CloudError, isErrorCode } from '../../node-runtime/contract/errors.ts'
import { createConnection } from './connection.ts'
import type { OpenedPort } from './connection.ts'
import { createElectronTabs } from './electron-tabs.ts'
import type { ShellHost } from './shell-host.ts'

/** How long the main process may take to answer before the window says that it is waiting. */
const PORTS_TIMEOUT_MS = 15_000

/** What the preload script says, if this is from it and not from a frame or another window. */
function messageOf(event: MessageEvent): { type: unknown; error?: unknown } | null {
  const { data, source } = event as { data: unknown; source: unknown }
  if (source !== window || typeof data !== 'object' || data === null) return null
  return 'type' in data ? data : null
}

const failureSchema = z.object({ code: z.string(), message: z.string(), details: z.unknown() })

/** The reason that the main process gave for having no port. */
function failureOf(error: unknown): CloudError {
  const { success, data } = failureSchema.safeParse(error)
  if (!success) return new CloudError('INTERNAL', 'The runtime of this machine did not start.')
  return new CloudError(isErrorCode(data.code) ? data.code : 'INTERNAL', data.message, data.details)
}

/** One end of a DOM port, with its end as a promise. */
export function openDomPort(port: MessagePort): OpenedPort {
  const closed = new Promise<void>((resolve) => {
    port.addEventListener('close', () => resolve())
  })
  // Listeners are added in the same task, so that no message is lost.
  queueMicrotask(() => port.start())
  return { port, closed, close: () => port.close() }
}

/**
 * Asks for the runtime's port with `dharma:ready`, again whenever that has closed; the main process
 * answers when the runtime runs, or with the reason why it does not. The tabs' port is asked for with
 * it until it has come: what was sent while nobody listened is lost.
 */
export function createElectronHost(): ShellHost {
  const tabs = createElectronTabs()
  let wantsTabs = true

  const requestPorts = (): Promise<OpenedPort> =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer)
        window.removeEventListener('message', receive)
      }
      const receive = (event: MessageEvent): void => {
        const message = messageOf(event)
        if (message?.type === 'dharma:failed') {
          stop()
          reject(failureOf(message.error))
        }
        if (message?.type !== 'dharma:ports') return
        stop()
        const [runtimePort, tabsPort] = event.ports
        if (tabsPort !== undefined) {
          wantsTabs = false
          const { port, closed } = openDomPort(tabsPort)
          tabs.use(connect(tabsContract, port))
          void closed.then(() => (wantsTabs = true))
        }
        if (runtimePort === undefined) reject(new CloudError('UNAVAILABLE', 'No port was given.'))
        else resolve(openDomPort(runtimePort))
      }
      const timer = setTimeout(() => {
        stop()
        reject(new CloudError('TIMEOUT', 'The runtime of this machine has not started yet.'))
      }, PORTS_TIMEOUT_MS)
      window.addEventListener('message', receive)
      window.postMessage({ type: 'dharma:ready', tabs: wantsTabs }, window.origin)
    })

  const connection = createConnection(requestPorts)
  // There is a runtime again: no reason to wait for the planned time.
  const listen = (event: MessageEvent): void => {
    if (messageOf(event)?.type === 'dharma:runtime-ready') connection.retry()
  }
  window.addEventListener('message', listen)
  return {
    kind: 'desktop',
    connection: {
      ...connection,
      close() {
        window.removeEventListener('message', listen)
        connection.close()
      },
    },
    tabs: tabs.host,
  }
}
