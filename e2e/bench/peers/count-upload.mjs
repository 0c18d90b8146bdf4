// Loaded into a machine's process before the machine (`node --import`): counts what the process hands
// to the network, and tells its parent whenever that asks. Counted are the payloads of all UDP packets
// of the network's library, so its headers, encryption, acknowledgements, repeats and heartbeats, too.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const name = require.resolve('udx-native')
const UDX = require(name)
const instances = []

require.cache[name].exports = class CountedUDX extends UDX {
  constructor() {
    super()
    instances.push(this)
  }
}

/** Of a packet, before what the library counts. */
const HEADER_BYTES = 28

process.on('message', () => {
  const total = (of) => instances.reduce((sum, udx) => sum + of(udx), 0)
  const sentBytes = total((udx) => udx.bytesTransmitted)
  const bytes = sentBytes + total((udx) => udx.bytesReceived)
  const packets = total((udx) => udx.packetsTransmitted + udx.packetsReceived)
  process.send({ sentBytes, wireBytes: bytes + HEADER_BYTES * packets })
})
// Listening must not keep the machine's process from ending.
process.channel.unref()
