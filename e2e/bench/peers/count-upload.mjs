// Loaded into a machine's process before the machine (`node --import`): counts what the process hands
// to the network, and tells its parent whenever that asks. Counted are the payloads of the UDP packets of the
// network's streams, so its headers, encryption, acknowledgements and repeats, too; not those of datagrams.
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

process.on('message', () => {
  process.send({ sentBytes: instances.reduce((sum, udx) => sum + udx.bytesTransmitted, 0) })
})
// Listening must not keep the machine's process from ending.
process.channel.unref()
