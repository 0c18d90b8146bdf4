// One run of one seed: first safety, with everything going wrong that the seed has drawn; then all is
// mended, and what was promised has to come true.
import { versionTimeMs } from '../../core/db/hybrid-clock.ts'
import { authorOf, CLOUD } from '../author.ts'
import { Checks } from '../checks/checks.ts'
import { areEqual } from '../checks/equal.ts'
import type { Finding } from '../checks/finding.ts'
import { SimulatedDisk, SOUND_DISK } from '../disk.ts'
import { HostileMachine } from '../hostile.ts'
import { SimulatedMachine } from '../machine.ts'
import type { Plant, SegmentShelf } from '../machine.ts'
import { SimulatedNetwork } from '../network.ts'
import { seededRandom } from '../random.ts'
import type { Random } from '../random.ts'
import { SharedVerifier } from '../verifier.ts'
import type { JudgedRecord } from '../verifier.ts'
import { World } from '../world.ts'
import { drawLinks, drawScenario } from './scenario.ts'
import type { Scenario } from './scenario.ts'

/** Virtual time begins here, so that versions look like real ones. */
const START_MS = 1_750_000_000_000
const SLICE_MS = 5_000
/** Rounds come once a minute; a line of machines takes a few seconds for each. */
const HEAL_MOST_MS = 90_000
const HEAL_PER_MACHINE_MS = 2_000
/** What is still on its way when all are equal. */
const GRACE_MS = 90_000
/** So long, nothing but comparisons may be said. */
const SILENCE_MS = 150_000
/** Frames of records; see `core/sync/messages.ts`. */
const RECORD_FRAMES: ReadonlySet<number | undefined> = new Set([1, 2])

export interface RunOptions {
  seed: number
  machines: number
  plant?: Plant
  /** Changes what the seed has drawn. */
  change?: (scenario: Scenario) => Scenario
  /** Gives machines records before they start. */
  prepare?: (machines: readonly SimulatedMachine[], verifier: SharedVerifier) => void
}

export interface RunResult {
  seed: number
  findings: readonly Finding[]
  trace: string
  events: number
  virtualMs: number
  acknowledged: number
  /** How long it took until all were equal, from the time at which nothing went wrong any more. */
  healedAfterMs: number
  scenario: Scenario
}

export function runSeed(options: RunOptions): RunResult {
  return new Run(options).go()
}

class Run {
  readonly #seed: number
  readonly #world = new World()
  readonly #random: Random
  readonly #scenario: Scenario
  readonly #network: SimulatedNetwork
  readonly #machines: SimulatedMachine[] = []
  readonly #verifier = new SharedVerifier(CLOUD)
  readonly #checks: Checks
  readonly #hostile: HostileMachine | null
  readonly #prepare: RunOptions['prepare']
  readonly #persons: number[]
  #healedAfterMs = 0

  constructor({ seed, machines, plant = {}, change, prepare }: RunOptions) {
    this.#seed = seed
    this.#random = seededRandom(seed)
    const drawn = drawScenario(machines, this.#random.fork())
    this.#scenario = change?.(drawn) ?? drawn
    this.#prepare = prepare
    const { network, disk, skewMs, persons } = this.#scenario
    this.#network = new SimulatedNetwork(this.#world, this.#random.fork(), network)
    this.#checks = new Checks(this.#world, this.#machines)
    const shelf: SegmentShelf = new Map()
    const count = this.#scenario.machines
    this.#persons = Array.from({ length: count }, (_, i) => i % persons)
    for (let number = 0; number < count; number++) {
      const machine = new SimulatedMachine(number, {
        world: this.#world,
        network: this.#network,
        verifier: this.#verifier,
        disk: new SimulatedDisk<JudgedRecord>(this.#random.fork(), disk),
        random: this.#random.fork(),
        observer: this.#checks,
        shelf,
        plant,
        startMs: START_MS,
      })
      machine.skewMs = Math.round(this.#random.between(-skewMs, skewMs))
      machine.machines = count - 1
      this.#machines.push(machine)
    }
    this.#hostile = this.#scenario.hostile
      ? new HostileMachine(this.#world, this.#network, this.#random.fork(), START_MS)
      : null
  }

  go(): RunResult {
    this.#begin()
    this.#planFaults()
    this.#planWrites()
    this.#through(this.#scenario.durationMs)
    if (this.#checks.findings.length === 0) this.#heal()
    return {
      seed: this.#seed,
      findings: this.#checks.findings,
      trace: this.#world.trace,
      events: this.#world.events,
      virtualMs: this.#world.nowMs,
      acknowledged: this.#checks.acknowledgedRecords.count,
      healedAfterMs: this.#healedAfterMs,
      scenario: this.#scenario,
    }
  }

  #begin(): void {
    const { joiners, initialRecords, durationMs } = this.#scenario
    this.#initialRecords(initialRecords)
    this.#prepare?.(this.#machines, this.#verifier)
    for (const [a, b] of drawLinks(this.#scenario, this.#random.fork())) {
      this.#network.connect(this.#machines[a]!, this.#machines[b]!)
    }
    const early = this.#machines.length - joiners
    for (const [i, machine] of this.#machines.entries()) {
      const delayMs = i < early ? this.#random.between(0, 500) : this.#random.next() * durationMs
      this.#world.after(delayMs, () => this.#start(machine))
    }
    if (this.#hostile === null) return
    for (let i = 0; i < 3; i++) {
      this.#network.connect(this.#hostile, this.#random.pick(this.#machines))
    }
    this.#hostile.begin()
  }

  #initialRecords(count: number): void {
    const early = this.#machines.length - this.#scenario.joiners
    for (let i = 0; i < count; i++) {
      const holder = this.#random.whole(0, early - 1)
      const judged = authorOf(this.#persons[holder]!, holder).write(
        { id: `old ${i}`, version: versionOf(START_MS - 1e9 + i * 1000), value: `old ${i}` },
        this.#verifier,
      )
      // Most are everywhere already, some are only where they were written.
      const spread = this.#random.chance(0.8)
      for (let number = 0; number < early; number++) {
        if (number !== holder && !spread) continue
        this.#machines[number]!.give(judged)
      }
    }
  }

  #start(machine: SimulatedMachine): void {
    if (!machine.isUp) machine.start()
  }

  #planWrites(): void {
    const { writes, durationMs } = this.#scenario
    for (let i = 0; i < writes; i++) {
      this.#world.after(this.#random.next() * durationMs, () => this.#write(i))
    }
  }

  #write(i: number): void {
    const { addresses, deletes } = this.#scenario
    const number = this.#random.whole(0, this.#machines.length - 1)
    const machine = this.#machines[number]!
    if (!machine.isUp) return
    const id = `note ${this.#random.whole(1, addresses)}`
    const isDeleted = this.#random.chance(deletes)
    const judged = authorOf(this.#persons[number]!, number).write(
      { id, version: machine.nextVersion(), ...(isDeleted ? {} : { value: `value ${i}` }) },
      this.#verifier,
    )
    machine.write(judged)
  }

  #planFaults(): void {
    const { durationMs, crashes, partitions, oneWay, fullDisks, clockSteps, clockStepMs } =
      this.#scenario
    const at = (count: number, happens: () => void): void => {
      for (let i = 0; i < count; i++) {
        this.#world.after(this.#random.next() * durationMs, happens)
      }
    }
    at(crashes, () => {
      const machine = this.#random.pick(this.#machines)
      if (!machine.isUp) return
      machine.crash()
      this.#world.after(this.#random.between(1, 20_000), () => this.#start(machine))
    })
    at(partitions, () => {
      const forMs = this.#random.between(500, 30_000)
      const isOneWay = this.#random.chance(oneWay)
      if (this.#random.chance(0.3)) {
        this.#network.cutLine(forMs, isOneWay)
        return
      }
      const first = new Set(
        this.#machines.filter(() => this.#random.chance(0.5)).map(({ key }) => key),
      )
      this.#network.partition((key) => first.has(key), forMs, isOneWay)
    })
    at(fullDisks, () => {
      const { disk } = this.#random.pick(this.#machines).parts
      disk.isFull = true
      this.#world.after(this.#random.between(1000, 20_000), () => (disk.isFull = false))
    })
    at(clockSteps, () => {
      const machine = this.#random.pick(this.#machines)
      machine.skewMs += clockStepMs
      this.#world.after(this.#random.between(1000, 30_000), () => (machine.skewMs -= clockStepMs))
    })
  }

  /** Lets time pass, until something is found. */
  #through(durationMs: number): void {
    const endMs = this.#world.nowMs + durationMs
    while (this.#world.nowMs < endMs && this.#checks.findings.length === 0) {
      this.#world.run(Math.min(SLICE_MS, endMs - this.#world.nowMs))
    }
  }

  /** From now on nothing goes wrong any more. */
  #mend(): void {
    this.#hostile?.end()
    for (const machine of this.#machines) {
      machine.parts.disk.faults = { ...SOUND_DISK }
      machine.parts.disk.isFull = false
    }
    this.#network.heal()
    for (const machine of this.#machines) this.#start(machine)
    // Clocks that had jumped come back by themselves, full disks get room again.
    this.#through(30_000)
  }

  #heal(): void {
    this.#mend()
    // What was written with a clock that was ahead waits for its time.
    const aheadMs = this.#aheadMs()
    const mostMs = HEAL_MOST_MS + this.#machines.length * HEAL_PER_MACHINE_MS
    const mendedMs = this.#world.nowMs + aheadMs
    while (this.#world.nowMs < mendedMs + mostMs && this.#checks.findings.length === 0) {
      if (areEqual(this.#machines)) break
      this.#world.run(SLICE_MS)
    }
    this.#healedAfterMs = Math.max(0, this.#world.nowMs - mendedMs)
    if (areEqual(this.#machines)) this.#silence()
    if (this.#checks.findings.length === 0) this.#checks.finish()
  }

  #silence(): void {
    this.#through(GRACE_MS)
    let frames = 0
    this.#network.tap = (_from, _to, bytes) => {
      if (RECORD_FRAMES.has(bytes[0])) frames += 1
    }
    const before = this.#checks.inStepCount
    this.#through(SILENCE_MS)
    if (frames > 0) {
      this.#checks.report('not silent', `${frames} frames though all are equal`)
    } else if (this.#machines.length > 1 && this.#checks.inStepCount === before) {
      this.#checks.report('not in step', 'nobody says so though all are equal')
    }
  }

  /** How far the newest version is ahead of the slowest clock. */
  #aheadMs(): number {
    let newestMs = 0
    let slowestMs = Number.POSITIVE_INFINITY
    for (const machine of this.#machines) {
      for (const { item } of machine.held.values()) {
        newestMs = Math.max(newestMs, versionTimeMs(item.version))
      }
      slowestMs = Math.min(slowestMs, machine.wallMs())
    }
    return Math.max(0, newestMs - slowestMs)
  }
}

function versionOf(timeMs: number): string {
  return `${Math.floor(timeMs).toString(16).padStart(12, '0')}-0000`
}
