import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { isPortClosed } from './closed-port.ts'

it('knows a port of a computer on which nobody listens any more, and no other', async () => {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const address = { host: '127.0.0.1', port: socket.address().port }
  const got: number[] = []
  socket.on('message', (bytes) => got.push(bytes.length))
  // Somebody is there, and says nothing.
  expect(await isPortClosed(address)).toBe(false)
  expect(got).toEqual([2])
  socket.close()
  await once(socket, 'close')
  const askedMs = performance.now()
  expect(await isPortClosed(address)).toBe(true)
  expect(performance.now() - askedMs).toBeLessThan(1_500)
})

it('says of an address to which no way leads that nothing is known', async () => {
  // Systems let no socket send to all that did not ask for it: as without a network, it can't even be connected.
  expect(await isPortClosed({ host: '255.255.255.255', port: 9 })).toBe(false)
})
