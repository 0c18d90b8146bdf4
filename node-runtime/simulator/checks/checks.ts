// All checks of one run, as the observer of its machines.
import type { Observer, SimulatedMachine } from '../machine.ts'
import type { JudgedRecord } from '../verifier.ts'
import type { World } from '../world.ts'
import { AcknowledgedCheck } from './acknowledged.ts'
import { checkEqual, checkTree } from './equal.ts'
import type { Finding } from './finding.ts'
import { GenuineCheck } from './genuine.ts'
import { checkInStep } from './in-step.ts'
import { checkMemory } from './memory.ts'

/** A whole look at a machine's tree at every so many steps of it. */
const TREE_EVERY = 64

export class Checks implements Observer {
  readonly findings: Finding[] = []
  readonly acknowledgedRecords: AcknowledgedCheck
  /** How often a machine said that it is in step. */
  inStepCount = 0
  readonly #world: World
  readonly #machines: readonly SimulatedMachine[]
  readonly #byKey = new Map<string, SimulatedMachine>()
  readonly #genuine: GenuineCheck
  #steps = 0

  constructor(world: World, machines: readonly SimulatedMachine[]) {
    this.#world = world
    this.#machines = machines
    this.#genuine = new GenuineCheck(this.report)
    this.acknowledgedRecords = new AcknowledgedCheck(this.report)
  }

  readonly report = (check: string, words: string): void => {
    this.findings.push({ check, words, atMs: Math.round(this.#world.nowMs) })
  }

  merged(machine: SimulatedMachine, judged: JudgedRecord, isOwn: boolean): void {
    this.#genuine.merged(machine, judged, isOwn)
  }

  acknowledged(judged: JudgedRecord): void {
    this.acknowledgedRecords.acknowledged(judged)
  }

  lost(machine: SimulatedMachine, records: readonly JudgedRecord[]): void {
    this.#genuine.lost(machine, records)
    this.acknowledgedRecords.lost(records, this.#machines)
  }

  inStep(machine: SimulatedMachine, peer: string): void {
    this.inStepCount += 1
    if (this.#byKey.size !== this.#machines.length) {
      for (const one of this.#machines) this.#byKey.set(one.key, one)
    }
    checkInStep(machine, this.#byKey.get(peer), this.#world.nowMs, this.report)
  }

  stepped(machine: SimulatedMachine): void {
    this.#steps += 1
    checkMemory(machine, this.#machines.length, this.report)
    if (this.#steps % TREE_EVERY === 0 && machine.isSettled) checkTree(machine, this.report)
  }

  /** After healing. */
  finish(): void {
    checkEqual(this.#machines, this.report)
    this.acknowledgedRecords.finish(this.#machines)
    for (const machine of this.#machines) checkTree(machine, this.report)
  }
}
