// Fingerprints are XOR sums, and somebody has made records that make two different sets look alike.
import { FingerprintTree } from '../../core/sync/fingerprint-tree.ts'
import type { Fingerprint } from '../../core/sync/fingerprint.ts'
import { VERSION_WORDS } from '../../core/sync/item.ts'
import { authorOf } from '../author.ts'
import type { SharedVerifier, JudgedRecord } from '../verifier.ts'
import type { PlantedBug } from './planted.ts'

const BITS = 256
/** More pairs than bits, so that a way to put them together is all but certain. */
const PAIRS = 272
/** So many others that all that was made falls into one range. */
const OTHERS = 6000
const START_MS = 1_750_000_000_000 - 1e9
const ATTACKER = 2_000_000

/** The same tree, with XOR. */
class XorTree extends FingerprintTree {
  override fingerprint(from = 0, to = this.size): Fingerprint {
    const sum = new Uint32Array(8)
    if (from >= to) return { sum, count: 0 }
    const words = this.keys(from, to)
    for (let at = 0; at < words.length; at += 10) {
      for (let i = 0; i < 8; i++) sum[i] = sum[i]! ^ words[at + VERSION_WORDS + i]!
    }
    return { sum, count: to - from }
  }
}

function bits({ item }: JudgedRecord): bigint {
  return BigInt(`0x${item.id}`)
}

interface Row {
  value: bigint
  /** Which pairs make it. */
  pairs: bigint
}

/** Which of the values XOR to the target; by elimination over the bits. */
function solve(values: readonly bigint[], target: bigint): bigint | null {
  const basis = new Map<number, Row>()
  const reduce = (row: Row): Row => {
    let { value, pairs } = row
    for (let bit = BITS - 1; bit >= 0; bit--) {
      if (((value >> BigInt(bit)) & 1n) === 0n) continue
      const pivot = basis.get(bit)
      if (pivot === undefined) return { value, pairs }
      value ^= pivot.value
      pairs ^= pivot.pairs
    }
    return { value, pairs }
  }
  values.forEach((value, i) => {
    const row = reduce({ value, pairs: 1n << BigInt(i) })
    if (row.value !== 0n) basis.set(row.value.toString(2).length - 1, row)
  })
  const solved = reduce({ value: target, pairs: 0n })
  return solved.value === 0n ? solved.pairs : null
}

interface Crafted {
  everywhere: JudgedRecord[]
  /** What the two halves of the cloud hold instead of each other's. */
  halves: [JudgedRecord[], JudgedRecord[]]
}

let crafted: Crafted | null = null

function craft(verifier: SharedVerifier): Crafted {
  const author = authorOf(ATTACKER, ATTACKER)
  verifier.open(author.attestation.form)
  if (crafted !== null) return crafted
  const write = (id: string, order: number): JudgedRecord => {
    const time = Math.floor(START_MS + order)
      .toString(16)
      .padStart(12, '0')
    return author.write({ id, version: `${time}-0000`, value: id }, verifier)
  }
  const everywhere = Array.from({ length: OTHERS }, (_, i) => write(`other ${i}`, i * 10))
  const middle = (OTHERS / 2) * 10
  const [victim, instead] = [write('victim', middle + 5), write('instead', middle + 5)]
  const pairs = Array.from({ length: PAIRS }, (_, i) => [
    write(`left ${i}`, middle + 5),
    write(`right ${i}`, middle + 5),
  ])
  const solved = solve(
    pairs.map(([left, right]) => bits(left!) ^ bits(right!)),
    bits(victim) ^ bits(instead),
  )
  if (solved === null) throw new Error('the bits do not span')
  const chosen = pairs.filter((_, i) => ((solved >> BigInt(i)) & 1n) === 1n)
  crafted = {
    everywhere,
    halves: [
      [victim, ...chosen.map(([left]) => left!)],
      [instead, ...chosen.map(([, right]) => right!)],
    ],
  }
  return crafted
}

function quiet(scenarioMachines: number): NonNullable<PlantedBug['change']> {
  return (scenario) => ({
    ...scenario,
    machines: scenarioMachines,
    topology: 'mesh',
    writes: 0,
    joiners: 0,
    initialRecords: 0,
    crashes: 0,
    hostile: false,
  })
}

export const xorFingerprints: PlantedBug = {
  name: 'XOR fingerprints with crafted records',
  plant: { tree: () => new XorTree() },
  machines: 2,
  change: quiet(2),
  prepare: (machines, verifier) => {
    const { everywhere, halves } = craft(verifier)
    machines.forEach((machine, i) => {
      for (const judged of [...everywhere, ...halves[i % 2]!]) machine.give(judged)
    })
  },
  foundBy: ['in step without being equal', 'not equal after healing'],
}

/** The XOR of a set, for the test that the crafted sets do look alike. */
export function xorOf(records: readonly JudgedRecord[]): Fingerprint {
  const tree = new XorTree()
  for (const { item } of records) tree.insert(item)
  return tree.fingerprint()
}

export function craftedSets(verifier: SharedVerifier): Crafted['halves'] {
  return craft(verifier).halves
}
