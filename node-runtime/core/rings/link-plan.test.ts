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
          if (plan.links.has(machine) || !plan.admits(machine, dialled, machine, nowMs)) continue
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

  it('a stranger takes the place of one that is past its grace, and of no other', () => {
    const plan = new LinkPlan()
    for (let i = 0; i < MAX_LINKS / 2; i++) open(plan, `m${i}`, false)
    expect(plan.admits('late', false, 'late', GRACE_MS - 1)).toBe(false)
    expect(plan.admits('late', false, 'late', GRACE_MS)).toBe(true)
    expect(open(plan, 'late', false, GRACE_MS)).toEqual(['m0'])
    expect(plan.links.has('late')).toBe(true)
  })

  it('a neighbour always gets in', () => {
    const plan = new LinkPlan()
    for (let i = 0; i < MAX_LINKS; i++) open(plan, `m${i}`, i % 2 === 0)
    plan.neighbours = new Set(['beside'])
    expect(plan.admits('beside', false, 'x', 0)).toBe(true)
    expect(open(plan, 'beside', false)).toHaveLength(1)
    expect(plan.links.has('beside')).toBe(true)
    expect(plan.links.size).toBe(MAX_LINKS)
  })

  it('four of one network and no more, unless they are neighbours', () => {
    const plan = new LinkPlan()
    for (let i = 0; i < 4; i++) open(plan, `m${i}`, true, 0, '10.1')
    expect(plan.admits('m9', false, '10.1', 0)).toBe(false)
    expect(plan.isApart('10.1')).toBe(false)
    expect(plan.admits('m9', false, '10.2', 0)).toBe(true)
    // On this very computer nothing can be told apart.
    expect(plan.admits('m9', false, null, 0)).toBe(true)
    plan.neighbours = new Set(['m9'])
    expect(plan.admits('m9', false, '10.1', 0)).toBe(true)
  })

  it('some are dialled by chance, until as many are dialled as others dialled', () => {
    const plan = new LinkPlan()
    expect(plan.wantsChosen).toBe(true)
    open(plan, 'a', true)
    open(plan, 'b', true)
    expect(plan.wantsChosen).toBe(false)
    for (const machine of ['c', 'd', 'e']) open(plan, machine, false)
    expect(plan.wantsChosen).toBe(true)
  })
})
