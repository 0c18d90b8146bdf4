// A WebSocket as a port: the browser's and that of the `ws` library alike.
import type { RpcPort, WireMessage } from '../port.ts'

/** What both kinds of WebSocket have. */
export interface SocketLike {
  binaryType: string
  readyState: number
  readonly bufferedAmount: number
  send(data: WireMessage): void
  close(): void
  /** Those of `ws`; a browser's has neither. */
  pause?(): void
  resume?(): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'close' | 'open' | 'error', listener: () => void): void
}

const OPEN = 1
const CONNECTING = 0

/** Messages posted before the socket is open are kept and sent in order once it is. */
export function webSocketPort(socket: SocketLike): RpcPort & { unsentBytes(): number } {
  socket.binaryType = 'arraybuffer'
  const waiting: WireMessage[] = []
  let waitingBytes = 0
  socket.addEventListener('open', () => {
    waitingBytes = 0
    for (const message of waiting.splice(0)) socket.send(message)
  })
  // `close` always follows an error and says all there is to say; without a listener `ws` throws.
  socket.addEventListener('error', () => undefined)
  return {
    postMessage(message) {
      if (socket.readyState === OPEN) socket.send(message)
      else if (socket.readyState === CONNECTING) {
        waiting.push(message)
        waitingBytes += typeof message === 'string' ? message.length : message.byteLength
      }
    },
    unsentBytes: () => socket.bufferedAmount + waitingBytes,
    pause: () => socket.pause?.(),
    resume: () => socket.resume?.(),
    on(event: 'message' | 'close', listener: (event?: { data: WireMessage }) => void) {
      if (event === 'close') socket.addEventListener('close', () => listener())
      else {
        socket.addEventListener('message', ({ data }) => listener({ data: data as WireMessage }))
      }
    },
  }
}
