import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatVersion } from '../db/hybrid-clock.ts'
import { FingerprintTree } from './fingerprint-tree.ts'
import { keyItem } from './item.ts'
import type { Item } from './item.ts'
import { cutRuns, holdsRun } from './runs.ts'

const SIZES = { least: 4, endZeroBits: 3, most: 8 }

/** Items in order, by the last word of their ids. */
function itemsOf(...lastWords: number[]): Item[] {
  return lastWords.map((word, i) => ({
    version: formatVersion({ timeMs: 1000 + i, counter: 0 }),
    id: word.toString(16).padStart(64, '1'),
  }))
}

/** Where the runs of such items begin and end. */
function ends(items: Item[], sizes = SIZES): [from: number, to: number][] {
  const rank = new Map(items.map(({ id, version }, i) => [version + id, i]))
  return cutRuns(FingerprintTree.of(items), sizes).map(({ from, to, fingerprint }) => {
    const [first, last] = [from, to].map((key) => {
      const { version, id } = keyItem(key)
      return rank.get(version + id)!
    })
    expect(fingerprint.count).toBe(last! - first! + 1)
    return [first!, last!]
  })
}

describe('the order of records is cut', () => {
  const [END, NO] = [0x10, 0x11]
  it('at the first id that ends in zero bits, from the least length on', () => {
    expect(ends(itemsOf(END, END, END, END, END, END, END))).toEqual([[0, 3]])
    expect(ends(itemsOf(END, END, NO, NO, NO, END, NO, NO, NO, END))).toEqual([
      [0, 5],
      [6, 9],
    ])
  })

  it('at the most length, if no id says so before', () => {
    expect(ends(itemsOf(...Array.from({ length: 8 }, () => NO)))).toEqual([[0, 7]])
    expect(ends(itemsOf(...Array.from({ length: 7 }, () => NO)))).toEqual([])
    expect(ends(itemsOf(...Array.from({ length: 8 }, () => NO), END, END, END, END))).toEqual([
      [0, 7],
      [8, 11],
    ])
  })

  it('not where nothing says that it ends', () => {
    expect(ends([])).toEqual([])
    expect(ends(itemsOf(END, END, END))).toEqual([])
    expect(ends(itemsOf(END, END, END, NO))).toEqual([])
  })

  it('by so many bits as are asked for', () => {
    expect(ends(itemsOf(NO, NO, NO, 0x14, 0x18))).toEqual([[0, 4]])
    expect(ends(itemsOf(NO, NO, NO, 0x14, 0x18), { ...SIZES, endZeroBits: 2 })).toEqual([[0, 3]])
  })

  it('alike by all who hold the same at the beginning', () => {
    const words = fc.array(fc.nat(64), { maxLength: 60, size: 'max' })
    fc.assert(
      fc.property(words, words, (same, more) => {
        const short = ends(itemsOf(...same))
        expect(ends(itemsOf(...same, ...more)).slice(0, short.length)).toEqual(short)
      }),
    )
  })
})

it('a run is held by who holds exactly its records', () => {
  const items = itemsOf(1, 2, 3, 4, 5, 6, 7, 8, 9)
  const [run] = cutRuns(FingerprintTree.of(items), SIZES)
  const holds = (held: Item[]): boolean => holdsRun(FingerprintTree.of(held), run!)
  expect(holds(items)).toBe(true)
  expect(holds(items.slice(0, 8))).toBe(true)
  // Without its last one, another that comes before the end, one less, and nothing at all.
  expect(holds(items.slice(0, 7))).toBe(false)
  expect(holds([...items, { ...items[3]!, id: 'f'.repeat(64) }])).toBe(false)
  expect(holds(items.slice(1))).toBe(false)
  expect(holds([])).toBe(false)
  // Another one in the place of one.
  expect(
    holds([...items.slice(0, 3), { ...items[3]!, id: 'f'.repeat(64) }, ...items.slice(4)]),
  ).toBe(false)
})
