// How a system's page gets its port to the runtime: it asks the window it lives in, the shell.
import { CloudError } from '../../node-runtime/contract/errors.ts'
import type { RpcPort, WireMessage } from '../../node-runtime/rpc/port.ts'

/** How often the page asks again while the shell is still loading. */
const ASK_AGAIN_MS = 500
/** After this long there is no shell around this page. */
const GIVE_UP_MS = 15_000

export type Theme = 'light' | 'dark'

/** What the shell hands to a page. */
export interface Handover {
  port: MessagePort
  /** The key of this system. */
  system: string
  /** Where in the system the person wants to be, such as `/events/7`. */
  path: string
  theme: Theme
}

interface PortMessage {
  type: 'dharma:port'
  system: string
  path: string
  theme: Theme
}

function isPortMessage(data: unknown): data is PortMessage {
  if (typeof data !== 'object' || data === null) return false
  const message = data as Partial<Record<keyof PortMessage, unknown>>
  return (
    message.type === 'dharma:port' &&
    typeof message.system === 'string' &&
    typeof message.path === 'string'
  )
}

/**
 * Asks the shell for a port and waits for it.
 * @throws CloudError UNAVAILABLE when no shell answers
 */
export function askForPort(page: Window): Promise<Handover> {
  const shell = page.parent
  return new Promise((resolve, reject) => {
    const ask = (): void => shell.postMessage({ type: 'dharma:connect' }, '*')
    const settle = (): void => {
      page.removeEventListener('message', receive)
      clearInterval(asking)
      clearTimeout(givingUp)
    }
    const receive = (event: MessageEvent<unknown>): void => {
      const [port] = event.ports
      if (event.source !== shell || port === undefined || !isPortMessage(event.data)) return
      settle()
      const { system, path, theme } = event.data
      resolve({ port, system, path, theme: theme === 'dark' ? 'dark' : 'light' })
    }
    const asking = setInterval(ask, ASK_AGAIN_MS)
    const givingUp = setTimeout(() => {
      settle()
      reject(
        new CloudError('UNAVAILABLE', 'This page works inside Dharma. Open it from there.', {
          waitedMs: GIVE_UP_MS,
        }),
      )
    }, GIVE_UP_MS)
    page.addEventListener('message', receive)
    ask()
  })
}

/** A port that also closes when the shell says so. */
export interface PagePort extends RpcPort {
  on(event: 'message', listener: (event?: { data: WireMessage }) => void): () => void
  on(event: 'close', listener: () => void): () => void
}

/**
 * The port of a page, started. It also closes when the shell says that the machine behind it is
 * gone: not every browser tells a page that the other end of its port was closed.
 */
export function startPort(page: Window, port: MessagePort): PagePort {
  const closed = new Set<() => void>()
  const close = (): void => {
    for (const listener of closed) listener()
  }
  port.addEventListener('close', close)
  page.addEventListener('message', (event: MessageEvent<unknown>) => {
    if (event.source !== page.parent || typeof event.data !== 'object' || event.data === null)
      return
    if ((event.data as { type?: unknown }).type === 'dharma:closed') close()
  })
  port.start()
  return {
    postMessage: (message) => port.postMessage(message),
    on(event: 'message' | 'close', listener: (event?: { data: WireMessage }) => void) {
      if (event === 'close') {
        const ended = (): void => listener()
        closed.add(ended)
        return () => closed.delete(ended)
      }
      const received = (message: Event): void => listener(message as MessageEvent<WireMessage>)
      port.addEventListener('message', received)
      return () => port.removeEventListener('message', received)
    },
  }
}
