import { afterAll, describe, expect, it } from 'vitest'
import { FingerprintTree } from '../../core/sync/fingerprint-tree.ts'
import { sameFingerprint } from '../../core/sync/fingerprint.ts'
import { CLOUD } from '../author.ts'
import { runSeed } from '../scenarios/run.ts'
import { SharedVerifier } from '../verifier.ts'
import { futureAccepted } from './future-accepted.ts'
import { holderRule } from './holder-rule.ts'
import { lostPush } from './lost-push.ts'
import { noTombstones } from './no-tombstones.ts'
import { trustedSegment } from './trusted-segment.ts'
import { unsignedAccepted } from './unsigned-accepted.ts'
import { craftedSets, xorFingerprints, xorOf } from './xor-fingerprints.ts'

const BUGS = [
  noTombstones,
  xorFingerprints,
  holderRule,
  futureAccepted,
  unsignedAccepted,
  lostPush,
  trustedSegment,
]
/** More would mean that it is found by luck. */
const MOST_SEEDS = 40

describe('a planted bug', { timeout: 120_000 }, () => {
  const took: string[] = []
  afterAll(() => console.log(`planted bugs, seeds until found: ${took.join('; ')}`))

  it.each(BUGS)('is found: $name', ({ name, plant, machines, change, prepare, foundBy }) => {
    for (let seed = 1; seed <= MOST_SEEDS; seed++) {
      const { findings } = runSeed({
        seed,
        machines,
        plant,
        ...(change === undefined ? {} : { change }),
        ...(prepare === undefined ? {} : { prepare }),
      })
      const [finding] = findings
      if (finding === undefined) continue
      took.push(`${name} ${seed}`)
      expect(foundBy).toContain(finding.check)
      return
    }
    expect.fail(`not found in ${MOST_SEEDS} seeds`)
  })

  it.each(BUGS)('is what was found: without it, the same seeds are clean: $name', (bug) => {
    const { machines, change, prepare } = bug
    const { findings } = runSeed({
      seed: 1,
      machines,
      ...(change === undefined ? {} : { change }),
      ...(prepare === undefined ? {} : { prepare }),
    })
    expect(findings).toEqual([])
  })

  it('made of XOR fools XOR, and no sum', () => {
    const [left, right] = craftedSets(new SharedVerifier(CLOUD))
    expect(sameFingerprint(xorOf(left), xorOf(right))).toBe(true)
    const sum = (records: typeof left): FingerprintTree =>
      FingerprintTree.of(records.map(({ item }) => item))
    expect(sameFingerprint(sum(left).fingerprint(), sum(right).fingerprint())).toBe(false)
  })
})
