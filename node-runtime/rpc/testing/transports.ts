// The transports that calls go over, for the suites that hold for all of them. A new one joins them with a line.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { MessageChannel } from 'node:worker_threads'
import { onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { AnyPort } from '../port.ts'
import { bridge } from '../transports/bridge.ts'
import { webSocketPort } from '../transports/web-socket.ts'

/** The two ends of one transport, and how to cut it. */
export interface Link {
  client: AnyPort
  server: AnyPort
  /** Sends to the server past the client's checks. */
  sendRaw: (data: string | Uint8Array) => void
  /** Sends to the client past the server's. */
  answerRaw: (data: string) => void
  cut: () => void
}

async function openSockets(): Promise<{ near: WebSocket; far: WebSocket }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => server.close())
  await once(server, 'listening')
  const near = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(() => near.terminate())
  const [far] = (await once(server, 'connection')) as [WebSocket]
  return { near, far }
}

function openChannel(): MessageChannel {
  const channel = new MessageChannel()
  onTestFinished(() => channel.port1.close())
  return channel
}

/** Opens each for one test, by its name. */
export const transports: Record<string, () => Promise<Link>> = {
  'a message port': async () => {
    const { port1, port2 } = openChannel()
    return {
      client: port1 as unknown as AnyPort,
      server: port2 as unknown as AnyPort,
      sendRaw: (data) => port1.postMessage(data),
      answerRaw: (data) => port2.postMessage(data),
      cut: () => port2.close(),
    }
  },
  'a WebSocket': async () => {
    const { near, far } = await openSockets()
    return {
      client: webSocketPort(near),
      server: webSocketPort(far),
      sendRaw: (data) => {
        const send = (): void => near.send(data)
        if (near.readyState === near.OPEN) send()
        else near.once('open', send)
      },
      answerRaw: (data) => far.send(data),
      cut: () => far.terminate(),
    }
  },
  'a message port bridged to a WebSocket': async () => {
    const { near, far } = await openSockets()
    const { port1, port2 } = openChannel()
    bridge(port2 as unknown as MessagePort, near)
    return {
      client: port1 as unknown as AnyPort,
      server: webSocketPort(far),
      sendRaw: (data) => port1.postMessage(data),
      answerRaw: (data) => far.send(data),
      cut: () => far.terminate(),
    }
  },
}
