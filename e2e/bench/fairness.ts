// How long one system waits for its calls while another floods the machine, beside how long it waits
// when nobody else does anything. The 99th percentile is what a person feels as a hitch.
import { LocalCloud } from '../support/machines.ts'
import { compare, summarize, timeMs } from './report.ts'
import type { Measure, Row } from './report.ts'
import { COLLECTION, installSystem, openSystemPage } from './system-page.ts'
import type { SystemPage } from './system-page.ts'

const ROUNDS = 7
const CALLS = 150
/** A page that does something now and then. */
const PAUSE_MS = 4
const FLOOD_IN_FLIGHT = 500
const LARGE_RECORD_LENGTH = 200_000
const LARGE_RECORDS = 40
const P99 = 0.99

type Call = (page: SystemPage, number: number) => Promise<unknown>

const put: Call = ({ client, system }, number) =>
  client.db.put({
    system,
    collection: COLLECTION,
    id: `note-${number % 500}`,
    value: { text: 'x'.repeat(80) },
  })

const get: Call = ({ client, system }, number) =>
  client.db.get({ system, collection: COLLECTION, id: `note-${number % 500}` })

const query: Call = ({ client, system }) => client.db.query({ system, collection: COLLECTION })

const largeFrame: Call = ({ client, system }, number) =>
  client.db.put({
    system,
    collection: COLLECTION,
    id: `large-${number % LARGE_RECORDS}`,
    value: { text: 'x'.repeat(LARGE_RECORD_LENGTH) },
  })

const largeAnswer: Call = ({ client, system }) =>
  client.db.query({ system, collection: COLLECTION, prefix: 'large-' })

/** Keeps so many calls in flight until it is told to stop. What is refused counts as made. */
function flood(page: SystemPage, call: Call): () => Promise<void> {
  let stopped = false
  let number = 0
  const one = async (): Promise<void> => {
    while (!stopped) await call(page, number++).catch(() => undefined)
  }
  const all = Array.from({ length: FLOOD_IN_FLIGHT }, one)
  return async () => {
    stopped = true
    await Promise.all(all)
  }
}

/** The 99th percentile of the time of one call after the other, in ms. */
async function measureP99(page: SystemPage, call: Call): Promise<number> {
  const samples: number[] = []
  for (let number = 0; number < CALLS; number++) {
    samples.push(await timeMs(() => call(page, number)))
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  const sorted = samples.sort((a, b) => a - b)
  return sorted[Math.ceil(P99 * sorted.length) - 1] ?? Infinity
}

const FLOODS: readonly [string, Call][] = [
  ['puts', put],
  ['queries', query],
  ['large puts', largeFrame],
  ['large answers', largeAnswer],
]
const CALLS_OF_OTHER: readonly [string, Call][] = [
  ['get', get],
  ['put', put],
]

export const fairness: Measure = {
  name: 'fairness',
  title: `The 99th percentile of a system’s call while another keeps ${FLOOD_IN_FLIGHT} in flight`,
  async run(say) {
    const cloud = await LocalCloud.create()
    const rows: Row[] = []
    try {
      const daemon = await cloud.startDaemon()
      for (const id of ['calm', 'flood']) await installSystem(daemon, id, await cloud.makeFolder())
      const calm = await openSystemPage(daemon, 'calm')
      const flooding = await openSystemPage(daemon, 'flood')
      for (let n = 0; n < 500; n++) await Promise.all([put(calm, n), put(flooding, n)])
      for (let n = 0; n < LARGE_RECORDS; n++) await largeFrame(flooding, n)
      for (const [floodName, floodCall] of FLOODS) {
        for (const [name, call] of CALLS_OF_OTHER) {
          const alone: number[] = []
          const flooded: number[] = []
          for (let round = 1; round <= ROUNDS; round++) {
            say(`${name} while another floods with ${floodName}, round ${round} of ${ROUNDS}`)
            alone.push(await measureP99(calm, call))
            const stop = flood(flooding, floodCall)
            flooded.push(await measureP99(calm, call))
            await stop()
          }
          rows.push(compare(`${name} beside a flood of ${floodName}`, 'ms', flooded, 'calm', alone))
          say(`${summarize(flooded).median} against ${summarize(alone).median} ms`)
        }
      }
      calm.close()
      flooding.close()
    } finally {
      await cloud.close()
    }
    return rows
  },
}
