// A runtime in whose cloud a thousand machines are, in the process in which Electron runs the real one: the real
// contract and server, and machines made up, which change as often as those of a real cloud.
import type {} from 'electron'
import type { ToRuntime } from '../../../electron/runtime-process/messages.ts'
import { createFakeRuntime } from '../../../renderer/test/fake-runtime.ts'
import { machine, SELF_KEY, status } from '../../../renderer/test/samples.ts'

const MACHINES = 1_000
const LINKED = 16
/** As often as latencies are told anew. */
const NEWS_MS = 2_000
const LETTERS = 'ybndrfg8ejkmcpqxot1uwisza345h769'

const { parentPort } = process

const keyOf = (index: number): string =>
  index === 0 ? SELF_KEY : `${LETTERS[index >> 5]}${LETTERS[index & 31]}${'n'.repeat(49)}o`

/** Machines as they are after so many rounds of news. */
function crowd(round: number) {
  return Array.from({ length: MACHINES }, (_, index) => {
    const linked = index > 0 && index % Math.floor(MACHINES / LINKED) === 1
    const isAway = index % 17 === 16
    return machine({
      machine: keyOf(index),
      name: index === 0 ? 'This computer' : `Machine ${index}`,
      self: index === 0,
      online: !isAway,
      suspected: index === 150,
      linked: linked && !isAway,
      relayed: linked && index % 4 === 1,
      relays: index % 3 === 0,
      revoked: index === 303,
      kind: index % 5 === 0 ? 'desktop' : 'headless',
      place: isAway ? null : (index * 0.618_034) % 1,
      latencyMs: linked && !isAway ? 8 + (index % 40) + 3 * Math.sin(index + round) : null,
      appVersion: '0.3.0',
      lastSeenMs: Date.now() - (isAway ? index * 60_000 : 0),
    })
  })
}

const fake = createFakeRuntime()
let round = 0

function tell(): void {
  const machines = crowd(round++)
  const now = { ...fake.cloud.value.status, ...COUNTS }
  fake.cloud.set({ status: now, machines })
  const way = machines.filter(({ self, linked }) => self || linked)
  fake.ring.set({
    machines: way
      .toSorted((a, b) => Number(b.self) - Number(a.self) || (a.place ?? 0) - (b.place ?? 0))
      .map((one) => one.machine),
    lap: { epoch: 1, lapMs: 98_000 + round, hops: 941, hopMs: 21.4, skewMs: 1.2 },
    tick: round,
  })
}

const COUNTS = status({
  state: 'joined',
  connections: LINKED,
  machinesKnown: MACHINES,
  machinesOnline: 942,
  machinesEstimated: 942,
})

tell()
setInterval(tell, NEWS_MS)
parentPort.on('message', ({ data, ports }) => {
  const message = data as ToRuntime
  if (message.type === 'start') parentPort.postMessage({ type: 'ready' })
  else if (message.type === 'close') parentPort.postMessage({ type: 'closed' })
  const [port] = ports
  if (message.type !== 'port' || port === undefined) return
  fake.serve(port)
  port.start()
})
