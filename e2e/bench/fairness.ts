// How long one system waits for its calls while another floods the machine, beside how long it waits
// when nobody else does anything. The 99th percentile is what a person feels as a hitch.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { LocalCloud } from '../support/machines.ts'
import { CALLS, fill } from './calls.ts'
import type { Call, CallName } from './calls.ts'
import { within } from './patience.ts'
import { compare, summarize, timeMs } from './report.ts'
import type { Measure, Row } from './report.ts'
import { installSystem, openSystemPage } from './system-page.ts'
import type { SystemPage } from './system-page.ts'

const FLOOD = path.join(import.meta.dirname, 'peers', 'flood.ts')
const ROUNDS = 5
const CALLS_A_ROUND = 200
/** A page that does something now and then. */
const PAUSE_MS = 4
const FLOOD_IN_FLIGHT = 500
const P99 = 0.99

/** Floods from a process of its own, so that only the machine is shared. */
async function startFlood(
  dataDir: string,
  system: string,
  call: CallName,
): Promise<() => Promise<void>> {
  const child = fork(FLOOD, [dataDir, system, call, String(FLOOD_IN_FLIGHT)])
  const exited = once(child, 'exit')
  await within(Promise.race([once(child, 'message'), exited]), 'the flood has begun')
  return async () => {
    child.kill('SIGKILL')
    await exited
  }
}

/** The 99th percentile of the time of one call after the other, in ms. */
async function measureP99(page: SystemPage, call: Call): Promise<number> {
  const samples: number[] = []
  for (let number = 0; number < CALLS_A_ROUND; number++) {
    samples.push(await timeMs(() => call(page, number)))
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  const sorted = samples.sort((a, b) => a - b)
  return sorted[Math.ceil(P99 * sorted.length) - 1] ?? Infinity
}

const FLOODS: readonly (readonly [name: string, call: CallName])[] = [
  ['puts', 'put'],
  ['queries', 'query'],
  ['large puts', 'largePut'],
  ['large answers', 'largeQuery'],
]

export const fairness: Measure = {
  name: 'fairness',
  title: `The 99th percentile of a system’s call while another keeps ${FLOOD_IN_FLIGHT} in flight`,
  async run(say) {
    const cloud = await LocalCloud.create()
    const rows: Row[] = []
    try {
      const daemon = await cloud.startDaemon()
      const install = async (id: string): Promise<string> => {
        const key = await installSystem(daemon, id, await cloud.makeFolder())
        const page = await openSystemPage(daemon.dataDir, key)
        await fill(page)
        page.close()
        return key
      }
      const [calmKey, floodKey] = [await install('calm'), await install('flood')]
      const calm = await openSystemPage(daemon.dataDir, calmKey)
      for (const [floodName, floodCall] of FLOODS) {
        for (const name of ['get', 'put'] as const) {
          const alone: number[] = []
          const flooded: number[] = []
          for (let round = 1; round <= ROUNDS; round++) {
            alone.push(await measureP99(calm, CALLS[name]))
            const stop = await startFlood(daemon.dataDir, floodKey, floodCall)
            flooded.push(await measureP99(calm, CALLS[name]))
            await stop()
          }
          rows.push(compare(`${name} beside a flood of ${floodName}`, 'ms', flooded, 'calm', alone))
          const [slow, fast] = [summarize(flooded).median, summarize(alone).median]
          say(`${name} beside ${floodName}: ${slow.toFixed(1)} ms against ${fast.toFixed(1)} ms`)
        }
      }
      calm.close()
    } finally {
      await cloud.close()
    }
    return rows
  },
}
