import { expect, it } from 'vitest'
import { DialList, MAX_WANTED } from './dial-list.ts'

const OWN = 'm'
const LESSER = 'a'
const GREATER = 'z'
const NONE: ReadonlySet<string> = new Set()
const MINUTE_MS = 60_000

/** When the machine is dialled, within so long. */
function dialTimes(list: DialList, endMs: number, linked = NONE): number[] {
  const times: number[] = []
  for (;;) {
    const nextMs = list.nextMs(linked)
    if (nextMs === null || nextMs > endMs) return times
    times.push(...list.takeDue(nextMs, linked).due.map(() => nextMs))
  }
}

it('the intervals double up to five minutes', () => {
  const list = new DialList(OWN)
  list.want(LESSER, 0, NONE)
  const seconds = dialTimes(list, 29 * MINUTE_MS).map((timeMs) => timeMs / 1_000)
  expect(seconds).toEqual([0, 5, 15, 35, 75, 155, 315, 615, 915, 1_215, 1_515])
})

it('the side with the lesser key begins later, and waits half as long again', () => {
  const list = new DialList(OWN)
  list.want(GREATER, 0, NONE)
  const seconds = dialTimes(list, 3 * MINUTE_MS).map((timeMs) => timeMs / 1_000)
  expect(seconds).toEqual([5, 12.5, 27.5, 57.5, 117.5])
})

it('who is not wanted again for half an hour is forgotten', () => {
  const list = new DialList(OWN)
  list.want(LESSER, 0, NONE)
  list.want(LESSER, MINUTE_MS, NONE)
  expect(list.takeDue(31 * MINUTE_MS - 1, NONE).forgotten).toEqual([])
  expect(list.nextMs(NONE)).toBe(31 * MINUTE_MS)
  expect(list.takeDue(31 * MINUTE_MS, NONE)).toEqual({ due: [], forgotten: [LESSER] })
  expect([list.size, list.has(LESSER), list.nextMs(NONE)]).toEqual([0, false, null])
})

it('who is linked is neither dialled nor forgotten', () => {
  const list = new DialList(OWN)
  const linked = new Set([LESSER])
  list.want(LESSER, 0, NONE)
  expect(list.reached(LESSER, 0)).toBe(true)
  expect(list.reached('nobody', 0)).toBe(false)
  expect(list.nextMs(linked)).toBeNull()
  expect(list.takeDue(60 * MINUTE_MS, linked)).toEqual({ due: [], forgotten: [] })
  expect(list.has(LESSER)).toBe(true)
})

it('a link of fifteen seconds that is lost begins everything anew, a shorter one nothing', () => {
  for (const [key, firstMs] of [
    [LESSER, 0],
    [GREATER, 5_000],
  ] as const) {
    const list = new DialList(OWN)
    list.want(key, 0, NONE)
    dialTimes(list, 100_000)
    const beforeMs = list.nextMs(NONE)
    list.lost(key, 100_000)
    list.lost('nobody', 100_000)
    list.reached(key, 100_000)
    list.lost(key, 114_999)
    expect(list.nextMs(NONE)).toBe(beforeMs)
    list.lost(key, 115_000)
    expect(list.nextMs(NONE)).toBe(115_000 + firstMs)
    const [first = 0, second = 0] = dialTimes(list, 130_000)
    expect(first).toBe(115_000 + firstMs)
    expect(second - first).toBe(key === LESSER ? 5_000 : 7_500)
    // The want is as long as a new one, too.
    dialTimes(list, 115_000 + 30 * MINUTE_MS - 1)
    expect(list.has(key)).toBe(true)
  }
})

it('everything begins anew in another network, once in five seconds, but for who is linked', () => {
  const list = new DialList(OWN)
  const linked = new Set(['linked'])
  for (const machine of [LESSER, GREATER, 'linked']) list.want(machine, 0, NONE)
  dialTimes(list, 400_000)
  list.beginAnew(400_000, linked)
  expect(list.takeDue(400_000, linked).due).toEqual([LESSER])
  for (let nowMs = 400_100; nowMs < 405_000; nowMs += 100) {
    list.beginAnew(nowMs, linked)
    expect(list.takeDue(nowMs, linked).due).toEqual([])
  }
  expect(list.takeDue(405_000, linked).due).toEqual([LESSER, GREATER])
  list.beginAnew(405_100, linked)
  expect(list.takeDue(405_100, linked).due).toEqual([LESSER])
  expect(list.takeDue(405_100, NONE).due).toEqual([])
})

it('the next time is the soonest of all', () => {
  const list = new DialList(OWN)
  list.want('y', 1_000, NONE)
  list.want(GREATER, 0, NONE)
  expect(list.nextMs(NONE)).toBe(5_000)
  expect(list.nextMs(new Set([GREATER]))).toBe(6_000)
})

it('who was dialled in vain most often, and never linked, makes room first', () => {
  const list = new DialList(OWN)
  list.want('known', 0, NONE)
  list.reached('known', 0)
  list.want('tried', 0, NONE)
  list.want('tried more', 0, NONE)
  list.takeDue(10_000, new Set(['known', 'tried']))
  for (let number = 3; number < MAX_WANTED; number++) list.want(`b${number}`, 10_000, NONE)
  expect(list.size).toBe(MAX_WANTED)
  expect(list.want('c1', 10_000, NONE)).toEqual(['tried more'])
  expect(list.want('c2', 10_000, new Set(['tried']))).toEqual(['b3'])
  const all = { has: () => true }
  expect(list.want('c3', 10_000, all)).toEqual([])
  expect(list.has('c3')).toBe(false)
  const others = { has: (machine: string) => machine !== 'known' }
  expect(list.want('c4', 10_000, others)).toEqual(['known'])
})

it('among those that were tried as often, the first makes room, and linked ones last of all', () => {
  const fill = (list: DialList): void => {
    for (let n = list.size; n < MAX_WANTED; n++) list.want(`b${n}`, 0, NONE)
  }
  const list = new DialList(OWN)
  for (const machine of ['one', 'two']) list.want(machine, 0, NONE)
  fill(list)
  expect(list.want('c1', 0, NONE)).toEqual(['one'])
  // Linked once, it stays, though it was tried more than all others; also when it stands first.
  const other = new DialList(OWN)
  for (const machine of ['first', 'a', 'once']) {
    other.want(machine, 0, NONE)
    if (machine !== 'a') other.reached(machine, 0)
  }
  other.takeDue(10_000, { has: (machine) => machine === 'a' })
  fill(other)
  expect(other.want('c1', 0, NONE)).toEqual(['a'])
  const none = { has: (machine: string) => machine.startsWith('b') || machine === 'c1' }
  expect(other.want('c2', 0, none)).toEqual(['first'])
  // Of those that were linked once, the one that was tried more.
  const third = new DialList(OWN)
  for (const machine of ['less', 'more']) {
    third.want(machine, 0, NONE)
    third.reached(machine, 0)
  }
  third.takeDue(10_000, new Set(['less']))
  fill(third)
  const two = { has: (machine: string) => machine !== 'less' && machine !== 'more' }
  expect(third.want('c1', 0, two)).toEqual(['more'])
})
