// How the shell page in the desktop window gets its ports: the preload script forwards them.
import { connect } from '../../node-runtime/rpc/client.ts'
import { tabsContract } from '../../electron/contract/tabs.ts'
import { CloudError } from '../../node-runtime/contract/errors.ts'
import { createConnection } from './connection.ts'
import type { OpenedPort } from './connection.ts'
import { createElectronTabs } from './electron-tabs.ts'
import type { ShellHost } from './shell-host.ts'

/** How long the main process may take to answer before the window says that it is waiting. */
const PORTS_TIMEOUT_MS = 15_000

function isPortsMessage(event: MessageEvent): boolean {
  const { data, source } = event as { data: unknown; source: unknown }
  return (
    source === window &&
    typeof data === 'object' &&
    data !== null &&
    'type' in data &&
    data.type === 'dharma:ports'
  )
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
 * Asks for both ports with `dharma:ready`, again whenever the runtime's port has closed; the main
 * process answers when the runtime runs. The tabs' port comes once, with the first answer.
 */
export function createElectronHost(): ShellHost {
  const tabs = createElectronTabs()

  const requestPorts = (): Promise<OpenedPort> =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer)
        window.removeEventListener('message', receive)
      }
      const receive = (event: MessageEvent): void => {
        if (!isPortsMessage(event)) return
        stop()
        const [runtimePort, tabsPort] = event.ports
        if (tabsPort !== undefined) {
          const { port } = openDomPort(tabsPort)
          tabs.use(connect(tabsContract, port))
        }
        if (runtimePort === undefined) reject(new CloudError('UNAVAILABLE', 'No port was given.'))
        else resolve(openDomPort(runtimePort))
      }
      const timer = setTimeout(() => {
        stop()
        reject(new CloudError('TIMEOUT', 'The runtime of this machine has not started yet.'))
      }, PORTS_TIMEOUT_MS)
      window.addEventListener('message', receive)
      window.postMessage({ type: 'dharma:ready' }, window.origin)
    })

  return { kind: 'desktop', connection: createConnection(requestPorts), tabs: tabs.host }
}
