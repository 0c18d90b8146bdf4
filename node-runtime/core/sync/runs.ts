// Where the order of records is cut into runs that are sealed as segments: at ids that say so
// themselves, so that machines with the same records cut at the same places without talking.
// Source of content-defined cuts: sedimentree (Keyhive); see also LBFS (SOSP 2001).
import { sameFingerprint } from './fingerprint.ts'
import type { Fingerprint } from './fingerprint.ts'
import type { FingerprintTree } from './fingerprint-tree.ts'
import { KEY_WORDS } from './item.ts'
import type { Key } from './item.ts'

export interface RunSizes {
  /** A run is no shorter, so that a segment is worth its overhead. */
  least: number
  /** After the least length, an id that ends in so many zero bits ends the run. */
  endZeroBits: number
  /** A run is no longer. */
  most: number
}

/** About 32,000 records a run: 8 to 16 MB; 40 MB at most. */
export const RUN_SIZES: RunSizes = { least: 16_384, endZeroBits: 14, most: 65_536 }

/** A closed run: its first and last key, and what is between, both included. */
export interface Run {
  from: Key
  to: Key
  fingerprint: Fingerprint
}

function endsRun(lastWord: number, zeroBits: number): boolean {
  return (lastWord & ((1 << zeroBits) - 1)) === 0
}

/** The runs of all that is held. What comes after the last one is too new to be sealed. */
export function cutRuns(tree: FingerprintTree, sizes = RUN_SIZES): Run[] {
  const runs: Run[] = []
  let start = 0
  while (start + sizes.least <= tree.size) {
    const last = findEnd(tree, start, sizes)
    if (last === null) break
    runs.push({
      from: tree.keyAt(start),
      to: tree.keyAt(last),
      fingerprint: tree.fingerprint(start, last + 1),
    })
    start = last + 1
  }
  return runs
}

function findEnd(tree: FingerprintTree, start: number, sizes: RunSizes): number | null {
  const first = start + sizes.least - 1
  const most = Math.min(tree.size, start + sizes.most)
  const keys = tree.keys(first, most)
  for (let i = 0; i * KEY_WORDS < keys.length; i++) {
    if (endsRun(keys[(i + 1) * KEY_WORDS - 1]!, sizes.endZeroBits)) return first + i
  }
  return most === start + sizes.most ? most - 1 : null
}

/** Does the tree hold exactly what the run holds? */
export function holdsRun(tree: FingerprintTree, run: Run): boolean {
  const from = tree.rank(run.from)
  const to = tree.rank(run.to) + (tree.hasKey(run.to) ? 1 : 0)
  return sameFingerprint(tree.fingerprint(from, to), run.fingerprint)
}
