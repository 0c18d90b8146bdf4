// Is there a process behind an address? Any machine answers a ping of the DHT, whoever asks; and a computer says of a port
// that nobody listens on that it is closed (ICMP, "port unreachable"), to a socket that is connected with it. Routers say
// the same of what they let nobody in for, and many say nothing at all.
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { MachineAddress } from '../core/finding/dial-list.ts'

/** `nothing` is known: no word came, or no way leads there. */
export type PortWord = 'open' | 'closed' | 'nothing'

/** A word that has not come by then will not come. */
const WAIT_MS = 2_000
/** Computers say once a second that nobody wanted what came, and what a link still sends comes to that port, too. */
const AGAIN_MS = 100
/** As the systems call it; all other errors say that no way leads there. */
const REFUSED = new Set(['ECONNREFUSED', 'ECONNRESET'])
/** Of dht-rpc: a request of version 3 of its own kind, with a number that does not matter, from nowhere, "ping". */
const PING = Uint8Array.of(3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)

/** Asks from a socket of its own, so that no router knows it, as it knows that of a link. */
export function probePort({ host, port }: MachineAddress): Promise<PortWord> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    let again: NodeJS.Timeout | null = null
    let ended = false
    const end = (word: PortWord): void => {
      if (ended) return
      ended = true
      clearTimeout(timer)
      if (again !== null) clearInterval(again)
      socket.close()
      resolve(word)
    }
    // What waits in the socket is heard first.
    const timer = setTimeout(() => setImmediate(() => end('nothing')), WAIT_MS)
    socket.on('message', () => end('open'))
    socket.on('error', ({ code }: NodeJS.ErrnoException) =>
      end(REFUSED.has(code ?? '') ? 'closed' : 'nothing'),
    )
    // It is called with an error, too: without a network there is no way, and what is sent then is an error of ours.
    socket.connect(port, host, (error?: Error) => {
      if (error != null) return end('nothing')
      if (ended) return
      socket.send(PING)
      again = setInterval(() => socket.send(PING), AGAIN_MS)
    })
  })
}
