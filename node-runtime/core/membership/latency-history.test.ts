import { describe, expect, it } from 'vitest'
import { LatencyHistory } from './latency-history.ts'

describe('the history of a latency', () => {
  it('is the mean of each stretch of ten seconds, with gaps where nothing was heard', () => {
    const history = new LatencyHistory(1_000)
    history.note(10, 1_500)
    history.note(20, 10_900)
    history.note(40, 31_000)
    expect(history.at(31_100)).toEqual([15, null, null, 40])
    expect(history.at(41_000)).toEqual([15, null, null, 40, null])
  })

  it('has the last ten minutes, and nothing of before a long sleep', () => {
    const history = new LatencyHistory(0)
    for (let second = 0; second < 1_000; second++) history.note(second, second * 1_000)
    const kept = history.at(999_000)
    expect(kept).toHaveLength(60)
    expect([kept[0], kept.at(-1)]).toEqual([404.5, 994.5])
    const late = history.at(1e12)
    expect(late).toHaveLength(60)
    expect(late.every((mean) => mean === null)).toBe(true)
    history.note(7, 1e12 + 1)
    expect(history.at(1e12 + 1).at(-1)).toBe(7)
  })
})
