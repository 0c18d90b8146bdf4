// What happens in one run: everything a seed draws, how the machines are linked and how much goes wrong
// among it.
import { SOUND_DISK } from '../disk.ts'
import type { DiskFaults } from '../disk.ts'
import { NO_FAULTS } from '../network.ts'
import type { NetworkFaults } from '../network.ts'
import type { Random } from '../random.ts'

export type Topology = 'mesh' | 'rings' | 'line' | 'bridge'

export interface Scenario {
  machines: number
  topology: Topology
  /** Of `rings`: how many rings, two links each. */
  rings: number
  /** Persons have one machine, or several. */
  persons: number
  /** The part with faults, ms. */
  durationMs: number
  writes: number
  /** Share of writes that delete. */
  deletes: number
  /** How many records a person has, at most. */
  addresses: number
  /** Records that some machines hold when it begins. */
  initialRecords: number
  /** Machines that come late, with nothing. */
  joiners: number
  crashes: number
  partitions: number
  oneWay: number
  fullDisks: number
  /** How far clocks are off, all the time. */
  skewMs: number
  /** How often one jumps, for a while, and how far. */
  clockSteps: number
  clockStepMs: number
  /** A stranger that got in and says whatever it likes. */
  hostile: boolean
  network: NetworkFaults
  disk: DiskFaults
}

const MINUTE_MS = 60_000

/** Each kind of fault is there in some seeds and not in others, so that they meet in all ways. */
export function drawScenario(machines: number, random: Random): Scenario {
  const sometimes = (probability: number, draw: () => number): number =>
    random.chance(probability) ? draw() : 0
  const topology: Topology =
    machines <= 8
      ? random.pick(['mesh', 'mesh', 'rings', 'line', 'bridge'])
      : random.pick(['rings', 'rings', 'bridge', machines <= 24 ? 'line' : 'rings'])
  const durationMs = random.between(0.5, 2) * MINUTE_MS
  return {
    machines,
    topology,
    rings: random.whole(2, 3),
    persons: Math.max(1, random.whole(Math.ceil(machines / 3), machines)),
    durationMs,
    writes: random.whole(20, 60),
    deletes: random.between(0, 0.4),
    addresses: random.whole(1, 6),
    initialRecords: sometimes(0.5, () => random.whole(20, 300)),
    joiners: sometimes(0.5, () => random.whole(1, Math.max(1, machines >> 3))),
    crashes: sometimes(0.6, () => random.whole(1, machines)),
    partitions: sometimes(0.6, () => random.whole(1, 4)),
    oneWay: random.next(),
    fullDisks: sometimes(0.3, () => random.whole(1, Math.max(1, machines >> 2))),
    skewMs: sometimes(0.7, () => random.between(0, MINUTE_MS)),
    clockSteps: sometimes(0.3, () => random.whole(1, 3)),
    clockStepMs: random.between(-10, 10) * MINUTE_MS,
    hostile: random.chance(0.3),
    network: {
      ...NO_FAULTS,
      delayMs: random.between(0.1, 80),
      jitterMs: random.between(0, 60),
      loss: sometimes(0.4, () => random.between(0, 0.1)),
      duplication: sometimes(0.3, () => random.between(0, 0.1)),
      reordering: sometimes(0.3, () => random.between(0, 0.3)),
      slowLinks: sometimes(0.3, () => random.between(0, 0.5)),
      slowBytesPerMs: random.between(0.5, 50),
    },
    disk: {
      ...SOUND_DISK,
      failedWrites: sometimes(0.3, () => random.between(0, 0.2)),
      lostSuffixes: sometimes(0.3, () => random.between(0, 1)),
      writeMs: random.between(0.1, 20),
    },
  }
}

/** Pairs of machines that are linked. */
export function drawLinks(
  { machines, topology, rings }: Scenario,
  random: Random,
): [number, number][] {
  const links: [number, number][] = []
  const mesh = (from: number, to: number): void => {
    for (let a = from; a < to; a++) for (let b = a + 1; b < to; b++) links.push([a, b])
  }
  const ring = (order: readonly number[]): void => {
    order.forEach((a, i) => {
      const b = order[(i + 1) % order.length]
      if (b !== undefined && b !== a) links.push([a, b])
    })
  }
  const shuffled = (from: number, to: number): number[] =>
    Array.from({ length: to - from }, (_, i) => ({ number: from + i, by: random.next() }))
      .sort((a, b) => a.by - b.by)
      .map(({ number }) => number)
  switch (topology) {
    case 'mesh':
      mesh(0, machines)
      break
    case 'line':
      for (let a = 0; a + 1 < machines; a++) links.push([a, a + 1])
      break
    case 'rings':
      for (let i = 0; i < rings; i++) ring(shuffled(0, machines))
      break
    case 'bridge': {
      const half = machines >> 1
      for (let i = 0; i < rings; i++) {
        ring(shuffled(0, half))
        ring(shuffled(half, machines))
      }
      links.push([0, machines - 1])
      break
    }
  }
  return links
}
