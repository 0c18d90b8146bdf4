import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ada, bob, invented, offer, own, signed, world } from '../../testing/membership-world.ts'
import type { MachineEntry } from '../forms/machine-form.ts'
import { MAX_KNOWN } from './known-machines.ts'
import { KnownSummary, PARTS } from './known-summary.ts'
import type { Named } from './known-summary.ts'
import { MAX_TOLD_CHARS, MembershipCore, nextSequence } from './membership-core.ts'
import type { MembershipEffect, MembershipEvent } from './membership-core.ts'

const sequences = (...entries: MachineEntry[]): Named[] =>
  entries.map(({ machine, sequence }) => [machine, sequence])

describe('what a machine knows of the others', () => {
  it('comes first hand with a link, and is told to the others', () => {
    const { link, names } = world()
    expect(link(ada)).toContainEqual({ type: 'learned', entry: ada })
    expect(link(ada)).not.toContainEqual({ type: 'learned', entry: ada })
    const effects = link(bob)
    expect(effects).toContainEqual({ type: 'tell', to: ada.machine, machines: [bob.machine] })
    // The other side is told in short what is known, and then what it lacks.
    const { digests } = new KnownSummary(sequences(own, ada, bob))
    expect(effects).toContainEqual({ type: 'compare', to: bob.machine, digests })
    expect(names()).toEqual(['ada', 'bob'])
  })

  it('is passed on by others, once, and only what is newer counts', () => {
    const { link, hear, core, log } = world()
    link(ada)
    link(bob)
    const cleo = signed('cleo', 5)
    const tells = (): MembershipEffect[] => log.filter(({ type }) => type === 'tell').slice(1)
    hear(ada, [cleo])
    expect(tells()).toEqual([{ type: 'tell', to: bob.machine, machines: [cleo.machine] }])
    hear(bob, [cleo])
    hear(bob, [signed('cleo', 4)])
    expect(tells()).toHaveLength(1)
    hear(bob, [signed('cleo', 6)])
    expect(core.entryOf(cleo.machine)?.sequence).toBe(6)
  })

  it('is remembered, unless a link has said something newer by then', () => {
    const { post, link, core } = world()
    link(signed('ada', 7))
    const effects = post({
      type: 'remembered',
      known: [ada, bob, own].map((entry) => ({ entry, lastSeenMs: 5 })),
    })
    expect(effects).toEqual([{ type: 'learned', entry: bob }])
    expect(core.entryOf(ada.machine)?.sequence).toBe(7)
    expect([...core.known]).toHaveLength(2)
  })

  it('is not asked of those without a link, and nobody tells a machine about itself', () => {
    const { link, post, hear, core } = world()
    expect(post({ type: 'offered', from: ada.machine, offers: [offer(bob)] })).toEqual([])
    link(ada)
    hear(ada, [signed('own', 3)])
    expect(core.own.sequence).toBe(10)
    expect([...core.known]).toHaveLength(1)
  })

  it('has an end: those never linked make room, however many are invented', () => {
    const { link, post, core } = world()
    link(ada)
    post({ type: 'linkClosed', machine: ada.machine, wallMs: 5_000 })
    link(bob)
    const entries = Array.from({ length: MAX_KNOWN * 2 }, (_, number) => invented(number))
    post({ type: 'verified', from: bob.machine, entries, forged: 0 })
    expect([...core.known]).toHaveLength(MAX_KNOWN)
    expect(core.entryOf(ada.machine)).toBe(ada)
    expect(core.entryOf(bob.machine)).toBe(bob)
    expect(core.entryOf('machine-0')).toBeUndefined()
  })

  it('has an end in size, too', () => {
    const { post, link, core } = world()
    link(bob)
    const entries = Array.from({ length: 1_000 }, (_, number) => invented(number, 16_384))
    post({ type: 'verified', from: bob.machine, entries, forged: 0 })
    const chars = [...core.known].reduce((sum, { entry }) => sum + entry.form.body.length, 0)
    expect(chars).toBeLessThanOrEqual(8_000_000)
    expect(core.entryOf(bob.machine)).toBe(bob)
  })
})

describe('what says nothing new', () => {
  it('costs no look at signatures, and no link with oneself counts', () => {
    const { link, post, core } = world()
    link(ada)
    expect(post({ type: 'offered', from: ada.machine, offers: [offer(ada), offer(own)] })).toEqual(
      [],
    )
    expect(post({ type: 'linkOpened', entry: own, wallMs: 1 })).toEqual([])
    expect(core.isOnline(own.machine)).toBe(false)
    expect(post({ type: 'channelOpened', machine: bob.machine })).toEqual([])
    expect(post({ type: 'linkClosed', machine: bob.machine, wallMs: 1 })).toEqual([])
    expect(post({ type: 'timer', id: 'another' })).toEqual([])
  })

  it('of this machine is not signed anew', () => {
    const { link, post } = world()
    link(ada)
    const verified = { type: 'verified', from: ada.machine, forged: 0 } as const
    expect(post({ ...verified, entries: [signed('own', 10)] })).toEqual([])
    expect(post({ ...verified, entries: [signed('own', 11)] })).toEqual([
      { type: 'signAnew', after: 11 },
    ])
  })

  it('a link that has gone is not online, and is shown and written down', () => {
    const { link, post, until, core } = world()
    link(ada)
    until(10_000)
    expect(core.isOnline(ada.machine)).toBe(true)
    expect(post({ type: 'linkClosed', machine: ada.machine, wallMs: 20_000 })).toEqual([
      { type: 'setTimer', id: 'show', afterMs: 50 },
      { type: 'setTimer', id: 'save', afterMs: 2_000 },
    ])
    expect(core.unsaved).toBe(true)
    expect(core.isOnline(ada.machine)).toBe(false)
    until(20_000)
    expect(core.unsaved).toBe(false)
  })

  it('a machine is told its own entry when others hold a later one than it does', () => {
    const { link, compare } = world()
    link(signed('ada', 5))
    expect(compare(ada, [own, signed('ada', 5)])).toEqual([])
    link(signed('ada', 4))
    expect(compare(ada, [own, signed('ada', 4)])).toEqual([ada.machine])
  })
})

describe('what a link that opens brings', () => {
  it('is what either side lacks, and nothing where both know the same', () => {
    const { link, compare, hear } = world()
    link(bob)
    hear(bob, [signed('cleo', 5), signed('dora', 5)])
    link(ada)
    expect(compare(ada, [own, ada, bob, signed('cleo', 5), signed('dora', 5)])).toEqual([])
    link(ada)
    const cleo = signed('cleo', 5).machine
    expect(compare(ada, [own, ada, bob, signed('cleo', 4), signed('dora', 6)])).toEqual([cleo])
    link(ada)
    // All that it does not name, itself excepted.
    expect(compare(ada, [ada])).toHaveLength(4)
  })

  it('is said once for each link, however often the other side asks', () => {
    const { link, post } = world()
    link(ada)
    link(bob)
    const { digests } = new KnownSummary([])
    const compared = { type: 'compared', from: ada.machine, digests } as const
    const named = {
      type: 'named',
      from: ada.machine,
      named: { parts: Array.from({ length: PARTS }, (_, part) => part), known: [] },
    } as const
    expect(post(compared)).toHaveLength(1)
    expect(post(compared)).toEqual([])
    expect(post(named)).toMatchObject([{ type: 'tell', to: ada.machine }])
    expect(post(named)).toEqual([])
    link(ada)
    expect(post(compared)).toHaveLength(1)
    expect(post(named)).toHaveLength(1)
    const { machine: from } = signed('stranger')
    expect(post({ ...compared, from })).toEqual([])
    expect(post({ ...named, from })).toEqual([])
  })

  it('is not what is too large to be told by others', () => {
    const { link, post, compare, core } = world()
    link(ada)
    const large = { ...invented(1, MAX_TOLD_CHARS + 1), machine: 'large' }
    const fits = { ...invented(2, MAX_TOLD_CHARS), machine: 'fits' }
    post({ type: 'verified', from: ada.machine, entries: [large, fits], forged: 0 })
    expect(core.entryOf('large')).toBe(large)
    link(bob)
    expect(compare(bob, [own, ada, bob])).toEqual(['fits'])
  })

  it('is known anew after each change', () => {
    const { link, post, log } = world()
    const told = (): unknown => log.findLast(({ type }) => type === 'compare')
    link(ada)
    const expected = (...entries: MachineEntry[]): object => ({
      digests: new KnownSummary(sequences(...entries)).digests,
    })
    expect(told()).toMatchObject(expected(own, ada))
    post({ type: 'ownSigned', entry: signed('own', 11) })
    link(ada)
    expect(told()).toMatchObject(expected(signed('own', 11), ada))
    post({ type: 'remembered', known: [{ entry: bob, lastSeenMs: 1 }] })
    link(ada)
    expect(told()).toMatchObject(expected(signed('own', 11), ada, bob))
  })
})

describe('a machine’s own entry', () => {
  it('has a sequence that grows, even when the clock has gone back', () => {
    expect(nextSequence(5, 100)).toBe(100)
    expect(nextSequence(100, 5)).toBe(101)
    expect(nextSequence(100, 100)).toBe(101)
  })

  it('is signed anew when others hold a later one, at most once a minute', () => {
    const { link, hear, post, until, log, core } = world()
    link(ada)
    hear(ada, [signed('own', 50)])
    expect(log).toContainEqual({ type: 'signAnew', after: 50 })
    post({ type: 'ownSigned', entry: signed('own', 51) })
    expect(core.own.sequence).toBe(51)
    expect(log.at(-1)).toEqual({ type: 'tell', to: ada.machine, machines: [own.machine] })
    // A second copy of this machine outdoes it at once.
    const anew = (): number => log.filter(({ type }) => type === 'signAnew').length
    hear(ada, [signed('own', 52)])
    expect(anew()).toBe(1)
    until(61_000)
    hear(ada, [signed('own', 53)])
    expect(anew()).toBe(2)
  })
})

describe('what follows from it', () => {
  it('changes in a short time are shown and written down once', () => {
    const { link, post, until, count } = world()
    for (let round = 0; round < 20; round++) {
      link(ada)
      post({ type: 'linkClosed', machine: ada.machine, wallMs: round })
    }
    until(50)
    expect([count('changed'), count('save')]).toEqual([1, 0])
    until(2_000)
    expect([count('changed'), count('save')]).toEqual([1, 1])
    until(100_000)
    expect([count('changed'), count('save')]).toEqual([1, 1])
  })

  it('heartbeats are shown every other second, and are never written down', () => {
    const { post, until, count } = world()
    for (let second = 0; second < 20; second++) {
      for (let link = 0; link < 30; link++) post({ type: 'heartbeat' })
      until((second + 1) * 1_000)
    }
    expect(count('latenciesChanged')).toBeGreaterThanOrEqual(9)
    expect(count('latenciesChanged')).toBeLessThanOrEqual(10)
    expect([count('changed'), count('save')]).toEqual([0, 0])
  })

  it('a change is shown soon although a heartbeat is waiting to be', () => {
    const { post, link, until, count } = world()
    post({ type: 'heartbeat' })
    link(ada)
    until(50)
    expect(count('changed')).toBe(1)
  })

  it('the machines of a small cloud want links with all, again and again; those of a large one not', () => {
    const { post, until, log, link } = world()
    post({ type: 'remembered', known: [{ entry: ada, lastSeenMs: 5 }] })
    post({ type: 'started' })
    const reached = (): string[] =>
      log.flatMap((effect) => (effect.type === 'reach' ? [effect.machine] : []))
    expect(reached()).toEqual([ada.machine])
    until(20 * 60_000)
    expect(reached()).toEqual([ada.machine, ada.machine, ada.machine])
    link(bob)
    const entries = Array.from({ length: 100 }, (_, number) => invented(number))
    post({ type: 'verified', from: bob.machine, entries, forged: 0 })
    // They came at once, so that it was clear how large the cloud is.
    expect(new Set(reached())).toEqual(new Set([ada.machine, bob.machine]))
  })

  it('nor is a link wanted with those that are learned one by one, once more have been named', () => {
    const { post, link, log } = world()
    link(ada)
    const known = Array.from({ length: 18 }, (_, at) => [`m${at}`, 1] as const)
    post({ type: 'named', from: ada.machine, named: { parts: [0], known } })
    post({ type: 'verified', from: ada.machine, entries: [invented(1)], forged: 0 })
    expect(log.filter(({ type }) => type === 'reach')).toHaveLength(1)
    // As many as a small cloud has, this machine included; each is one, however often it is named.
    link(bob)
    const few = [...known.slice(0, 17), ...known.slice(0, 17)]
    post({ type: 'named', from: bob.machine, named: { parts: [1], known: few } })
    post({ type: 'verified', from: bob.machine, entries: [invented(2)], forged: 0 })
    expect(log.filter(({ type }) => type === 'reach')).toHaveLength(2)
  })

  it('a cloud of which many were named that do not come is small again a minute later', () => {
    const { post, link, log, until } = world()
    link(ada)
    const known = Array.from({ length: 18 }, (_, at) => [`m${at}`, 1] as const)
    const name = (part: number): void =>
      void post({ type: 'named', from: ada.machine, named: { parts: [part], known } })
    const learn = (number: number): number => {
      post({ type: 'verified', from: ada.machine, entries: [invented(number)], forged: 0 })
      return log.filter(({ type }) => type === 'reach').length
    }
    name(0)
    until(59_000)
    // Of a link its first word counts; what it says again, or later, does not.
    for (const part of [0, 1]) name(part)
    expect(learn(1)).toBe(1)
    until(60_000)
    expect(learn(2)).toBe(2)
  })
})

describe('when that happens', () => {
  const at = (core: MembershipCore) => (event: MembershipEvent, nowMs: number) =>
    core.step(event, nowMs)
  const show = (afterMs: number): MembershipEffect => ({ type: 'setTimer', id: 'show', afterMs })
  const save: MembershipEffect = { type: 'setTimer', id: 'save', afterMs: 2_000 }

  it('a change is shown after 50 ms and written down after 2 s, once for all until then', () => {
    const step = at(new MembershipCore(own))
    expect(step({ type: 'ownSigned', entry: own }, 100)).toEqual([show(50), save])
    expect(step({ type: 'ownSigned', entry: own }, 120)).toEqual([])
    expect(step({ type: 'timer', id: 'show' }, 150)).toEqual([{ type: 'changed' }])
    expect(step({ type: 'timer', id: 'show' }, 151)).toEqual([])
    expect(step({ type: 'ownSigned', entry: own }, 200)).toEqual([show(50)])
    expect(step({ type: 'timer', id: 'save' }, 2_100)).toEqual([{ type: 'save' }])
    expect(step({ type: 'timer', id: 'save' }, 2_101)).toEqual([])
  })

  it('a heartbeat is shown after 2 s, unless something else is shown before', () => {
    const step = at(new MembershipCore(own))
    expect(step({ type: 'heartbeat' }, 0)).toEqual([show(2_000)])
    expect(step({ type: 'heartbeat' }, 0)).toEqual([])
    expect(step({ type: 'heartbeat' }, 500)).toEqual([])
    expect(step({ type: 'linkOpened', entry: ada, wallMs: 1 }, 1_000)).toEqual([
      { type: 'learned', entry: ada },
      { type: 'reach', machine: ada.machine },
      show(50),
      save,
    ])
    expect(step({ type: 'heartbeat' }, 1_010)).toEqual([])
    expect(step({ type: 'timer', id: 'show' }, 1_050)).toEqual([{ type: 'changed' }])
    expect(step({ type: 'heartbeat' }, 1_060)).toEqual([show(2_000)])
    expect(step({ type: 'timer', id: 'show' }, 3_060)).toEqual([{ type: 'latenciesChanged' }])
  })

  it('news from others is told, shown and written down; what is no news is not', () => {
    const core = new MembershipCore(own)
    const step = at(core)
    for (const entry of [ada, bob]) {
      step({ type: 'linkOpened', entry, wallMs: 1 }, 0)
      step({ type: 'channelOpened', machine: entry.machine }, 0)
    }
    for (const id of ['show', 'save']) step({ type: 'timer', id }, 3_000)
    const cleo = signed('cleo')
    const verified = { type: 'verified', from: ada.machine, forged: 0 } as const
    expect(step({ ...verified, entries: [ada, cleo] }, 4_000)).toEqual([
      { type: 'learned', entry: cleo },
      { type: 'reach', machine: cleo.machine },
      { type: 'tell', to: bob.machine, machines: [cleo.machine] },
      show(50),
      save,
    ])
    for (const id of ['show', 'save']) step({ type: 'timer', id }, 7_000)
    expect(step({ ...verified, entries: [ada, cleo] }, 8_000)).toEqual([])
    // A link that opens with an entry that is known tells nobody.
    expect(step({ type: 'linkOpened', entry: cleo, wallMs: 9 }, 9_000)).toEqual([show(50), save])
  })

  it('in a large cloud links are wanted with those that were seen last, every ten minutes while there are few', () => {
    const known = Array.from({ length: 40 }, (_, number) => ({
      entry: invented(number),
      lastSeenMs: 100 + ((number * 7) % 40),
    }))
    const core = new MembershipCore(own)
    core.step({ type: 'remembered', known }, 0)
    const latest = known
      .toSorted((a, b) => b.lastSeenMs - a.lastSeenMs)
      .slice(0, 8)
      .map(({ entry }): MembershipEffect => ({ type: 'reach', machine: entry.machine }))
    const renewed = [...latest, { type: 'setTimer', id: 'renew', afterMs: 600_000 }]
    expect(core.step({ type: 'started' }, 0)).toEqual(renewed)
    expect(core.step({ type: 'timer', id: 'renew' }, 0)).toEqual(renewed)
    // Whoever is linked, or was until now, comes first.
    core.step({ type: 'linkOpened', entry: invented(0), wallMs: 1_000 }, 0)
    core.step({ type: 'linkOpened', entry: invented(1), wallMs: 1_001 }, 0)
    core.step({ type: 'linkClosed', machine: 'machine-0', wallMs: 1_002 }, 0)
    const [first, second] = core.step({ type: 'timer', id: 'renew' }, 0)
    expect([first, second]).toEqual([
      { type: 'reach', machine: 'machine-0' },
      { type: 'reach', machine: 'machine-1' },
    ])
    for (const number of [2, 3, 4]) {
      core.step({ type: 'linkOpened', entry: invented(number), wallMs: 1_003 }, 0)
    }
    expect(core.step({ type: 'timer', id: 'renew' }, 0)).toEqual([
      { type: 'setTimer', id: 'renew', afterMs: 600_000 },
    ])
    // A newer entry does not change when it was seen.
    const newer = { ...invented(0), sequence: 9 }
    core.step({ type: 'verified', from: 'machine-1', entries: [newer], forged: 0 }, 0)
    expect([...core.known].find(({ entry }) => entry === newer)?.lastSeenMs).toBe(1_002)
  })

  it('who finds no room among those that were seen is not learned, nor told', () => {
    const known = Array.from({ length: MAX_KNOWN }, (_, number) => ({
      entry: invented(number),
      lastSeenMs: 5,
    }))
    const core = new MembershipCore(own)
    core.step({ type: 'remembered', known }, 0)
    const verified = { type: 'verified', from: ada.machine, entries: [bob], forged: 0 } as const
    expect(core.step(verified, 0)).toEqual([])
    expect(core.entryOf(bob.machine)).toBeUndefined()
  })
})

it('no order of events makes it throw or grow', () => {
  const entry = fc
    .tuple(fc.nat(40), fc.nat(5))
    .map(([number, sequence]): MachineEntry => ({ ...invented(number), sequence }))
  const machine = fc.oneof(
    fc.constant(own.machine),
    fc.nat(40).map((at) => `machine-${at}`),
  )
  const event: fc.Arbitrary<MembershipEvent> = fc.oneof(
    fc.record({ type: fc.constant('ownSigned' as const), entry: fc.constant(signed('own', 11)) }),
    fc.record({ type: fc.constant('linkOpened' as const), entry, wallMs: fc.nat() }),
    fc.record({ type: fc.constant('linkClosed' as const), machine, wallMs: fc.nat() }),
    fc.record({ type: fc.constant('heartbeat' as const) }),
    fc.record({ type: fc.constant('started' as const) }),
    fc.record({
      type: fc.constant('remembered' as const),
      known: fc.array(fc.record({ entry, lastSeenMs: fc.nat() })),
    }),
    fc.record({ type: fc.constant('channelOpened' as const), machine }),
    fc.record({
      type: fc.constant('compared' as const),
      from: machine,
      digests: fc.array(fc.string({ maxLength: 12 }), { maxLength: 40 }),
    }),
    fc.record({
      type: fc.constant('named' as const),
      from: machine,
      named: fc.record({
        parts: fc.array(fc.integer({ min: -1, max: 40 })),
        known: fc.array(fc.tuple(machine, fc.nat(9))),
      }),
    }),
    fc.record({
      type: fc.constant('offered' as const),
      from: machine,
      offers: fc.array(entry.map((offered) => offer(offered))),
    }),
    fc.record({
      type: fc.constant('verified' as const),
      from: machine,
      entries: fc.array(entry),
      forged: fc.nat(60),
    }),
    fc.record({
      type: fc.constant('timer' as const),
      id: fc.constantFrom('save', 'show', 'renew', 'later'),
    }),
  )
  fc.assert(
    fc.property(
      fc.array(fc.tuple(event, fc.nat(5_000)), { maxLength: 60, size: 'max' }),
      (steps) => {
        const core = new MembershipCore(own)
        let nowMs = 0
        const sequences = new Map<string, number>()
        for (const [next, passedMs] of steps) {
          nowMs += passedMs
          core.step(next, nowMs)
          for (const { entry } of core.known) {
            expect(entry.machine).not.toBe(own.machine)
            expect(entry.sequence).toBeGreaterThanOrEqual(sequences.get(entry.machine) ?? 0)
            sequences.set(entry.machine, entry.sequence)
          }
        }
        expect([...core.known].length).toBeLessThanOrEqual(41)
      },
    ),
  )
})
