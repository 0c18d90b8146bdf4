import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ANSWER_MS, Charges, hasVoice } from './charges.ts'
import { positionsOf } from './place.ts'
import { RingCore } from './ring-core.ts'
import type { Member, RingEffect, RingEvent } from './ring-events.ts'
import { STALE_MS, View } from './view.ts'

function memberOf(machine: string, incarnation = 1): Member {
  return { machine, at: positionsOf(machine), incarnation, network: null }
}

const own = memberOf('own')
const names = Array.from({ length: 12 }, (_, i) => `m${i}`)

/** A core that has been linked with these for long enough to be settled. */
function settled(linked: readonly string[]) {
  const core = new RingCore({ own, random: () => 0.5, signClaim: ({ machine }) => `of ${machine}` })
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
  wait(40_000)
  return { core, post, wait, log }
}

function claims(effects: readonly RingEffect[]): string[] {
  return effects.flatMap((effect) =>
    effect.type === 'broadcast' && effect.news.kind === 'gone'
      ? [effect.news.claim.accused.machine]
      : [],
  )
}

function gone(accuser: string, accused: Member): RingEvent {
  return {
    type: 'heard',
    news: { kind: 'gone', claim: { accuser: memberOf(accuser), accused, proof: '' } },
  }
}

describe('a link that ends', () => {
  it('is looked into: others are asked before anything is said', () => {
    const { post, wait } = settled(['a', 'b', 'c', 'd', 'e'])
    const effects = post({ type: 'linkClosed', machine: 'a' })
    const probes = effects.filter(
      (effect) => effect.type === 'send' && effect.message.kind === 'probe',
    )
    expect(probes).toHaveLength(3)
    expect(claims(wait(1_000))).toEqual([])
    expect(claims(wait(4_000))).toEqual(['a'])
  })

  it('says nothing of a machine with which another one has a link', () => {
    const { post, wait } = settled(['a', 'b', 'c', 'd', 'e'])
    post({ type: 'linkClosed', machine: 'a' })
    post({ type: 'received', from: 'b', message: { kind: 'probed', machine: 'a', linked: true } })
    expect(claims(wait(10_000))).toEqual([])
  })

  it('says nothing of one that ended it with a word', () => {
    const { post, wait, core } = settled(['a', 'b', 'c', 'd', 'e'])
    post({ type: 'received', from: 'a', message: { kind: 'release' } })
    post({ type: 'linkClosed', machine: 'a' })
    expect(claims(wait(10_000))).toEqual([])
    expect(core.view.rings.has('a')).toBe(true)
  })

  it('with most of the others is taken for a fault of one’s own', () => {
    const { post, wait, core } = settled(['a', 'b', 'c', 'd', 'e'])
    for (const machine of ['a', 'b', 'c']) post({ type: 'linkClosed', machine })
    expect(core.isCutOff).toBe(true)
    expect(claims(wait(6_000))).toEqual([])
    for (const machine of ['d', 'e']) post({ type: 'linkClosed', machine })
    // Without any link a machine never calls another one gone.
    expect(claims(wait(120_000))).toEqual([])
  })
})

describe('a machine is gone', () => {
  const died = (effects: readonly RingEffect[]): string[] =>
    effects.flatMap((effect) => (effect.type === 'died' ? [effect.machine] : []))

  it('when three say so and it does not answer', () => {
    const { post, wait, core } = settled(['a', 'b', 'c', 'd'])
    post({
      type: 'received',
      from: 'a',
      message: { kind: 'near', members: [{ member: memberOf('x'), ageMs: 0 }] },
    })
    for (const accuser of ['a', 'b']) post(gone(accuser, memberOf('x')))
    expect(died(wait(ANSWER_MS * 2))).toEqual([])
    post(gone('c', memberOf('x')))
    expect(died(wait(ANSWER_MS - 1_000))).toEqual([])
    expect(died(wait(2_000))).toEqual(['x'])
    expect(core.view.rings.has('x')).toBe(false)
  })

  it('not when one says so three times, nor while this machine has a link with it', () => {
    const { post, wait } = settled(['a', 'b', 'c', 'd'])
    for (let i = 0; i < 3; i++) post(gone('a', memberOf('x')))
    for (const accuser of ['a', 'b', 'c']) post(gone(accuser, memberOf('d')))
    expect(died(wait(20_000))).toEqual([])
  })

  it('not when it answers in a newer incarnation, and not in that one by what was said before', () => {
    const { post, wait } = settled(['a', 'b', 'c', 'd'])
    for (const accuser of ['a', 'b', 'c']) post(gone(accuser, memberOf('x')))
    post({ type: 'heard', news: { kind: 'alive', member: memberOf('x', 2) } })
    post(gone('d', memberOf('x')))
    expect(died(wait(20_000))).toEqual([])
  })

  it('and answers itself, when two say so of it: one is not worth an answer', () => {
    const { post } = settled(['a', 'b', 'c', 'd'])
    const signs = (effects: readonly RingEffect[]): boolean =>
      effects.some(({ type }) => type === 'signAnew')
    expect(signs(post(gone('a', own)))).toBe(false)
    expect(signs(post(gone('b', own)))).toBe(true)
    const [effect] = post({ type: 'ownSigned', incarnation: 2 })
    expect(effect).toMatchObject({
      type: 'broadcast',
      news: { kind: 'alive', member: { incarnation: 2 } },
    })
    expect(signs(post(gone('c', own)))).toBe(false)
    // Those two have not heard of the new one; that takes a newer one.
    post({ type: 'timer', id: 'answer 1' })
    expect(post(gone('d', own))).toContainEqual({
      type: 'setTimer',
      id: 'answer 1',
      afterMs: expect.any(Number) as number,
    })
  })

  it('and answers voices from further off than it would hear itself: others may see fewer machines', () => {
    const { post, core } = settled(['a', 'b', 'c', 'd'])
    const members = Array.from({ length: 60 }, (_, i) => ({ member: memberOf(`n${i}`), ageMs: 0 }))
    post({ type: 'received', from: 'a', message: { kind: 'near', members: members.slice(0, 40) } })
    const { machines } = core.view
    expect(machines).toBeGreaterThan(20)
    const far = members
      .map(({ member }) => member)
      .filter((one) => !hasVoice(one, own, machines) && hasVoice(one, own, Math.ceil(machines / 4)))
    const effects = far.slice(0, 2).flatMap(({ machine }) => post(gone(machine, own)))
    expect(effects).toContainEqual({ type: 'signAnew', after: 1 })
  })

  it('never by the word of who did not reach it', () => {
    const { post, wait } = settled(['a', 'b', 'c', 'd'])
    post({
      type: 'received',
      from: 'a',
      message: { kind: 'near', members: [{ member: memberOf('x'), ageMs: 0 }] },
    })
    expect(claims(wait(120_000))).toEqual([])
  })

  it('is told that it is held for gone when it comes back', () => {
    const { post, wait } = settled(['a', 'b', 'c', 'd'])
    for (const accuser of ['a', 'b', 'c']) post(gone(accuser, memberOf('x')))
    wait(10_000)
    const opened: RingEvent = {
      type: 'linkOpened',
      member: memberOf('x'),
      dialled: false,
      network: null,
    }
    expect(post(opened)).toContainEqual({
      type: 'send',
      to: 'x',
      message: { kind: 'charged', incarnation: 1 },
    })
  })

  it('only by the word of its neighbours, in a large cloud', () => {
    const accused = memberOf('x')
    const all = Array.from({ length: 1_000 }, (_, i) => memberOf(`one of many ${i}`))
    const voices = all.filter((one) => hasVoice(one, accused, 1_000)).length
    // Eight mean gaps on either side of each of four rings.
    expect(voices).toBeGreaterThan(40)
    expect(voices).toBeLessThan(90)
    const charges = new Charges()
    for (const accuser of all.filter((one) => !hasVoice(one, accused, 1_000))) {
      charges.add({ accuser, accused, proof: '' }, 1_000, 0)
    }
    expect(charges.size).toBe(0)
  })
})

describe('hearsay', () => {
  it('grows old, and does not bring back who is gone', () => {
    const view = new View(own)
    view.learn(memberOf('x'), 0, 0)
    view.tidy([], STALE_MS)
    expect(view.rings.has('x')).toBe(true)
    view.tidy([], STALE_MS + 1)
    expect(view.rings.has('x')).toBe(false)
    view.bury(memberOf('x'))
    view.learn(memberOf('x'), STALE_MS, STALE_MS)
    expect(view.rings.has('x')).toBe(false)
    view.learn(memberOf('x', 2), STALE_MS, STALE_MS)
    expect(view.rings.has('x')).toBe(true)
  })

  it('counts against a link that was lost only if it is newer', () => {
    const view = new View(own)
    view.meet(memberOf('x'), 1_000)
    view.miss('x', 5_000)
    view.learn(memberOf('x'), 4_000, 6_000)
    expect(view.rings.has('x')).toBe(false)
    view.learn(memberOf('x'), 5_500, 6_000)
    expect(view.rings.has('x')).toBe(true)
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
    fc.record({ kind: fc.constant('probed' as const), machine, linked: fc.boolean() }),
    fc.record({ kind: fc.constant('charged' as const), incarnation: fc.nat(3) }),
    fc.constant({ kind: 'release' as const }),
  )
  const claim = fc.record({ accuser: member, accused: member, proof: fc.constant('') })
  const event: fc.Arbitrary<RingEvent> = fc.oneof(
    fc.record({
      type: fc.constant('linkOpened' as const),
      member,
      dialled: fc.boolean(),
      network: fc.constantFrom(null, '10.1'),
    }),
    fc.record({ type: fc.constant('linkClosed' as const), machine }),
    fc.record({ type: fc.constant('received' as const), from: machine, message }),
    fc.record({
      type: fc.constant('heard' as const),
      news: fc.oneof(
        fc.record({ kind: fc.constant('gone' as const), claim }),
        fc.record({ kind: fc.constant('alive' as const), member }),
      ),
    }),
    fc.record({ type: fc.constant('timer' as const), id: fc.constantFrom('tick', 'answer 1') }),
    fc.record({ type: fc.constant('remembered' as const), members: fc.array(member) }),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat(9_000)), { maxLength: 80 }), (events) => {
      const core = new RingCore({ own, random: () => 0.3, signClaim: () => '' })
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
