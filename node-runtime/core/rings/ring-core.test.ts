import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { positionsOf } from './place.ts'
import { RingCore } from './ring-core.ts'
import type { Member, RingEffect, RingEvent } from './ring-events.ts'
import { STALE_MS, View } from './view.ts'

function memberOf(machine: string, incarnation = 1): Member {
  return { machine, at: positionsOf(machine), incarnation, network: null }
}

const own = memberOf('own')
const names = Array.from({ length: 12 }, (_, i) => `m${i}`)

/** A core that is linked with these. */
function linkedWith(linked: readonly string[], needs: (machine: string) => boolean = () => false) {
  const core = new RingCore({ own, random: () => 0.5, needs })
  const log: RingEffect[] = []
  let nowMs = 0
  const post = (event: RingEvent): RingEffect[] => {
    const effects = core.step(event, nowMs)
    log.push(...effects)
    return effects
  }
  const wait = (ms: number): RingEffect[] => {
    const before = log.length
    for (const endMs = nowMs + ms; nowMs < endMs; ) {
      nowMs += 1_000
      post({ type: 'timer', id: 'tick' })
    }
    return log.slice(before)
  }
  for (const machine of linked) {
    post({ type: 'linkOpened', member: memberOf(machine), dialled: true, network: null })
  }
  return { core, post, wait }
}

function gone(effects: readonly RingEffect[]): string[] {
  return effects.flatMap((effect) => (effect.type === 'gone' ? [effect.machine] : []))
}

function fellSilent(machine: string): RingEvent {
  return { type: 'linkClosed', machine, silent: true }
}

function probed(from: string, answers: boolean): RingEvent {
  return { type: 'received', from, message: { kind: 'probed', machine: 'a', answers } }
}

/** Whom it asked. */
function askedOf(effects: readonly RingEffect[]): string[] {
  return effects.flatMap((effect) =>
    effect.type === 'send' && effect.message.kind === 'probe' ? [effect.to] : [],
  )
}

describe('a machine that falls silent', () => {
  it('is gone once none of those that are linked has an answer from it', () => {
    const { post, core } = linkedWith(['a', 'b', 'c', 'd', 'e'])
    const asked = askedOf(post(fellSilent('a')))
    expect(asked).toEqual(['b', 'c', 'd', 'e'])
    expect(gone(asked.slice(1).flatMap((from) => post(probed(from, false))))).toEqual([])
    // Who was not asked, or says it twice, has no voice.
    const others = ['c', 'd', 'e', 'f']
    expect(gone(others.flatMap((from) => post(probed(from, false))))).toEqual([])
    expect(gone(post(probed(asked[0]!, false)))).toEqual(['a'])
    expect(core.view.rings.has('a')).toBe(false)
  })

  it('has all who are linked look at their own links while it is only late, and again once it is lost', () => {
    const { post, core } = linkedWith(['a', 'b', 'c', 'd'])
    // Who asks of it need not be asked.
    post({ type: 'received', from: 'd', message: { kind: 'probe', machine: 'a' } })
    expect(askedOf(post({ type: 'doubted', machine: 'a' }))).toEqual(['b', 'c'])
    expect(core.plan.links.has('a')).toBe(true)
    const lost = post(fellSilent('a'))
    expect(askedOf(lost)).toEqual(['b', 'c'])
    expect(gone(lost)).toEqual(['a'])
  })

  it('was watched closely if it stood beside this one on the first ring, of those that are linked', () => {
    const { core, post } = linkedWith([])
    const watched = (effects: readonly RingEffect[]): readonly string[] | undefined =>
      effects.findLast((effect) => effect.type === 'watch')?.machines
    const own = core.view.own.at[0]!
    const open = (machine: string): RingEffect[] =>
      post({ type: 'linkOpened', member: memberOf(machine), dialled: true, network: null })
    expect(watched(open('a'))).toEqual(['a'])
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const effects = names.slice(1).flatMap(open)
    const after = (name: string): number => (memberOf(name).at[0]! - own + 1) % 1
    const order = names.toSorted((x, y) => after(x) - after(y))
    const last = watched(effects) ?? ['a']
    expect([...last].sort()).toEqual([order[0]!, order.at(-1)!].sort())
    // Once the next one is gone, the one after it is.
    const next = watched(post(fellSilent(order[0]!)))
    expect(next).toEqual([order[1]!, order.at(-1)!])
  })

  it('is gone when those that are asked say nothing in time', () => {
    const { post, wait } = linkedWith(['a', 'b', 'c', 'd', 'e'])
    post(fellSilent('a'))
    expect(gone(wait(1_000))).toEqual([])
    expect(gone(wait(2_000))).toEqual(['a'])
  })

  it('is not gone while it answers another one, and is dialled again', () => {
    const { post, wait } = linkedWith(['a', 'b', 'c', 'd', 'e'])
    const [first = ''] = askedOf(post(fellSilent('a')))
    wait(1_000)
    post(probed(first, true))
    const effects = wait(10_000)
    expect(gone(effects)).toEqual([])
    expect(effects).toContainEqual({ type: 'reach', member: memberOf('a') })
  })

  it('is gone at once if another one has just lost it, too', () => {
    const { post } = linkedWith(['a', 'b', 'c', 'd', 'e'])
    const probe: RingEvent = {
      type: 'received',
      from: 'b',
      message: { kind: 'probe', machine: 'a' },
    }
    expect(post(probe)).toEqual([{ type: 'check', machine: 'a' }])
    const effects = post(fellSilent('a'))
    expect(gone(effects)).toEqual(['a'])
    expect(effects).toContainEqual({
      type: 'send',
      to: 'b',
      message: { kind: 'probed', machine: 'a', answers: false },
    })
  })

  it('is not gone if it ended the link, and is dialled anew', () => {
    const { post, wait } = linkedWith(['a', 'b', 'c', 'd', 'e'])
    const effects = post({ type: 'linkClosed', machine: 'a', silent: false })
    expect(effects).toContainEqual({ type: 'reach', member: memberOf('a') })
    expect(askedOf(effects)).toEqual([])
    expect(gone(wait(10_000))).toEqual([])
  })

  it('with most of the others shows a fault of one’s own', () => {
    const { post, wait, core } = linkedWith(['a', 'b', 'c', 'd', 'e'])
    for (const machine of ['a', 'b', 'c']) post(fellSilent(machine))
    expect(core.isCutOff).toBe(true)
    expect(gone(wait(6_000))).toEqual([])
    for (const machine of ['d', 'e']) post(fellSilent(machine))
    expect(gone(wait(120_000))).toEqual([])
  })
})

describe('a machine that is asked of another one', () => {
  it('says that it answers when it does, and never by hearsay', () => {
    const { post } = linkedWith(['a', 'b'])
    const probe = (machine: string): RingEvent => ({
      type: 'received',
      from: 'b',
      message: { kind: 'probe', machine },
    })
    const said = (machine: string, answers: boolean): RingEffect => ({
      type: 'send',
      to: 'b',
      message: { kind: 'probed', machine, answers },
    })
    expect(post(probe('a'))).toEqual([{ type: 'check', machine: 'a' }])
    expect(post({ type: 'answered', machine: 'a' })).toEqual([said('a', true)])
    expect(post({ type: 'answered', machine: 'a' })).toEqual([])
    // One without a link knows nothing of it, and one that loses it says so.
    expect(post(probe('x'))).toEqual([])
    post(probe('a'))
    expect(post(fellSilent('a'))).toContainEqual(said('a', false))
  })

  it('calls nobody gone for it, and lets nobody go', () => {
    const { post, wait, core } = linkedWith(['a', 'b', 'c'])
    for (const from of ['b', 'c']) {
      post({ type: 'received', from, message: { kind: 'probe', machine: 'a' } })
      post(probed(from, false))
    }
    expect(gone(wait(20_000))).toEqual([])
    expect(core.plan.links.has('a')).toBe(true)
    expect(core.view.rings.has('a')).toBe(true)
  })
})

describe('a link beyond the plan', () => {
  const many = Array.from({ length: 40 }, (_, i) => `of many ${i}`)
  const release = (from: string): RingEvent => ({
    type: 'received',
    from,
    message: { kind: 'release' },
  })
  const releasesAsked = (effects: readonly RingEffect[]): string[] =>
    effects.flatMap((effect) =>
      effect.type === 'send' && effect.message.kind === 'release' ? [effect.to] : [],
    )
  const ended = (effects: readonly RingEffect[]): string[] =>
    effects.flatMap((effect) => (effect.type === 'release' ? [effect.machine] : []))

  it('ends when both sides can do without it', () => {
    const { core, post, wait } = linkedWith(many)
    const effects = wait(30_000)
    expect(core.plan.links.size).toBeLessThanOrEqual(16)
    expect(ended(effects).length + core.plan.links.size).toBe(many.length)
    const [linked = ''] = core.plan.links.keys()
    expect(ended(post(release(linked)))).toEqual([linked])
    expect(core.plan.links.has(linked)).toBe(false)
    // It lives.
    expect(core.view.rings.has(linked)).toBe(true)
    expect(gone(wait(10_000))).toEqual([])
  })

  it('stays while something here needs it, whoever would end it', () => {
    let isNeeded = true
    const { post, wait } = linkedWith(many, () => isNeeded)
    expect(ended(wait(120_000))).toEqual([])
    expect(post(release('of many 0'))).toEqual([
      { type: 'send', to: 'of many 0', message: { kind: 'keep' } },
    ])
    isNeeded = false
    expect(ended(wait(120_000)).length).toBeGreaterThanOrEqual(many.length - 16)
  })

  it('stays while the other side says that it needs it, and is asked again', () => {
    const { post, wait } = linkedWith([])
    const all = [...many.map((machine) => memberOf(machine)), memberOf('asking')]
    const asked = all.flatMap((member) =>
      releasesAsked(post({ type: 'linkOpened', member, dialled: false, network: null })),
    )
    const [first = ''] = asked
    post({ type: 'received', from: first, message: { kind: 'keep' } })
    const soon = wait(30_000)
    expect(ended(soon)).not.toContain(first)
    expect(releasesAsked(wait(120_000))).toContain(first)
  })

  it('of many that dial from one network, four are let in, and half of the links stay for others', () => {
    const { core, post, wait } = linkedWith(many.slice(0, 8))
    const strangers = Array.from({ length: 200 }, (_, i) => memberOf(`stranger ${i}`))
    for (const member of strangers) {
      post({ type: 'linkOpened', member, dialled: false, network: '10.1' })
    }
    wait(60_000)
    const links = [...core.plan.links]
    const strange = links.filter(([, { network }]) => network === '10.1')
    expect(strange.length).toBeLessThanOrEqual(8)
    expect(
      strange.filter(([machine]) => !core.plan.neighbours.has(machine)).length,
    ).toBeLessThanOrEqual(4)
    for (const machine of many.slice(0, 8)) expect(core.plan.links.has(machine)).toBe(true)
  })

  it('there is none in a cloud in which each can be linked with each', () => {
    const { core, post } = linkedWith([])
    for (const machine of many.slice(0, 16)) {
      post({ type: 'linkOpened', member: memberOf(machine), dialled: false, network: '10.1' })
    }
    expect(core.plan.links.size).toBe(16)
  })
})

describe('hearsay', () => {
  it('grows old', () => {
    const view = new View(own)
    view.learn(memberOf('x'), 0, 0)
    view.tidy([], STALE_MS)
    expect(view.rings.has('x')).toBe(true)
    view.tidy([], STALE_MS + 1)
    expect(view.rings.has('x')).toBe(false)
  })

  it('does not bring back whom one lost oneself: a link does, or a newer entry', () => {
    const view = new View(own)
    view.meet(memberOf('x'), 1_000)
    view.miss('x', 5_000)
    view.learn(memberOf('x'), 5_500, 6_000)
    expect(view.rings.has('x')).toBe(false)
    view.meet(memberOf('x'), 7_000)
    expect(view.rings.has('x')).toBe(true)
    view.miss('x', 8_000)
    view.learn(memberOf('x', 2), 8_500, 9_000)
    expect(view.rings.has('x')).toBe(true)
  })

  it('has one that was lost tried again, ever more rarely, and only if it is newer than the loss', () => {
    const view = new View(own)
    view.meet(memberOf('x'), 1_000)
    view.miss('x', 5_000)
    view.learn(memberOf('x'), 4_000, 6_000)
    expect(view.takeDoubtful(60_000)).toEqual([])
    const tries = (tried: View): number[] => {
      const at: number[] = []
      for (let nowMs = 6_000; nowMs < 170_000; nowMs += 1_000) {
        // A liar says each second that it was there.
        tried.learn(memberOf('x'), nowMs, nowMs)
        if (tried.takeDoubtful(nowMs).length > 0) at.push(nowMs)
      }
      return at
    }
    // It would stand beside this machine: then it is not waited for longer than twenty seconds.
    expect(tries(view)).toEqual([10, 20, 40, 60, 80, 100, 120, 140, 160].map((s) => s * 1_000))
    const others = new View(own)
    for (const away of [1e-9, 1 - 1e-9]) {
      others.meet({ ...memberOf(`${away}`), at: own.at.map((at) => (at + away) % 1) }, 1_000)
    }
    others.meet(memberOf('x'), 1_000)
    others.miss('x', 5_000)
    expect(tries(others)).toEqual([10_000, 20_000, 40_000, 80_000, 160_000])
  })

  it('is tried for a place that it would have on one side of one ring alone', () => {
    const spot = (machine: string, at: number[]): Member => ({
      ...{ machine, at, incarnation: 1, network: null },
    })
    for (const [ring, at] of [0.1, 0.9].flatMap((at) =>
      [0, 1, 2, 3].map((n) => [n, at] as const),
    )) {
      const view = new View(spot('own', [0, 0, 0, 0]))
      view.meet(spot('after', [0.2, 0.2, 0.2, 0.2]), 0)
      view.meet(spot('before', [0.8, 0.8, 0.8, 0.8]), 0)
      const x = spot(
        'x',
        [0, 1, 2, 3].map((n) => (n === ring ? at : 0.5)),
      )
      view.meet(x, 0)
      view.miss('x', 0)
      let tries = 0
      for (let nowMs = 1_000; nowMs <= 100_000; nowMs += 1_000) {
        view.learn(x, nowMs, nowMs)
        tries += view.takeDoubtful(nowMs).length
      }
      expect(tries).toBe(6)
    }
  })

  it('fills the view to its end, and those near stay', () => {
    const view = new View(own)
    for (let i = 0; i < 3_000; i++) view.learn(memberOf(`of many ${i}`), i, 3_000)
    const near = view.rings.near(own, 4).map(({ machine }) => machine)
    view.tidy([], 3_000)
    expect(view.size).toBeLessThanOrEqual(160)
    for (const machine of near) expect(view.rings.has(machine)).toBe(true)
  })
})

it('no order of events makes it throw or grow', () => {
  const machine = fc.constantFrom(...names, 'own')
  const member = fc
    .tuple(machine, fc.nat(3))
    .map(([name, incarnation]) => memberOf(name, incarnation))
  const told = fc.record({ member, ageMs: fc.integer({ min: -1_000, max: 400_000 }) })
  const message = fc.oneof(
    fc.constant({ kind: 'who' as const }),
    fc.record({ kind: fc.constant('near' as const), members: fc.array(told, { maxLength: 60 }) }),
    fc.record({ kind: fc.constant('probe' as const), machine }),
    fc.record({ kind: fc.constant('probed' as const), machine, answers: fc.boolean() }),
    fc.constant({ kind: 'release' as const }),
  )
  const event: fc.Arbitrary<RingEvent> = fc.oneof(
    fc.record({
      type: fc.constant('linkOpened' as const),
      member,
      dialled: fc.boolean(),
      network: fc.constantFrom(null, '10.1'),
    }),
    fc.record({ type: fc.constant('linkClosed' as const), machine, silent: fc.boolean() }),
    fc.record({ type: fc.constant('received' as const), from: machine, message }),
    fc.record({ type: fc.constant('answered' as const), machine }),
    fc.record({ type: fc.constant('timer' as const), id: fc.constant('tick') }),
    fc.record({ type: fc.constant('remembered' as const), members: fc.array(member) }),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat(9_000)), { maxLength: 80 }), (events) => {
      const core = new RingCore({ own, random: () => 0.3, needs: (machine) => machine === 'm1' })
      let nowMs = 0
      for (const [happened, afterMs] of events) {
        nowMs += afterMs
        core.step(happened, nowMs)
        expect(core.plan.links.size).toBeLessThanOrEqual(16)
        expect(core.view.size).toBeLessThanOrEqual(names.length)
        for (const linked of core.plan.links.keys()) expect(core.view.rings.has(linked)).toBe(true)
      }
    }),
  )
})
