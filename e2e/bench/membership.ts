// What it costs to know who is there, and how soon it is known who is not: machines of one cloud on loopback, each a
// process. It is seen by every machine that had a link with the one that ended; links with as many as there is room for
// are made, so these are most of them.
import { spawn } from 'node:child_process'
import { cpus } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import type { MachineInfo } from '../../node-runtime/contract/machines.ts'
import { connectToFolder } from '../../node-runtime/host/running-machine.ts'
import type { Connection } from '../../node-runtime/host/running-machine.ts'
import { LocalCloud } from '../support/machines.ts'
import { startCountedMachine } from './counted-machine.ts'
import type { CountedMachine } from './counted-machine.ts'
import { until } from './patience.ts'
import { cpuMs } from './process-use.ts'
import { compare, percentile } from './report.ts'
import type { Measure, Row } from './report.ts'
import { UdpCount } from './udp-count.ts'

const MACHINES = Number(process.env['DHARMA_BENCH_MACHINES'] ?? 20)
/** Finding each other, and the first exchanges, are over by then. */
const SETTLE_MS = 60_000
const IDLE_MS = 60_000
const CALM_MS = 60_000
const LOADED_MS = 30_000
const KILLS = 6
const STOPS = 3
/** Who has not seen it by then goes by what others vouch for. */
const LONGEST_MS = 30_000
const BEFORE_NEXT_MS = 8_000
const PERCENT = 100
const P99 = 0.99
/** Wanted, in the units of the rows. */
const WANTED = { seenMs: 1_000, idleBytes: 1_500, idlePercent: 0.3 }

/** One machine's eyes on the others. */
class Observer {
  readonly machine: CountedMachine
  /** When each of the others was first not there any more, monotonic ms. */
  readonly lost = new Map<string, number>()
  /** Those of them that it had a link with at that moment. */
  readonly lostLinks = new Set<string>()
  readonly #connection: Connection
  readonly #ending = new AbortController()
  #seen: readonly MachineInfo[] = []

  private constructor(machine: CountedMachine, connection: Connection) {
    this.machine = machine
    this.#connection = connection
    void this.#watch()
  }

  static async of(machine: CountedMachine): Promise<Observer> {
    return new Observer(machine, await connectToFolder(machine.dataDir))
  }

  isLinked(other: CountedMachine): boolean {
    return this.#seen.some(({ machine, linked }) => machine === other.machine && linked)
  }

  forget(): void {
    this.lost.clear()
    this.lostLinks.clear()
  }

  close(): void {
    this.#ending.abort()
    this.#connection.close()
  }

  async #watch(): Promise<void> {
    const { client } = this.#connection
    try {
      for await (const view of await client.cloud.watch({}, { signal: this.#ending.signal })) {
        const online = new Set(view.machines.filter((one) => one.online).map((one) => one.machine))
        for (const before of this.#seen) {
          if (before.online && !online.has(before.machine)) {
            this.lost.set(before.machine, performance.now())
            if (before.linked) this.lostLinks.add(before.machine)
          }
        }
        this.#seen = view.machines
      }
    } catch {
      // Its machine has ended, or the measure has.
    }
  }
}

/** Those that were started are in `machines`, also if a later one fails. */
async function startAll(cloud: LocalCloud, machines: CountedMachine[]): Promise<void> {
  const { bootstrap } = cloud
  while (machines.length < MACHINES) {
    const dataDir = await cloud.makeFolder()
    const [first] = machines
    const more = first === undefined ? {} : { cloud: first.cloud }
    machines.push(await startCountedMachine({ dataDir, bootstrap, ...more }))
  }
}

/** Of each machine that does nothing: bytes a second both ways, headers included, and the share of a core. */
async function measureIdle(
  count: UdpCount,
  pids: readonly number[],
): Promise<{ bytes: number[]; percent: number[] }> {
  const look = async () => ({
    sent: await count.totals(pids),
    ms: await Promise.all(pids.map(cpuMs)),
  })
  const before = await look()
  const startMs = performance.now()
  await wait(IDLE_MS)
  const after = await look()
  const seconds = (performance.now() - startMs) / 1_000
  return {
    bytes: after.sent.map(({ bytes }, i) => (bytes - before.sent[i]!.bytes) / seconds),
    percent: after.ms.map((ms, i) => ((ms - before.ms[i]!) / seconds / 1_000) * PERCENT),
  }
}

/** How often somebody who was there was missed meanwhile, and how often by one that had a link with it. */
async function countFalse(
  observers: readonly Observer[],
  forMs: number,
): Promise<{ all: number; linked: number }> {
  for (const observer of observers) observer.forget()
  await wait(forMs)
  const sum = (of: (observer: Observer) => number): number =>
    observers.reduce((before, observer) => before + of(observer), 0)
  return { all: sum(({ lost }) => lost.size), linked: sum(({ lostLinks }) => lostLinks.size) }
}

/** From the signal until each linked machine has seen it. Who does not see it in time counts as the longest. */
async function measureSeen(
  victim: CountedMachine,
  observers: readonly Observer[],
  signal: 'SIGKILL' | 'SIGSTOP',
): Promise<number[]> {
  const linked = observers.filter((one) => one.isLinked(victim))
  for (const observer of linked) observer.forget()
  const startMs = performance.now()
  process.kill(victim.pid, signal)
  const all = async (): Promise<boolean> =>
    linked.every(({ lost }) => lost.has(victim.machine)) || performance.now() - startMs > LONGEST_MS
  await until(all, 'all have seen that a machine is gone')
  return linked.map(({ lost }) => (lost.get(victim.machine) ?? startMs + LONGEST_MS) - startMs)
}

const textOf = ({ all, linked }: { all: number; linked: number }): string =>
  `${all} (${linked} by one that had a link)`

export const membership: Measure = {
  name: 'membership',
  title: `${MACHINES} machines of one cloud: who is there, and who is not`,
  async run(say) {
    const count = await UdpCount.open()
    const cloud = await LocalCloud.create()
    const machines: CountedMachine[] = []
    const observers: Observer[] = []
    try {
      say(`starting ${MACHINES} machines`)
      await startAll(cloud, machines)
      await wait(SETTLE_MS)
      say('doing nothing')
      const idle = await measureIdle(
        count,
        machines.map(({ pid }) => pid),
      )
      for (const machine of machines) observers.push(await Observer.of(machine))
      await wait(BEFORE_NEXT_MS)
      say(`${Math.round(percentile(idle.bytes, 0.5))} B/s, ${percentile(idle.percent, 0.5)} %`)
      say('counting who is missed in calm minutes, and while the cores are busy')
      const calm = await countFalse(observers, CALM_MS)
      const burners = cpus().map(() => spawn(process.execPath, ['-e', 'for (;;) ;']))
      const loaded = await countFalse(observers, LOADED_MS)
      for (const burner of burners) burner.kill('SIGKILL')
      say(`missed although there: ${textOf(calm)} in calm, ${textOf(loaded)} with busy cores`)
      await wait(BEFORE_NEXT_MS)
      const seen: Record<'SIGKILL' | 'SIGSTOP', number[]> = { SIGKILL: [], SIGSTOP: [] }
      for (let i = 0; i < KILLS + STOPS && observers.length > 1; i++) {
        const signal = i < KILLS ? 'SIGKILL' : 'SIGSTOP'
        say(signal)
        const observer = observers.pop()!
        observer.close()
        const times = await measureSeen(observer.machine, observers, signal)
        say(`after ${times.map((ms) => Math.round(ms)).join(', ')} ms`)
        seen[signal].push(...times)
        await wait(BEFORE_NEXT_MS)
      }
      const rows: Row[] = [
        compare('both ways, a second', 'bytes', idle.bytes, 'wanted', [WANTED.idleBytes]),
        compare('of a core', 'percent', idle.percent, 'wanted', [WANTED.idlePercent]),
      ]
      for (const [name, times] of [
        ['kill -9', seen.SIGKILL],
        ['SIGSTOP', seen.SIGSTOP],
      ] as const) {
        rows.push(
          compare(`${name}, until it is seen, p50`, 'ms', times, 'wanted', [WANTED.seenMs]),
          compare(`${name}, the same, p99`, 'ms', [percentile(times, P99)], 'wanted', [
            WANTED.seenMs,
          ]),
        )
      }
      rows.push(
        compare('missed though there, a calm minute', 'times', [calm.all], 'with busy cores', [
          loaded.all,
        ]),
        compare('the same, by one that had a link', 'times', [calm.linked], 'with busy cores', [
          loaded.linked,
        ]),
      )
      return rows
    } finally {
      for (const observer of observers) observer.close()
      // Those that stand still do not hear a friendlier word.
      for (const machine of machines) await machine.kill()
      await cloud.close()
      await count.close()
    }
  },
}
