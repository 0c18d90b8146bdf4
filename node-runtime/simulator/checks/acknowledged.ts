// What was acknowledged to its author is there in the end, or something newer at its address; unless a
// bad disk lost it before any other machine had it.
import { addressKey, replaces } from '../../core/db/signed-record.ts'
import type { SimulatedMachine } from '../machine.ts'
import type { JudgedRecord } from '../verifier.ts'
import type { Report } from './finding.ts'

export class AcknowledgedCheck {
  readonly #report: Report
  readonly #acknowledged = new Map<string, JudgedRecord>()

  constructor(report: Report) {
    this.#report = report
  }

  get count(): number {
    return this.#acknowledged.size
  }

  acknowledged(judged: JudgedRecord): void {
    this.#acknowledged.set(judged.item.id, judged)
  }

  /** What no disk has any more, and nothing newer, is excused. */
  lost(records: readonly JudgedRecord[], machines: readonly SimulatedMachine[]): void {
    for (const judged of records) {
      if (!machines.some((machine) => hasOrNewer(machine, judged))) {
        this.#acknowledged.delete(judged.item.id)
      }
    }
  }

  finish(machines: readonly SimulatedMachine[]): void {
    for (const judged of this.#acknowledged.values()) {
      for (const machine of machines) {
        if (hasOrNewer(machine, judged)) continue
        const { id, version } = judged.record.header
        this.#report('acknowledged record lost', `${machine.key} lacks ${id} of ${version}`)
        return
      }
    }
  }
}

function hasOrNewer({ held }: SimulatedMachine, judged: JudgedRecord): boolean {
  const there = held.get(addressKey(judged.record.header))
  if (there === undefined) return false
  return there.item.id === judged.item.id || replaces(there.record, judged.record)
}
