import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GRACE_MS, LinkPlan, MAX_LINKS } from './link-plan.ts'

function open(
  plan: LinkPlan,
  machine: string,
  dialled: boolean,
  nowMs = 0,
  network = machine,
): string[] {
  return plan.open(machine, { dialled, sinceMs: nowMs, network }, nowMs)
}

describe('which links are kept', () => {
  it('never more than sixteen, never more than eight that others dialled, neighbours before all', () => {
    const event = fc.record({
      machine: fc.nat(40).map((number) => `m${number}`),
      dialled: fc.boolean(),
      closes: fc.boolean(),
      afterMs: fc.nat(GRACE_MS),
    })
    const neighbours = fc.uniqueArray(
      fc.nat(40).map((number) => `m${number}`),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), neighbours, (events, beside) => {
        const plan = new LinkPlan()
        plan.neighbours = new Set(beside)
        let nowMs = 0
        for (const { machine, dialled, closes, afterMs } of events) {
          nowMs += afterMs
          if (closes) {
            plan.links.delete(machine)
            continue
          }
          if (plan.links.has(machine) || !plan.hasRoom(machine, dialled, machine)) continue
          const before = new Set(plan.links.keys())
          for (const released of open(plan, machine, dialled, nowMs)) {
            expect(beside).not.toContain(released)
            expect(before.has(released) || released === machine).toBe(true)
          }
          const links = [...plan.links.values()]
          expect(links.length).toBeLessThanOrEqual(MAX_LINKS)
          expect(links.filter((link) => !link.dialled).length).toBeLessThanOrEqual(MAX_LINKS / 2)
        }
      }),
    )
  })

  it('nobody goes for one that comes by chance, however long it has been there', () => {
    const plan = new LinkPlan()
    for (let i = 0; i < 4; i++) open(plan, `m${i}`, false)
    expect(plan.hasRoom('late', false, 'late')).toBe(false)
    for (let i = 4; i < MAX_LINKS; i++) open(plan, `m${i}`, true)
    expect(plan.hasRoom('late', true, 'late')).toBe(false)
    expect(plan.surplus(3_600_000)).toEqual([])
    expect(plan.links.size).toBe(MAX_LINKS)
  })

  it('no more come by chance than this machine dials, and two: else all dial until nobody has room', () => {
    const plan = new LinkPlan()
    const come = (count: number): number => {
      for (let i = 0; i < count; i++) {
        const machine = `c${plan.links.size}`
        if (plan.hasRoom(machine, false, machine)) open(plan, machine, false)
      }
      return [...plan.links.values()].filter(({ dialled }) => !dialled).length
    }
    expect(come(10)).toBe(4)
    for (let i = 0; i < 3; i++) open(plan, `d${i}`, true)
    expect(come(10)).toBe(5)
    for (let i = 3; i < 8; i++) open(plan, `d${i}`, true)
    expect(come(10)).toBe(8)
    // Whom it stands beside is no matter of chance.
    const few = new LinkPlan()
    few.neighbours = new Set(['n0', 'n1', 'n2', 'n3', 'n4', 'n5'])
    for (const neighbour of few.neighbours) {
      expect(few.hasRoom(neighbour, false, neighbour)).toBe(true)
      open(few, neighbour, false)
    }
    expect(few.links.size).toBe(6)
  })

  it('a neighbour always gets in', () => {
    const plan = new LinkPlan()
    for (let i = 0; i < MAX_LINKS; i++) open(plan, `m${i}`, i % 2 === 0)
    plan.neighbours = new Set(['beside'])
    expect(plan.hasRoom('beside', false, 'x')).toBe(true)
    expect(open(plan, 'beside', false)).toHaveLength(1)
    expect(plan.links.has('beside')).toBe(true)
    expect(plan.links.size).toBe(MAX_LINKS)
  })

  it('four of one network and no more, unless they are neighbours', () => {
    const plan = new LinkPlan()
    for (let i = 0; i < 4; i++) open(plan, `m${i}`, true, 0, '10.1')
    expect(plan.hasRoom('m9', false, '10.1')).toBe(false)
    expect(plan.isApart('10.1')).toBe(false)
    expect(plan.hasRoom('m9', false, '10.2')).toBe(true)
    // On this very computer nothing can be told apart.
    expect(plan.hasRoom('m9', false, null)).toBe(true)
    plan.neighbours = new Set(['m9'])
    expect(plan.hasRoom('m9', false, '10.1')).toBe(true)
  })

  it('some are dialled by chance, until others dialled no more than two more', () => {
    const plan = new LinkPlan()
    expect(plan.wantsChosen).toBe(true)
    open(plan, 'a', true)
    open(plan, 'b', true)
    expect(plan.wantsChosen).toBe(false)
    for (const machine of ['c', 'd', 'e', 'f']) open(plan, machine, false)
    expect(plan.wantsChosen).toBe(false)
    open(plan, 'g', false)
    expect(plan.wantsChosen).toBe(true)
  })

  it('in a small cloud sixteen, whoever dialled them and wherever they are', () => {
    const plan = new LinkPlan()
    plan.isWhole = true
    for (let i = 0; i < MAX_LINKS; i++) {
      expect(plan.wantsChosen).toBe(true)
      expect(plan.hasRoom(`m${i}`, false, '10.1')).toBe(true)
      expect(open(plan, `m${i}`, false, 0, '10.1')).toEqual([])
    }
    expect(plan.wantsChosen).toBe(false)
    expect(plan.hasRoom('more', true, '10.2')).toBe(false)
    expect(plan.hasRoom('more', true, '10.2')).toBe(false)
    expect(plan.hasRoom('m3', false, '10.1')).toBe(true)
    // Grown larger, it keeps half of them, and of one network four.
    plan.isWhole = false
    plan.neighbours = new Set(['m15', 'm14', 'm13', 'm12', 'm11', 'm10'])
    expect(plan.surplus(0)).toHaveLength(8)
    expect([...plan.links.keys()]).toEqual([
      ...['m0', 'm1'],
      ...['m10', 'm11', 'm12', 'm13', 'm14', 'm15'],
    ])
  })

  it('as many as find room of this very computer, where networks can’t be told apart', () => {
    const plan = new LinkPlan()
    for (let i = 0; i < MAX_LINKS; i++) {
      expect(plan.isApart(null)).toBe(true)
      expect(plan.hasRoom(`m${i}`, true, null)).toBe(true)
      plan.open(`m${i}`, { dialled: true, sinceMs: 0, network: null }, 0)
    }
    expect(plan.hasRoom('late', true, null)).toBe(false)
  })

  it('those that stand beside it, though all of them dialled', () => {
    const plan = new LinkPlan()
    const beside = Array.from({ length: MAX_LINKS / 2 + 1 }, (_, i) => `m${i}`)
    plan.neighbours = new Set(beside)
    expect(beside.flatMap((machine) => open(plan, machine, false))).toEqual([])
    expect(plan.links.size).toBe(beside.length)
  })

  it('none by chance from a network with its share, though there is room', () => {
    const plan = new LinkPlan()
    for (let i = 0; i < 4; i++) open(plan, `m${i}`, true, 0, '10.1')
    for (let i = 4; i < MAX_LINKS - 1; i++) open(plan, `m${i}`, i < 10)
    expect(plan.hasRoom('late', true, '10.1')).toBe(false)
    expect(plan.hasRoom('late', true, '10.2')).toBe(true)
    expect(plan.hasRoom('late', true, null)).toBe(true)
    plan.links.delete('m0')
    expect(plan.isApart('10.1')).toBe(true)
    expect(plan.isApart('10.2')).toBe(true)
    expect(plan.isApart(null)).toBe(true)
  })

  it('who goes for a neighbour is of those that others dialled, the oldest of them', () => {
    const plan = new LinkPlan()
    for (let i = 0; i < MAX_LINKS; i++) open(plan, `m${i}`, i % 2 === 0)
    plan.neighbours = new Set(['m1', 'beside', 'also'])
    expect(open(plan, 'beside', false, GRACE_MS)).toEqual(['m3'])
    expect(open(plan, 'also', true, GRACE_MS)).toEqual(['m5'])
  })

  it('where nobody is past its grace, the last to come goes for a neighbour', () => {
    const plan = new LinkPlan()
    for (let i = 0; i < MAX_LINKS; i++) open(plan, `m${i}`, i % 2 === 0)
    plan.neighbours = new Set(['beside', 'm15'])
    expect(open(plan, 'beside', false)).toEqual(['m13'])
    const dialled = new LinkPlan()
    for (let i = 0; i < MAX_LINKS; i++) open(dialled, `m${i}`, true)
    dialled.neighbours = new Set(['beside', 'm15'])
    expect(open(dialled, 'beside', false)).toEqual(['m14'])
  })

  it('one that comes back from where it was kept does not go for itself, unless it is the only one', () => {
    const plan = new LinkPlan()
    for (let i = 0; i < MAX_LINKS / 2; i++) open(plan, `m${i}`, false, GRACE_MS)
    const kept = { dialled: false, sinceMs: 0, network: null }
    expect(plan.open('back', kept, GRACE_MS)).toEqual(['m7'])
    const beside = new LinkPlan()
    beside.neighbours = new Set(Array.from({ length: MAX_LINKS }, (_, i) => `m${i}`))
    for (const machine of beside.neighbours) open(beside, machine, true)
    expect(beside.open('back', kept, 0)).toEqual(['back'])
  })

  it('some are dialled by chance beside the neighbours, and none once nearly all room is taken', () => {
    const plan = new LinkPlan()
    plan.neighbours = new Set(['a', 'b', 'c'])
    for (const machine of ['a', 'b', 'c']) open(plan, machine, true)
    expect(plan.wantsChosen).toBe(true)
    open(plan, 'd', true)
    expect(plan.wantsChosen).toBe(true)
    open(plan, 'e', true)
    expect(plan.wantsChosen).toBe(false)
    // Two fewer dialled than others dialled is enough.
    for (let i = 0; i < 7; i++) open(plan, `other ${i}`, false)
    expect(plan.wantsChosen).toBe(false)
    open(plan, 'other 7', false)
    expect(plan.wantsChosen).toBe(true)
    const full = new LinkPlan()
    full.neighbours = new Set(Array.from({ length: 8 }, (_, i) => `m${i}`))
    for (let i = 0; i < 8; i++) open(full, `m${i}`, true)
    for (let i = 0; i < 5; i++) open(full, `other ${i}`, false)
    expect(full.wantsChosen).toBe(true)
    open(full, 'other 5', false)
    expect(full.wantsChosen).toBe(false)
  })
})
