// A bare Hyperswarm in a process of its own: the least that any machine has to do. It joins a topic,
// tells its parent when it has announced itself and when it is connected, sends every PING back as a
// PONG, and on `{ ping: COUNT, bytes: SIZE, everyMs: PACE }` tells its parent the round trips, in ms.
//   node hyperswarm-peer.mjs HOST:PORT,HOST:PORT TOPIC_HEX
import DHT from 'hyperdht'
import Hyperswarm from 'hyperswarm'
import { timeEach } from './time-each.mjs'

const PING = 1
const PONG = 2

const [bootstrap, topic] = process.argv.slice(2)
const dht = new DHT({ bootstrap: bootstrap.split(','), host: '127.0.0.1' })
const swarm = new Hyperswarm({ dht })
let peer = null
let ponged = () => undefined

const tell = (message) => {
  // The parent may have gone by now.
  if (process.connected) process.send(message, () => undefined)
}

swarm.on('connection', (connection) => {
  peer = connection
  connection.on('error', () => undefined)
  connection.on('data', (message) => {
    if (message[0] === PONG) return ponged()
    connection.write(Buffer.alloc(message.length, PONG))
  })
  tell('connected')
})

process.on('message', async ({ ping, bytes, everyMs }) => {
  const roundTripsMs = await timeEach(ping, everyMs, async () => {
    const back = new Promise((resolve) => (ponged = resolve))
    peer.write(Buffer.alloc(bytes, PING))
    await back
  })
  tell({ roundTripsMs })
})
// It ends with the process that started it, however that goes.
process.on('disconnect', () => process.exit())

await swarm.join(Buffer.from(topic, 'hex')).flushed()
tell('announced')
