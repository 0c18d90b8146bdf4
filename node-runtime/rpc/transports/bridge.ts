// The daemon's way for a system's page: its MessagePort, piped onto a WebSocket of the runtime. The
// page never sees the socket or its token. Safe to import in a browser.
import { CloudError } from '../../contract/errors.ts'
import { SYSTEM_BUDGET } from '../budget.ts'
import { encodeRefusal, idOf } from '../frames.ts'
import { webSocketPort } from './web-socket.ts'
import type { SocketLike } from './web-socket.ts'

/** Twice the longest frame that a system may send, in characters; see `../budget.ts`. */
const MAX_UNSENT_LENGTH = 2 * SYSTEM_BUDGET.frameLength
const BUSY = new CloudError('TOO_BUSY', 'The machine is busy. Try again in a moment.')

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
    if (typeof data !== 'string') return
    // The page is potentially hostile: what it sends faster than the machine takes it waits here.
    if (far.unsentBytes() + data.length <= MAX_UNSENT_LENGTH) return far.postMessage(data)
    const id = idOf(data)
    if (id !== null) port.postMessage(encodeRefusal(id, BUSY))
  })
  port.addEventListener('close', () => socket.close())
  port.start()
  return () => {
    port.close()
    socket.close()
  }
}
