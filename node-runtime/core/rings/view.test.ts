import { describe, expect, it } from 'vitest'
import { positionsOf } from './place.ts'
import type { Member } from './ring-events.ts'
import { KEPT_PER_SIDE, MAX_VIEW, STALE_MS, View } from './view.ts'

/** The view grows by so many before some are let go. */
const SLACK = 32

function memberOf(machine: string, incarnation = 1): Member {
  return { machine, at: positionsOf(machine), incarnation, network: null }
}

const own = memberOf('own')
const names = (members: Iterable<Member>): string[] => [...members].map(({ machine }) => machine)

/** A view that has heard of so many, each a ms later than the one before. */
function viewOf(count: number): View {
  const view = new View(own)
  for (let i = 0; i < count; i++) view.learn(memberOf(`m${i}`), i, count)
  return view
}

describe('who is known', () => {
  it('is not this machine itself, whoever vouches for it', () => {
    const view = new View(own)
    view.learn(memberOf('own', 9), 0, 0)
    view.meet(memberOf('own', 9), 0)
    view.miss('own', 0)
    expect(view.size).toBe(0)
    expect(view.rings.size).toBe(0)
    expect(view.get('own')).toBe(own)
    expect(view.get('other')).toBeUndefined()
  })

  it('was vouched for not too long ago', () => {
    const view = new View(own)
    view.learn(memberOf('late'), 1_000, STALE_MS + 1_001)
    view.learn(memberOf('just'), 1_000, STALE_MS + 1_000)
    expect(names(view.rings.all())).toEqual(['just'])
  })

  it('stays known as long as anybody vouches for it, and is as old as the latest says', () => {
    const view = new View(own)
    view.learn(memberOf('x'), 5_000, 5_000)
    view.learn(memberOf('x'), 1_000, 6_000)
    // A newer entry says nothing of when somebody had a link with it.
    view.learn(memberOf('x', 2), 2_000, 6_000)
    view.tidy([], 5_000 + STALE_MS)
    expect(view.get('x')?.incarnation).toBe(2)
    view.learn(memberOf('x', 2), 9_000, 9_000)
    view.tidy([], 9_000 + STALE_MS)
    expect(view.size).toBe(1)
    view.tidy([], 9_001 + STALE_MS)
    expect(view.size).toBe(0)
  })

  it('stays known while there is a link with it', () => {
    const view = viewOf(2)
    view.tidy(['m1', 'unknown'], STALE_MS)
    view.tidy([], 2 * STALE_MS)
    expect(names(view.rings.all())).toEqual(['m1'])
  })

  it('is what its newest entry says, though who opens a link may show an older one', () => {
    const view = new View(own)
    view.meet(memberOf('x', 3), 0)
    view.meet(memberOf('x', 2), 0)
    expect(view.get('x')?.incarnation).toBe(3)
    view.meet(memberOf('x', 4), 0)
    expect(view.get('x')?.incarnation).toBe(4)
    const again = { ...memberOf('x', 4), network: '10.1' }
    view.meet(again, 0)
    expect(view.get('x')?.network).toBeNull()
  })
})

describe('who was missed', () => {
  it('counts no more, and is named', () => {
    const view = viewOf(3)
    view.miss('m1', 10)
    view.miss('unknown', 10)
    expect(names(view.rings.all())).toEqual(['m0', 'm2'])
    expect(names(view.missed)).toEqual(['m1'])
    expect(view.size).toBe(3)
    view.meet(memberOf('m1'), 20)
    expect(view.missed).toEqual([])
  })

  it('is not tried because somebody saw it at the very moment, nor while it counts', () => {
    const view = new View(own)
    view.meet(memberOf('x'), 1_000)
    expect(view.takeDoubtful(60_000)).toEqual([])
    view.miss('x', 5_000)
    view.learn(memberOf('x'), 5_000, 5_000)
    expect(view.takeDoubtful(60_000)).toEqual([])
    view.learn(memberOf('x'), 5_001, 5_001)
    expect(names(view.takeDoubtful(9_999))).toEqual([])
    expect(names(view.takeDoubtful(10_000))).toEqual(['x'])
  })
})

describe('a view that is full', () => {
  it('lets nobody go before it has outgrown its end', () => {
    const view = viewOf(MAX_VIEW + SLACK)
    view.tidy([], MAX_VIEW + SLACK)
    expect(view.size).toBe(MAX_VIEW + SLACK)
  })

  it('lets go whom nobody has vouched for longest, and none that is near or linked', () => {
    const count = MAX_VIEW + SLACK + 1
    const view = viewOf(count)
    const near = names(view.rings.near(own, KEPT_PER_SIDE))
    // Two that are far, and as old as any.
    const linked = names(
      [...view.rings.all()].filter(({ machine }) => !near.includes(machine)).slice(0, 2),
    )
    const before = names(view.rings.all())
    view.tidy(new Set(linked), count)
    expect(view.size).toBe(MAX_VIEW)
    const free = before.filter((name) => !near.includes(name) && !linked.includes(name))
    const gone = before.filter((name) => !view.rings.has(name))
    expect(gone).toEqual(free.slice(0, count - MAX_VIEW))
  })

  it('forgets by age, not by when it first heard', () => {
    const view = new View(own)
    const count = MAX_VIEW + SLACK + 1
    for (let i = 0; i < count; i++) view.learn(memberOf(`m${i}`), count - i, count)
    const near = names(view.rings.near(own, KEPT_PER_SIDE))
    view.tidy([], count)
    const free = Array.from({ length: count }, (_, i) => `m${i}`).filter(
      (name) => !near.includes(name),
    )
    expect(free.filter((name) => !view.rings.has(name))).toEqual(free.slice(MAX_VIEW - count))
  })
})

describe('a liar that invents machines', () => {
  const MET = 40
  /** A view that met some a while ago, and was told of many more, each seen just now. */
  function misled(): View {
    const view = new View(own)
    for (let i = 0; i < MET; i++) view.meet(memberOf(`met ${i}`), i)
    const nowMs = 60_000
    for (let i = 0; i < 1_000; i++) view.learn(memberOf(`invented ${i}`), nowMs, nowMs)
    return view
  }

  it('crowds out none that this machine met, until that is long ago', () => {
    const view = misled()
    view.tidy([], 60_000)
    expect(view.size).toBe(MAX_VIEW)
    const met = names(view.rings.all()).filter((name) => name.startsWith('met'))
    expect(met).toHaveLength(MET)

    const lateMs = STALE_MS + 100
    for (let i = 0; i < MET; i++) view.learn(memberOf(`met ${i}`), 90_000, 90_000)
    for (let i = 0; i < 1_000; i++) view.learn(memberOf(`invented ${i}`), lateMs, lateMs)
    view.tidy([], lateMs)
    const near = names(view.rings.near(own, KEPT_PER_SIDE))
    const left = names(view.rings.all()).filter(
      (name) => name.startsWith('met') && !near.includes(name),
    )
    expect(left).toEqual([])
  })

  it('keeps those from being let go that there are links with', () => {
    const view = misled()
    view.tidy(['met 3'], STALE_MS - 100)
    const lateMs = STALE_MS + 100
    for (let i = 0; i < 1_000; i++) view.learn(memberOf(`invented ${i}`), lateMs, lateMs)
    view.tidy([], lateMs)
    expect(names(view.rings.all())).toContain('met 3')
  })
})

describe('how many machines there are', () => {
  it('is counted while all fit in, and told by how thick they stand beyond that', () => {
    expect(new View(own).machines).toBe(1)
    expect(viewOf(62).machines).toBe(63)
    const many = viewOf(63)
    expect(many.machines).toBe(many.rings.estimate(own, KEPT_PER_SIDE))
    expect(many.machines).not.toBe(64)
  })
})

describe('what is told to another', () => {
  it('is who stands near it, and how long ago somebody had a link with them', () => {
    const view = viewOf(40)
    const asking = memberOf('m7')
    const told = view.tell(asking, 0, () => 0, 1_000)
    const near = names(view.rings.near(asking, 2))
    expect(names(told.map(({ member }) => member)).toSorted()).toEqual(near.toSorted())
    expect(near).not.toContain('m7')
    for (const { member, ageMs } of told) {
      expect(ageMs).toBe(1_000 - Number(member.machine.slice(1)))
    }
  })

  it('is also so many by chance, the asking one left out', () => {
    const view = viewOf(400)
    const asking = memberOf('m7')
    const near = names(view.rings.near(asking, 2))
    const all = names(view.rings.all())
    const far = [0.2, 0.4, 0.6, 0.8].map((chance) => all[Math.floor(chance * all.length)]!)
    const chances = [0.2, 0.4, 0.6, 0.8, 0.9].values()
    const told = view.tell(asking, 4, () => chances.next().value as number, 1_000)
    expect(new Set(names(told.map(({ member }) => member)))).toEqual(new Set([...near, ...far]))
    const itself = all.indexOf('m7') / all.length
    expect(
      names(view.tell(asking, 1, () => itself + 1e-9, 1_000).map(({ member }) => member)),
    ).not.toContain('m7')
  })

  it('is nothing where nobody is known, and never from the future', () => {
    const view = new View(own)
    expect(view.tell(memberOf('a'), 4, () => 0, 0)).toEqual([])
    view.meet(memberOf('b'), 5_000)
    expect(view.tell(memberOf('a'), 4, () => 0.5, 4_000)).toEqual([
      { member: memberOf('b'), ageMs: 0 },
    ])
  })
})
