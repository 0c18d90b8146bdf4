// A local network on this computer alone, for tests: multicast over 127.0.0.1, on a port that nobody else has.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { LanSocket } from '../swarm/lan/lan-socket.ts'

export const LOOPBACK = { host: '127.0.0.1', netmask: '255.0.0.0' }

/** A UDP port that is free now. */
export async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, LOOPBACK.host)
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

/** Why there is no multicast on this computer, in its own words; null if there is. */
export async function multicastFault(): Promise<string | null> {
  let heard = (): void => {}
  const echo = new Promise<null>((resolve) => (heard = () => resolve(null)))
  let socket: LanSocket | null = null
  try {
    socket = new LanSocket({
      network: LOOPBACK,
      port: await freePort(),
      onPacket: () => heard(),
      onFault: () => {},
    })
    await socket.open()
    await socket.send(Buffer.from('x'))
    const patience = new Promise<string>((resolve) => {
      setTimeout(() => resolve('nothing came back'), 2_000).unref()
    })
    return await Promise.race([echo, patience])
  } catch (error) {
    return String(error)
  } finally {
    await socket?.close()
  }
}
