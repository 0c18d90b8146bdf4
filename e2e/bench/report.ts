// What a measure hands back, and how samples become numbers.

export type Unit = 'ms' | 'bytes' | 'a second' | 'percent' | 'times'

export interface Summary {
  median: number
  /** 10th and 90th percentile; lowest and highest of fewer than ten samples. */
  low: number
  high: number
  samples: number
}

/** One line of the table: something of ours beside something that limits it. */
export interface Row {
  name: string
  unit: Unit
  ours: Summary
  against: string
  peer: Summary
  /** Median by median. */
  ratio: number
}

export interface Measure {
  /** As it is named on the command line. */
  name: string
  title: string
  /** @param say  tells whoever waits what is going on */
  run(say: (line: string) => void): Promise<Row[]>
}

/** What a measure needs is not on this computer. The others go on. */
export class MissingPart extends Error {}

const LOW = 0.1
const HIGH = 0.9

/** Nearest rank. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (value === undefined) throw new Error('nothing was measured')
  return value
}

/** @param samples  at least one */
export function summarize(samples: readonly number[]): Summary {
  return {
    median: percentile(samples, 0.5),
    low: percentile(samples, LOW),
    high: percentile(samples, HIGH),
    samples: samples.length,
  }
}

/** A line of the table from the samples of both sides. */
export function compare(
  name: string,
  unit: Unit,
  ours: readonly number[],
  against: string,
  peer: readonly number[],
): Row {
  const row = { name, unit, ours: summarize(ours), against, peer: summarize(peer) }
  return { ...row, ratio: row.ours.median / row.peer.median }
}

/** How long `work` takes, in ms. */
export async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await work()
  return performance.now() - startMs
}
