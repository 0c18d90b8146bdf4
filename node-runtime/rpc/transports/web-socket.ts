// A WebSocket as a port: the browser's and that of the `ws` library alike.
import type { RpcPort, WireMessage } from '../port.ts'

/** What both kinds of WebSocket have. */
interface SocketLike {
  binaryType: string
  readyState: number
  send(data: WireMessage): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'close' | 'open', listener: () => void): void
}

const OPEN = 1
const CONNECTING = 0

/** Messages posted before the socket is open are kept and sent in order once it is. */
export function webSocketPort(socket: SocketLike): RpcPort {
  socket.binaryType = 'arraybuffer'
  const waiting: WireMessage[] = []
  socket.addEventListener('open', () => {
    for (const message of waiting.splice(0)) socket.send(message)
  })
  return {
    postMessage(message) {
      if (socket.readyState === OPEN) socket.send(message)
      else if (socket.readyState === CONNECTING) waiting.push(message)
    },
    on(event: 'message' | 'close', listener: (event?: { data: WireMessage }) => void) {
      if (event === 'close') socket.addEventListener('close', () => listener())
      else {
        socket.addEventListener('message', ({ data }) => listener({ data: data as WireMessage }))
      }
    },
  }
}
