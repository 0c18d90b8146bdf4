// The daemon's way for a system's page: its MessagePort, piped onto a WebSocket of the runtime. The
// page never sees the socket or its token. Safe to import in a browser.
import { webSocketPort } from './web-socket.ts'
import type { SocketLike } from './web-socket.ts'

/** The part of a DOM MessagePort that is used; Node's has it too. */
type BridgedPort = Pick<MessagePort, 'addEventListener' | 'postMessage' | 'start' | 'close'>

/**
 * Passes messages both ways, unread, until either end closes; then closes the other. Messages that
 * come before the socket is open wait for it. Returns a function that ends the bridge.
 */
export function bridge(port: BridgedPort, socket: SocketLike): () => void {
  const far = webSocketPort(socket)
  far.on('message', (event) => {
    // Only text is ever a frame; see `../frames.ts`.
    if (typeof event?.data === 'string') port.postMessage(event.data)
  })
  far.on('close', () => port.close())
  port.addEventListener('message', (event) => {
    const { data } = event as MessageEvent<unknown>
    if (typeof data === 'string') far.postMessage(data)
  })
  port.addEventListener('close', () => socket.close())
  port.start()
  return () => {
    port.close()
    socket.close()
  }
}
