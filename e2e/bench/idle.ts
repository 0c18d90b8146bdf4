// What machines cost that do nothing: twenty of one cloud, beside as many bare Hyperswarm processes.
import { LocalCloud } from '../support/machines.ts'
import { newTopic, startBarePeer } from './bare-peer.ts'
import { cpuMs, residentBytes } from './process-use.ts'
import { compare } from './report.ts'
import type { Measure } from './report.ts'

const MACHINES = 20
/** Finding each other is over by then. */
const SETTLE_MS = 15_000
const WATCHED_MS = 20_000
const PERCENT = 100

const wait = (delayMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, delayMs))

/** Of each process: the share of a core that it uses, in percent, and its memory. */
async function watchIdle(pids: readonly number[]): Promise<{ percent: number[]; bytes: number[] }> {
  await wait(SETTLE_MS)
  const before = await Promise.all(pids.map(cpuMs))
  const startMs = performance.now()
  await wait(WATCHED_MS)
  const after = await Promise.all(pids.map(cpuMs))
  const tookMs = performance.now() - startMs
  return {
    percent: after.map((ms, n) => ((ms - (before[n] ?? 0)) / tookMs) * PERCENT),
    bytes: await Promise.all(pids.map(residentBytes)),
  }
}

export const idle: Measure = {
  name: 'idle',
  title: `${MACHINES} machines of one cloud that do nothing, each`,
  async run(say) {
    const cloud = await LocalCloud.create()
    try {
      say(`starting ${MACHINES} machines`)
      const first = await cloud.startDaemon()
      const pids = [first.pid]
      while (pids.length < MACHINES) {
        pids.push((await cloud.startDaemon({ cloud: first.cloud })).pid)
      }
      const ours = await watchIdle(pids)
      await cloud.closeMachines()
      say('the same of bare processes')
      const topic = newTopic()
      const bare = Array.from({ length: MACHINES }, () => startBarePeer(cloud.bootstrap, topic))
      await Promise.all(bare.map(({ announced }) => announced))
      const theirs = await watchIdle(bare.map(({ pid }) => pid))
      await Promise.all(bare.map((peer) => peer.close()))
      const against = 'a bare Hyperswarm process'
      return [
        compare('of a core', 'percent', ours.percent, against, theirs.percent),
        compare('memory', 'bytes', ours.bytes, against, theirs.bytes),
      ]
    } finally {
      await cloud.close()
    }
  },
}
