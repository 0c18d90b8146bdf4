// Where the order of records is cut into runs that are sealed as segments: at ids that say so
// themselves, so that machines with the same records cut at the same places without talking.
// Source of content-defined cuts: sedimentree (Keyhive); see also LBFS (SOSP 2001).
import { sameFingerprint } from './fingerprint.ts'
import type { Fingerprint } from './fingerprint.ts'
import type { FingerprintTree } from './fingerprint-tree.ts'
import { KEY_WORDS } from './item.ts'
import type { Key } from './item.ts'

/** A run is no shorter, so that a segment is worth its overhead. */
export const LEAST_RUN = 16_384
/** After the least length, one in 2^14 ids ends a run: about 32,000 records a run. */
const END_ZERO_BITS = 14
/** A run is no longer: about 40 MB. */
const MOST_RUN = 65_536

/** A closed run: its first and last key, and what is between, both included. */
export interface Run {
  from: Key
  to: Key
  fingerprint: Fingerprint
}

function endsRun(lastWord: number): boolean {
  return (lastWord & ((1 << END_ZERO_BITS) - 1)) === 0
}

/** The runs of all that is held. What comes after the last one is too new to be sealed. */
export function cutRuns(tree: FingerprintTree): Run[] {
  const runs: Run[] = []
  let start = 0
  while (start + LEAST_RUN <= tree.size) {
    const last = findEnd(tree, start)
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

function findEnd(tree: FingerprintTree, start: number): number | null {
  const first = start + LEAST_RUN - 1
  const most = Math.min(tree.size, start + MOST_RUN)
  const keys = tree.keys(first, most)
  for (let i = 0; i * KEY_WORDS < keys.length; i++) {
    if (endsRun(keys[(i + 1) * KEY_WORDS - 1]!)) return first + i
  }
  return most === start + MOST_RUN ? most - 1 : null
}

/** Does the tree hold exactly what the run holds? */
export function holdsRun(tree: FingerprintTree, run: Run): boolean {
  const from = tree.rank(run.from)
  const to = tree.rank(run.to) + (tree.hasKey(run.to) ? 1 : 0)
  return sameFingerprint(tree.fingerprint(from, to), run.fingerprint)
}
