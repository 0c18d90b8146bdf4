import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyOf } from '../../testing/entries.ts'
import { MAX_KNOWN } from './known-machines.ts'
import { DIGEST_CHARS, KnownSummary, MAX_NAMED, PARTS } from './known-summary.ts'
import type { Named } from './known-summary.ts'

/** What each of both lacks, after all that they say to each other. */
function exchange(a: readonly Named[], b: readonly Named[]): { a: string[]; b: string[] } {
  const [one, other] = [new KnownSummary(a), new KnownSummary(b)]
  return {
    a: one.differing(other.digests).flatMap((named) => other.lackedBy(named)),
    b: other.differing(one.digests).flatMap((named) => one.lackedBy(named)),
  }
}

const keys = Array.from({ length: 40 }, (_, at) => keyOf(`machine ${at}`))

describe('what two machines know', () => {
  it('is told in whole where they differ, and not at all where they do not', () => {
    const sets = fc.array(fc.tuple(fc.constantFrom(...keys), fc.nat(3)), { maxLength: 60 })
    fc.assert(
      fc.property(sets, sets, (some, more) => {
        const [a, b] = [new Map(some), new Map(more)]
        const lacks = (mine: Map<string, number>, theirs: Map<string, number>): string[] =>
          [...theirs].filter(([key, at]) => (mine.get(key) ?? -1) < at).map(([key]) => key)
        const said = exchange([...a], [...b])
        expect(said.a.toSorted()).toEqual(lacks(a, b).toSorted())
        expect(said.b.toSorted()).toEqual(lacks(b, a).toSorted())
        expect(new KnownSummary(a).differing(new KnownSummary(a).digests)).toEqual([])
      }),
    )
  })

  it('is the same in whatever order it came', () => {
    const known = keys.map((key, at): Named => [key, at])
    expect(new KnownSummary(known.toReversed()).digests).toEqual(new KnownSummary(known).digests)
  })

  it('costs names of the parts that differ, and of no others', () => {
    const known = keys.map((key): Named => [key, 1])
    const [first] = keys
    const newer = known.map(([key, at]): Named => [key, key === first ? 2 : at])
    const [message, ...more] = new KnownSummary(known).differing(new KnownSummary(newer).digests)
    expect(more).toEqual([])
    expect(message!.parts).toHaveLength(1)
    expect(message!.known.length).toBeLessThan(8)
    expect(message!.known.every(([key]) => key.startsWith(first!.charAt(0)))).toBe(true)
  })

  it('has one form, from which others can compare', () => {
    const { digests } = new KnownSummary([
      ['yyyy', 7],
      ['ynnn', 1_700_000_000_000],
      ['9999', 1],
    ])
    expect(digests).toHaveLength(PARTS)
    expect(digests.every((digest) => digest.length === DIGEST_CHARS)).toBe(true)
    // `dharma/known/1`, a line feed, and `ynnn 1700000000000`, a line feed, `yyyy 7`; `9999 1`; and nothing.
    expect([digests[0], digests[31], digests[1]]).toEqual([
      '40ed4c42da761c309bc771a1179269c5',
      'cef05c20f237790adc2a625b13a35213',
      'bb67d5720589f8cf646dafb5a5c18f30',
    ])
  })

  const many = (letter: string, count: number): Named[] =>
    Array.from({ length: count }, (_, at): Named => [`${letter}${at}`, 1])

  it('is told in messages of at most so many names', () => {
    const known = [...many('y', MAX_NAMED), ...many('b', 1), ...many('n', 2)]
    const messages = new KnownSummary(known).differing(new KnownSummary([]).digests)
    expect(messages.map((message) => message.known.length)).toEqual([MAX_NAMED, 3])
    expect(messages.map(({ parts }) => parts)).toEqual([[0], [1, 2]])
  })

  it('is told in whole when all that a machine can know is of one part', () => {
    const invented = many('y', MAX_KNOWN)
    expect(exchange([...invented, ['yours', 1]], [...invented, ['ymine', 1]])).toEqual({
      a: ['ymine'],
      b: ['yours'],
    })
  })

  it('is told of each part once, whatever the other side names, and of names without a letter', () => {
    const summary = new KnownSummary([
      ['yy', 1],
      ['?', 1],
      ['', 1],
    ])
    expect(summary.lackedBy({ parts: [0, 0, 99, -1], known: [] }).toSorted()).toEqual([
      '',
      '?',
      'yy',
    ])
    expect(summary.lackedBy({ parts: [1], known: [] })).toEqual([])
  })
})
