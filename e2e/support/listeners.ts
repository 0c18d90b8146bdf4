// A UDP and a TCP socket on 127.0.0.1 that only listen: whatever reaches them has left the browser.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

export interface Listeners {
  udpPort: number
  tcpPort: number
  /** What has come, such as `udp 20 bytes` and `tcp connection`. */
  heard: string[]
  close(): Promise<void>
}

export async function listen(): Promise<Listeners> {
  const heard: string[] = []
  const udp = createSocket('udp4', (message) => heard.push(`udp ${message.length} bytes`))
  udp.bind(0, '127.0.0.1')
  await once(udp, 'listening')
  const sockets = new Set<Socket>()
  const tcp = createServer((socket) => {
    heard.push('tcp connection')
    sockets.add(socket)
    // It may be reset; what counts is that it came.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  })
  tcp.listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  return {
    udpPort: udp.address().port,
    tcpPort: (tcp.address() as AddressInfo).port,
    heard,
    async close() {
      udp.close()
      for (const socket of sockets) socket.destroy()
      tcp.close()
      await once(tcp, 'close')
    },
  }
}
