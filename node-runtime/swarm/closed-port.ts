// Has the process behind an address ended? A computer that is there says so of a port that nobody listens on (ICMP, "port
// unreachable"), to a socket that is connected with it. Behind many routers no word comes, which says nothing.
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { MachineAddress } from '../core/finding/dial-list.ts'

/** A word that has not come by then will not come. */
const WAIT_MS = 2_000
/** As the systems call it. */
const REFUSED = new Set(['ECONNREFUSED', 'ECONNRESET'])
/** No protocol on that port takes this for a message; a single byte would be one of a punch. */
const NOTHING = Uint8Array.of(0, 0)

/** True once it is sure that nobody listens there; false after a while, or at once where no way leads there. */
export function isPortClosed({ host, port }: MachineAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    let ended = false
    const end = (isClosed: boolean): void => {
      if (ended) return
      ended = true
      clearTimeout(timer)
      socket.close()
      resolve(isClosed)
    }
    const timer = setTimeout(() => end(false), WAIT_MS)
    socket.on('error', ({ code }: NodeJS.ErrnoException) => end(REFUSED.has(code ?? '')))
    // It is called with an error, too: without a network there is no way, and what is sent then is an error of ours.
    socket.connect(port, host, (error?: Error) => {
      if (error != null) end(false)
      else if (!ended) socket.send(NOTHING)
    })
  })
}
