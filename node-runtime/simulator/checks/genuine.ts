// Whatever a machine merges was signed by whom it names, was not from the future, and is newer than what
// it takes the place of, and than all that ever was there: nothing that was deleted comes back.
import { isTooFarAhead } from '../../core/db/hybrid-clock.ts'
import { addressKey, replaces } from '../../core/db/signed-record.ts'
import type { SimulatedMachine } from '../machine.ts'
import type { JudgedRecord } from '../verifier.ts'
import type { Report } from './finding.ts'

export class GenuineCheck {
  readonly #report: Report
  /** For each machine, the newest it ever held at each address. */
  readonly #newest = new Map<string, Map<string, JudgedRecord>>()

  constructor(report: Report) {
    this.#report = report
  }

  merged(machine: SimulatedMachine, judged: JudgedRecord, written: boolean): void {
    const { header } = judged.record
    const words = `${machine.key} took ${header.id} of version ${header.version}`
    if (!judged.holds) this.#report('forged record', words)
    if (!written && isTooFarAhead(header.version, machine.wallMs())) {
      this.#report('record from the future', `${words} at ${machine.wallMs()}`)
    }
    let newest = this.#newest.get(machine.key)
    if (newest === undefined) this.#newest.set(machine.key, (newest = new Map()))
    const address = addressKey(header)
    const before = newest.get(address)
    if (before !== undefined && !replaces(judged.record, before.record)) {
      const wasDeleted = before.record.header.deleted === true
      this.#report(
        wasDeleted ? 'deleted record came back' : 'older record won',
        `${words} over ${before.item.version}`,
      )
    }
    newest.set(address, judged)
  }

  /** Its disk went back in time: what it may take goes back, too. */
  lost(machine: SimulatedMachine, records: readonly JudgedRecord[]): void {
    const newest = this.#newest.get(machine.key)
    for (const { record } of records) {
      const address = addressKey(record.header)
      const left = machine.held.get(address)
      if (left === undefined) newest?.delete(address)
      else newest?.set(address, left)
    }
  }
}
