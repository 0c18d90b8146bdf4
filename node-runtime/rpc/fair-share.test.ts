import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CALL_COST, FairShare, MAX_DEBT, TURN_WORTH } from './fair-share.ts'
import type { ShareLimits, Waiting } from './fair-share.ts'

const LIMITS: ShareLimits = {
  weight: 1,
  runningCalls: 10,
  runningLength: 1_000_000,
  queuedCalls: 100,
  queuedLength: 10_000,
}

function limits(changed: Partial<ShareLimits> = {}): ShareLimits {
  return { ...LIMITS, ...changed }
}

/** Works on all that may begin, one at a time. */
function serve(queue: FairShare<string>, most = Infinity): string[] {
  const served: string[] = []
  while (served.length < most) {
    const next = queue.next()
    if (next === null) break
    served.push(next.job)
    queue.finish(next)
  }
  return served
}

/** Begins all that may begin, and ends none of it. */
function begin(queue: FairShare<string>): Waiting<string>[] {
  const begun: Waiting<string>[] = []
  for (let next = queue.next(); next !== null; next = queue.next()) begun.push(next)
  return begun
}

describe('what waits of a share', () => {
  test('is at most half of what may wait: in number, in length, and of no other', () => {
    const queue = new FairShare<string>(10)
    expect(queue.isHalfEmpty('a')).toBe(true)
    for (let n = 0; n < 50; n++) queue.offer('a', LIMITS, 'short', 1)
    expect(queue.isHalfEmpty('a')).toBe(true)
    const one = queue.offer('a', LIMITS, 'short', 1)!
    expect(queue.isHalfEmpty('a')).toBe(false)
    queue.withdraw(one)
    expect(queue.isHalfEmpty('a')).toBe(true)
    queue.offer('b', LIMITS, 'long', 5_000)
    expect(queue.isHalfEmpty('b')).toBe(true)
    queue.offer('b', LIMITS, 'long', 1)
    expect(queue.isHalfEmpty('b')).toBe(false)
    expect(queue.isHalfEmpty('a')).toBe(true)
  })
})

describe('the order of service', () => {
  test('within a share is that of arrival', () => {
    const queue = new FairShare<string>(10)
    for (const job of ['1', '2', '3']) queue.offer('a', LIMITS, job, 10)
    expect(serve(queue)).toEqual(['1', '2', '3'])
  })

  test('a share that floods makes another wait for one turn, not for its queue', () => {
    const queue = new FairShare<string>(10)
    for (let n = 0; n < 100; n++) queue.offer('flood', LIMITS, 'flood', 0)
    expect(serve(queue, 10)).toHaveLength(10)
    queue.offer('calm', LIMITS, 'calm', 0)
    expect(serve(queue, 10).indexOf('calm')).toBeLessThanOrEqual(TURN_WORTH / CALL_COST)
    // Nor does it wait longer the second time.
    queue.offer('calm', LIMITS, 'calm', 0)
    expect(serve(queue, 10).indexOf('calm')).toBeLessThanOrEqual(TURN_WORTH / CALL_COST)
  })

  test('two shares that both have much to do take turns', () => {
    const queue = new FairShare<string>(10)
    for (let n = 0; n < 6; n++) queue.offer('a', LIMITS, 'a', 0)
    for (let n = 0; n < 6; n++) queue.offer('b', LIMITS, 'b', 0)
    expect(serve(queue).join('')).toBe('aabbaabbaabb')
  })

  test('a share gets as many characters as another, not as many calls', () => {
    const queue = new FairShare<string>(10)
    const large = limits({ queuedLength: Infinity })
    for (let n = 0; n < 10; n++) queue.offer('large', large, 'L', 9 * CALL_COST)
    for (let n = 0; n < 100; n++) queue.offer('small', LIMITS, 's', 0)
    const served = serve(queue, 55)
    expect(served.filter((job) => job === 'L').length).toBeGreaterThanOrEqual(4)
    expect(served.filter((job) => job === 'L').length).toBeLessThanOrEqual(6)
  })

  test('a share of twice the weight gets twice as much', () => {
    const queue = new FairShare<string>(10)
    for (let n = 0; n < 60; n++) queue.offer('a', LIMITS, 'a', 0)
    for (let n = 0; n < 60; n++) queue.offer('b', limits({ weight: 2 }), 'b', 0)
    const served = serve(queue, 60)
    expect(served.filter((job) => job === 'b')).toHaveLength(40)
  })

  test('large answers count afterwards, up to a limit', () => {
    const queue = new FairShare<string>(10)
    const first = queue.offer('a', LIMITS, 'a', 0)
    expect(queue.next()).toBe(first)
    queue.charge('a', 100 * MAX_DEBT)
    queue.finish(first!)
    for (let n = 0; n < 10; n++) queue.offer('a', LIMITS, 'a', 0)
    const many = limits({ queuedCalls: Infinity })
    for (let n = 0; n < 1000; n++) queue.offer('b', many, 'b', 0)
    const waited = serve(queue).indexOf('a')
    expect(waited).toBeGreaterThan((MAX_DEBT / CALL_COST) * 0.9)
    expect(waited).toBeLessThan((MAX_DEBT / CALL_COST) * 1.1)
  })

  test('nobody saves up turns while having nothing to do', () => {
    const queue = new FairShare<string>(100)
    const heavy = limits({ weight: 8, runningCalls: 100 })
    queue.offer('a', heavy, 'a', 0)
    expect(begin(queue)).toHaveLength(1)
    for (let n = 0; n < 40; n++) queue.offer('a', heavy, 'a', 0)
    queue.offer('b', LIMITS, 'b', 0)
    const [before] = [begin(queue).findIndex(({ job }) => job === 'b')]
    expect(before).toBe((8 * TURN_WORTH) / CALL_COST)
  })

  test('a debt is not forgiven for having nothing to do', () => {
    const queue = new FairShare<string>(100)
    const many = limits({ queuedCalls: 1000, runningCalls: 1000 })
    for (const job of ['1', '2']) queue.offer('a', many, job, 0)
    expect(queue.next()?.job).toBe('1')
    queue.charge('a', 10 * TURN_WORTH)
    expect(begin(queue).map(({ job }) => job)).toEqual(['2'])
    queue.charge('a', 10 * TURN_WORTH)
    queue.offer('a', many, '3', 0)
    for (let n = 0; n < 50; n++) queue.offer('b', many, 'b', 0)
    expect(serve(queue).indexOf('3')).toBeGreaterThan(15)
  })

  test('an answer that comes when its share is forgotten leaves no debt', () => {
    const queue = new FairShare<string>(10)
    queue.charge('a', 10 * TURN_WORTH)
    for (const job of ['a', 'b', 'a', 'b', 'a', 'b']) queue.offer(job, LIMITS, job, 0)
    expect(serve(queue).join('')).toBe('aabbab')
  })
})

describe('the limits', () => {
  test('of large calls one is worked on at once, of small ones as many as may be', () => {
    const queue = new FairShare<string>(100)
    const large = limits({ runningLength: 1000, queuedLength: Infinity })
    for (const job of ['1', '2', '3']) queue.offer('large', large, job, 5000)
    for (const job of ['4', '5', '6', '7']) queue.offer('small', large, job, 300)
    const begun = begin(queue)
    expect(begun.map(({ job }) => job).sort()).toEqual(['1', '4', '5', '6'])
    for (const each of begun) queue.finish(each)
    expect(
      begin(queue)
        .map(({ job }) => job)
        .sort(),
    ).toEqual(['2', '7'])
  })

  test('calls that are just as long together as may be are worked on at once, and none beyond', () => {
    const queue = new FairShare<string>(100)
    for (const job of ['1', '2', '3']) queue.offer('a', limits({ runningLength: 1000 }), job, 500)
    expect(begin(queue).map(({ job }) => job)).toEqual(['1', '2'])
  })

  test('calls that had large answers are expected to have them again, for a while', () => {
    const queue = new FairShare<string>(100)
    const small = limits({ runningLength: 1000 })
    const [first] = [queue.offer('a', small, 'first', 0)]
    expect(begin(queue)).toHaveLength(1)
    queue.charge('a', 3000)
    queue.finish(first!)
    for (let n = 0; n < 9; n++) queue.offer('a', small, String(n), 0)
    const running = begin(queue)
    expect(running).toHaveLength(1)
    // A few short ones are no reason to expect less.
    for (let n = 0; n < 8; n++) queue.charge('a', 10)
    queue.finish(running[0]!)
    const [still, ...others] = begin(queue)
    expect(others).toHaveLength(0)
    for (let n = 0; n < 60; n++) queue.charge('a', 10)
    queue.finish(still!)
    expect(begin(queue)).toHaveLength(2)
  })

  test('so many calls of a share are worked on at once', () => {
    const queue = new FairShare<string>(100)
    for (let n = 0; n < 5; n++) queue.offer('a', limits({ runningCalls: 2 }), 'a', 0)
    for (let n = 0; n < 5; n++) queue.offer('b', limits({ runningCalls: 3 }), 'b', 0)
    const begun = begin(queue).map(({ job }) => job)
    expect(begun.toSorted()).toEqual(['a', 'a', 'b', 'b', 'b'])
    expect(queue.next()).toBeNull()
  })

  test('a call that is done makes room for the next', () => {
    const queue = new FairShare<string>(100)
    for (const job of ['1', '2']) queue.offer('a', limits({ runningCalls: 1 }), job, 0)
    const [first] = begin(queue)
    expect(first?.job).toBe('1')
    queue.finish(first!)
    expect(begin(queue).map(({ job }) => job)).toEqual(['2'])
  })

  test('a share with nothing queued is remembered while it is worked for', () => {
    const queue = new FairShare<string>(100)
    const two = limits({ runningCalls: 2 })
    for (const job of ['1', '2']) queue.offer('a', two, job, 0)
    const begun = begin(queue)
    queue.finish(begun[0]!)
    for (const job of ['3', '4']) queue.offer('a', two, job, 0)
    expect(begin(queue).map(({ job }) => job)).toEqual(['3'])
    queue.finish(begun[1]!)
    expect(begin(queue).map(({ job }) => job)).toEqual(['4'])
  })

  test('so many calls of all shares are worked on at once', () => {
    const queue = new FairShare<string>(3)
    for (const name of ['a', 'b', 'c', 'd']) queue.offer(name, LIMITS, name, 0)
    const begun = begin(queue)
    expect(begun).toHaveLength(3)
    queue.finish(begun[0]!)
    expect(begin(queue)).toHaveLength(1)
  })

  test('so many calls of a share may wait', () => {
    const queue = new FairShare<string>(0)
    const two = limits({ queuedCalls: 2 })
    expect(queue.offer('a', two, '1', 0)).not.toBeNull()
    expect(queue.offer('a', two, '2', 0)).not.toBeNull()
    expect(queue.offer('a', two, '3', 0)).toBeNull()
    expect(queue.offer('b', two, '3', 0)).not.toBeNull()
  })

  test('so many characters of a share may wait, but one call always', () => {
    const queue = new FairShare<string>(1)
    const ten = limits({ queuedLength: 10 })
    expect(queue.offer('a', ten, '1', 11)).not.toBeNull()
    expect(queue.offer('a', ten, '2', 0)).toBeNull()
    const first = queue.next()
    queue.finish(first!)
    expect(queue.offer('a', ten, '3', 6)).not.toBeNull()
    expect(queue.offer('a', ten, '4', 4)).not.toBeNull()
    expect(queue.offer('a', ten, '5', 1)).toBeNull()
  })

  test('a call that was taken back is not worked on, and makes room', () => {
    const queue = new FairShare<string>(10)
    const two = limits({ queuedCalls: 2, queuedLength: 10 })
    const first = queue.offer('a', two, '1', 5)
    queue.offer('a', two, '2', 5)
    queue.withdraw(first!)
    queue.withdraw(first!)
    expect(queue.offer('a', two, '3', 5)).not.toBeNull()
    expect(serve(queue)).toEqual(['2', '3'])
    queue.withdraw(first!)
    expect(queue.isIdle).toBe(true)
  })

  test('it is idle when nothing waits and nothing is worked on', () => {
    const queue = new FairShare<string>(10)
    expect(queue.isIdle).toBe(true)
    const waiting = queue.offer('a', LIMITS, '1', 0)
    expect(queue.isIdle).toBe(false)
    expect(queue.next()).toBe(waiting)
    expect(queue.isIdle).toBe(false)
    queue.finish(waiting!)
    expect(queue.isIdle).toBe(true)
    const second = queue.offer('a', LIMITS, '2', 0)
    queue.withdraw(second!)
    expect(queue.isIdle).toBe(true)
  })
})

test('whatever comes, every call is worked on once, and no limit is passed', () => {
  const step = fc.oneof(
    fc.record({
      type: fc.constant('offer' as const),
      share: fc.integer({ min: 0, max: 3 }),
      length: fc.integer({ min: 0, max: 4000 }),
    }),
    fc.record({ type: fc.constant('begin' as const) }),
    fc.record({ type: fc.constant('finish' as const), index: fc.nat() }),
    fc.record({ type: fc.constant('withdraw' as const), index: fc.nat() }),
    fc.record({
      type: fc.constant('charge' as const),
      share: fc.integer({ min: 0, max: 3 }),
      length: fc.nat({ max: 2 * MAX_DEBT }),
    }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const queue = new FairShare<number>(5)
      // How long answers may be that are worked on at once has tests of its own.
      const some = limits({ runningCalls: 2, runningLength: Infinity, queuedCalls: 5 })
      let queued: Waiting<number>[] = []
      let running: Waiting<number>[] = []
      let job = 0
      const started = (): boolean => {
        const next = queue.next()
        if (next === null) return false
        expect(queued).toContain(next)
        queued = queued.filter((other) => other !== next)
        running.push(next)
        return true
      }
      const runningOf = (name: string): number =>
        running.filter(({ share }) => share === name).length
      for (const event of steps) {
        if (event.type === 'offer') {
          const waiting = queue.offer(String(event.share), some, job++, event.length)
          if (waiting !== null) queued.push(waiting)
        } else if (event.type === 'begin') {
          const mayBegin =
            running.length < 5 && queued.some(({ share }) => runningOf(share) < some.runningCalls)
          expect(started()).toBe(mayBegin)
        } else if (event.type === 'charge') {
          queue.charge(String(event.share), event.length)
        } else {
          const from = event.type === 'finish' ? running : queued
          const one = from[event.index % Math.max(1, from.length)]
          if (one === undefined) continue
          if (event.type === 'finish') {
            queue.finish(one)
            running = running.filter((other) => other !== one)
          } else {
            queue.withdraw(one)
            queued = queued.filter((other) => other !== one)
          }
        }
        expect(running.length).toBeLessThanOrEqual(5)
        for (const { share } of running) expect(runningOf(share)).toBeLessThanOrEqual(2)
      }
      for (const one of running.splice(0)) queue.finish(one)
      while (started()) for (const one of running.splice(0)) queue.finish(one)
      expect(queued).toEqual([])
      expect(queue.isIdle).toBe(true)
    }),
  )
})
