// All machines hold the same, byte for byte, and their trees say what their disks hold. No fingerprints
// here: those are what is tested.
import type { SimulatedMachine } from '../machine.ts'
import type { Report } from './finding.ts'

/** Do all hold the same records? */
export function areEqual(machines: readonly SimulatedMachine[]): boolean {
  const [first, ...others] = machines
  if (first === undefined) return true
  return others.every(({ held }) => {
    if (held.size !== first.held.size) return false
    for (const [address, { item, bytes }] of first.held) {
      const other = held.get(address)
      if (other === undefined || other.item.id !== item.id) return false
      if (other.bytes !== bytes && Buffer.compare(other.bytes, bytes) !== 0) return false
    }
    return true
  })
}

export function checkEqual(machines: readonly SimulatedMachine[], report: Report): void {
  if (areEqual(machines)) return
  const sizes = [...new Set(machines.map(({ held }) => held.size))].join(', ')
  report('not equal after healing', `machines hold ${sizes} records`)
}

/** Does the tree hold exactly what the disk holds? */
export function checkTree(machine: SimulatedMachine, report: Report): void {
  const { core, held } = machine
  if (core === null) return
  const good =
    core.tree.size === held.size && [...held.values()].every(({ item }) => core.tree.has(item))
  if (!good) {
    report('tree is wrong', `${machine.key} holds ${held.size}, its tree ${core.tree.size}`)
  }
}
