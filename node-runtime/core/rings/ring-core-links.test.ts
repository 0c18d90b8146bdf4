// Whom the core dials, asks and tells, and when.
import { describe, expect, it } from 'vitest'
import { circle, memberAt, reached, sent, start } from '../../testing/ring-place.ts'
import { MAX_BYSTANDERS } from './bystanders.ts'
import { MAX_KEPT, MAX_TOLD } from './ring-core.ts'
import type { RingEffect } from './ring-events.ts'
import { STALE_MS } from './view.ts'

/** The seconds, from 1, in which this machine is reached for. */
const secondsOf = (machine: string, each: readonly RingEffect[][]): number[] =>
  each.flatMap((effects, i) => (reached(effects).includes(machine) ? [i + 1] : []))
const ended = (effects: readonly RingEffect[]): string[] =>
  effects.flatMap((effect) => (effect.type === 'release' ? [effect.machine] : []))
const rings = (effects: readonly RingEffect[]): RingEffect[] =>
  effects.filter(({ type }) => type === 'ring')

describe('its own pace', () => {
  it('begins at a moment of chance, and goes on every two seconds or so', () => {
    for (const chance of [0, 0.25, 1]) {
      const { post, tick } = start({ chance })
      expect(post({ type: 'started' })).toEqual([
        { type: 'setTimer', id: 'tick', afterMs: 2_000 * chance },
      ])
      const again = tick(2_000).filter(({ type }) => type === 'setTimer')
      expect(again).toHaveLength(1)
      expect(again[0]).toMatchObject({ id: 'tick' })
      expect((again[0] as { afterMs: number }).afterMs).toBeCloseTo(1_800 + 400 * chance)
    }
  })
})

describe('a neighbour', () => {
  // On ring 0 `after` comes next and `before` came before; on the others, the other way around.
  const [after, before] = [memberAt('after', 0.1), memberAt('before', 0.9)]

  it('that comes next is dialled at once, and then every five seconds; one before after five', () => {
    const { know, seconds } = start()
    // Four on all rings, so that none is on both sides.
    know(after, memberAt('far', 0.4), memberAt('farther', 0.6), before)
    const each = seconds(14)
    expect(secondsOf('after', each)).toEqual([1, 6, 11])
    expect(secondsOf('before', each)).toEqual([5, 10])
  })

  it('that can’t be reached for twenty seconds is passed over, and the next one dialled', () => {
    const { know, seconds, core } = start()
    know(after, memberAt('next', 0.2), memberAt('far', 0.6), before)
    expect(core.beside(0, 1)?.machine).toBe('after')
    const each = seconds(27)
    expect(secondsOf('after', each).filter((second) => second <= 21)).toEqual([1, 6, 11, 16, 21])
    expect(core.beside(0, 1)?.machine).toBe('next')
    expect(core.view.missed.map(({ machine }) => machine)).toContain('after')
    expect(secondsOf('next', each).at(-1)).toBeGreaterThan(20)
  })

  it('with which there is a link is not dialled, nor one that is a neighbour no more', () => {
    const { know, open, seconds } = start({ chance: 0 })
    know(after, memberAt('far', 0.4), memberAt('farther', 0.6), before)
    open(after)
    expect(secondsOf('after', seconds(10))).toEqual([])
    know(memberAt('nearer', 0.95))
    const each = seconds(10)
    expect(secondsOf('nearer', each)).toEqual([5, 10])
    expect(secondsOf('before', each)).toEqual([])
  })

  describe('that asks for the end of its link', () => {
    /** Links whenever it is dialled, and lets go after three seconds, knowing a nearer one that this machine can't reach. */
    const dials = (count: number, needs = false): number[] => {
      const world = start({ needs: () => needs })
      const { know, open, hear, post, tick } = world
      const others = [memberAt('far', 0.4), memberAt('farther', 0.6), before]
      for (const member of others) open(member)
      const at: number[] = []
      let releaseAt = Number.POSITIVE_INFINITY
      for (let second = 1; second <= count; second++) {
        know(after)
        const isDialled = reached(tick(1_000)).includes('after')
        if (isDialled) {
          at.push(second)
          open(after)
          releaseAt = second + 3
        }
        if (second !== releaseAt) continue
        if (ended(hear('after', { kind: 'release' })).length === 0) continue
        post({ type: 'linkClosed', machine: 'after', silent: false })
      }
      return at
    }

    it('is dialled ever more rarely, up to once in an hour, until it dials itself', () => {
      const at = dials(7_500)
      const waits = at.slice(1).map((second, i) => second - at[i]!)
      expect(waits.slice(0, 6)).toEqual([63, 123, 243, 483, 963, 1_923])
      expect(waits.at(-1)).toBe(3_603)
      expect(dials(600, true)).toEqual([1])
    })

    it('is dialled at once where both asked, and neither knows that the other did', () => {
      const { know, open, hear, post, tick, core } = start()
      const around = circle(40)
      know(...around)
      for (const member of around.slice(0, 8)) open(member, false)
      const far = around[9]!
      expect(sent(open(far, false), 'release')).toEqual([far.machine])
      hear(far.machine, { kind: 'release' })
      post({ type: 'linkClosed', machine: far.machine, silent: false })
      for (const { machine } of around.slice(0, 9)) core.view.rings.remove(machine)
      expect(reached(tick(1_000))).toContain(far.machine)
    })

    it('is dialled at once when it is this machine that asked last', () => {
      const { know, open, hear, post, tick, core } = start({ chance: 0 })
      const around = circle(40)
      know(...around)
      for (const member of around.slice(1, 9)) open(member, false)
      // It is let go for the sake of the others, and lets go itself then.
      const [far] = around.slice(9)
      open(far!, true)
      hear(far!.machine, { kind: 'release' })
      post({ type: 'linkClosed', machine: far!.machine, silent: false })
      expect(sent(open(far!, false), 'release')).toEqual([far!.machine])
      post({ type: 'linkClosed', machine: far!.machine, silent: false })
      // All that were nearer are gone.
      for (const member of around.slice(0, 9)) {
        post({ type: 'linkClosed', machine: member.machine, silent: false })
        core.view.rings.remove(member.machine)
      }
      expect(reached(tick(1_000))).toContain(far!.machine)
    })
  })

  it('is told by ring', () => {
    const { know, core } = start()
    know(memberAt('a', [0.1, 0.1, 0.5, 0.5]), memberAt('b', [0.4, 0.4, 0.1, 0.4]))
    know(memberAt('c', [0.6, 0.6, 0.6, 0.1]), memberAt('d', [0.9, 0.9, 0.9, 0.9]))
    expect(core.ringsBeside('a')).toEqual([0, 1])
    expect(core.ringsBeside('b')).toEqual([2])
    expect(core.ringsBeside('c')).toEqual([3])
    expect(core.ringsBeside('d')).toEqual([0, 1, 2, 3])
    expect(core.ringsBeside('none')).toEqual([])
    expect(start().core.ringsBeside('a')).toEqual([])
  })
})

describe('who takes more links than there are for it', () => {
  it('by always saying that they are needed, makes others of its kind go; what is needed here stays', () => {
    const needed = 'm40'
    const { know, open, hear, post, later } = start({ needs: (machine) => machine === needed })
    const members = circle(80)
    know(...members)
    const asked = new Set<string>()
    const gone: string[] = []
    for (const member of members) {
      later(100)
      for (const machine of sent(open(member, false), 'release')) {
        asked.add(machine)
        for (const out of ended(hear(machine, { kind: 'keep' }))) {
          gone.push(out)
          post({ type: 'linkClosed', machine: out, silent: false })
        }
      }
    }
    expect(asked.size).toBeGreaterThan(2 * MAX_KEPT)
    expect(asked.size - gone.length).toBe(MAX_KEPT)
    // Who has been there longest goes.
    expect(gone).toEqual([...asked].slice(0, gone.length))
    expect(gone).not.toContain(needed)
  })

  it('by taking no part, loses the first of them after a while, which are not needed here', () => {
    const { know, open, post, tick } = start({ needs: (machine) => machine === 'quiet 0' })
    know(...circle(8))
    for (let at = 0; at < 40; at++) post({ type: 'linkSeen', machine: `quiet ${at}` })
    // Those that take part, or are gone, do not count.
    post({ type: 'linkSeen', machine: 'm0' })
    open(memberAt('m0', 1 / 9))
    post({ type: 'linkClosed', machine: 'quiet 39', silent: false })
    expect(ended(tick(10_000))).toEqual([])
    expect(ended(tick(2_000))).toEqual(
      Array.from({ length: 38 - MAX_BYSTANDERS }, (_, at) => `quiet ${at + 1}`),
    )
    expect(ended(tick(2_000))).toEqual([])
  })
})

describe('machines of the last time', () => {
  const friends = circle(80)

  it('are tried by chance: one every four seconds without any link', () => {
    const { post, random, seconds } = start({ chance: 0 })
    post({ type: 'remembered', members: friends })
    expect(reached(seconds(9).flat())).toEqual(['m0', 'm0', 'm0'])
    // No more than 64 are kept.
    random.next = 0.999_999
    expect(reached(seconds(4).flat())).toEqual(['m63'])
  })

  it('are tried ever more rarely with links, up to four minutes, and not those that are linked', () => {
    const { post, open, seconds } = start({ chance: 0 })
    post({ type: 'remembered', members: friends.slice(0, 3) })
    open(memberAt('other', 0.5))
    open(friends[0]!)
    const each = seconds(670)
    expect(secondsOf('m1', each)).toEqual([1, 61, 181, 421, 661])
    expect(reached(each.flat())).not.toContain('m0')
  })

  it('are not tried while there are enough links with their network', () => {
    const { post, open, seconds } = start({ chance: 0 })
    const crowded = memberAt('crowded', 0.33, { network: '10.1' })
    post({ type: 'remembered', members: [crowded, memberAt('apart', 0.34, { network: '10.2' })] })
    for (const member of circle(4)) open(member, true, '10.1')
    const tried = reached(seconds(31).flat())
    expect(tried).toContain('apart')
    expect(tried).not.toContain('crowded')
  })

  it('are also those that were lost', () => {
    const { open, post, seconds } = start({ chance: 0 })
    for (const member of circle(3)) open(member)
    post({ type: 'linkClosed', machine: 'm1', silent: true })
    expect(secondsOf('m1', seconds(31))).toEqual([1, 31])
  })

  it('are tried more often for a while after a loss, and rarely again in the calm', () => {
    const { open, post, seconds } = start({ chance: 0 })
    post({ type: 'remembered', members: friends.slice(40, 41) })
    for (const member of circle(3)) open(member)
    seconds(200)
    post({ type: 'linkClosed', machine: 'm1', silent: true })
    const [friend = ''] = friends.slice(40, 41).map(({ machine }) => machine)
    // Waits of thirty seconds, one, two and four minutes from the loss on.
    const each = secondsOf(friend, seconds(500))
    expect(each.length).toBeLessThanOrEqual(5)
    expect(each[0]).toBeLessThanOrEqual(31)
  })
})

describe('links by chance', () => {
  it('are dialled while few are, among all that are known, ever more rarely', () => {
    const { know, seconds, open, post } = start({ chance: 0.5 })
    const around = circle(30)
    know(...around)
    for (const member of [around[0]!, around[29]!]) open(member)
    // Of the 28 without a link. It is waited twice as long each time, up to four minutes, and each time for another one.
    const chosen = (forSeconds: number, lost = ''): number[] => {
      const each: RingEffect[][] = []
      for (let second = 0; second < forSeconds; second++) {
        know(...around)
        each.push(...seconds(1))
      }
      const others = each.map((effects) => reached(effects).filter((machine) => machine !== lost))
      return others.flatMap((machines, i) => machines.map(() => i + 1))
    }
    expect(chosen(760)).toEqual([1, 3, 7, 15, 31, 63, 127, 255, 495, 735])
    for (const member of [around[10]!, around[20]!]) open(member)
    expect(chosen(70)).toEqual([])
    // One that ends soon does not make this machine dial as if for the first time; one that lasted does.
    const [first, second] = [around[10]!.machine, around[20]!.machine]
    const lose = (machine: string): void => {
      post({ type: 'linkClosed', machine, silent: false })
    }
    lose(first)
    expect(chosen(100, first)).toEqual([])
    open(around[10]!)
    chosen(300)
    lose(second)
    expect(chosen(20, second)).toEqual([1, 3, 7, 15])
  })

  it('are dialled with the same machine ever more rarely, whether it is out of reach or has no room', () => {
    const { know, seconds, open } = start({ chance: 0 })
    const around = circle(20)
    for (const member of [around[0]!, around[19]!]) open(member)
    const tries: Record<string, number[]> = {}
    for (let second = 1; second <= 1_300; second++) {
      know(...around)
      for (const machine of reached(seconds(1).flat())) (tries[machine] ??= []).push(second)
    }
    for (const at of Object.values(tries)) {
      const waits = at.slice(1).map((second, i) => second - at[i]!)
      waits.forEach((wait, i) => expect(wait).toBeGreaterThanOrEqual(60 * 2 ** i))
    }
    expect(Object.keys(tries).length).toBeGreaterThan(0)
  })

  it('are every second one with a machine that is preferred, as long as there is one', () => {
    const isOpen = (machine: string): boolean => ['m20', 'm25'].includes(machine)
    const { know, seconds, open } = start({ chance: 0, prefers: isOpen })
    const around = circle(30)
    for (const member of [around[0]!, around[29]!]) open(member)
    const chosen: boolean[] = []
    for (let second = 0; second < 260; second++) {
      know(...around)
      chosen.push(...reached(seconds(1).flat()).map(isOpen))
    }
    // Of those, that were tried in vain wait, and others have their turn.
    expect(chosen.slice(0, 4)).toEqual([true, false, true, false])
    expect(chosen.slice(4)).toContain(false)
  })

  it('are dialled at each tick in a cloud in which each is linked with each', () => {
    const { know, seconds, open } = start({ chance: 0.5 })
    const around = circle(10)
    know(...around)
    for (const member of [around[0]!, around[9]!]) open(member)
    expect(seconds(3).map(reached)).toEqual([['m5'], ['m5'], ['m5']])
  })

  it('are not dialled anew with one that was asked to let go, or is left because somebody needs it', () => {
    const { know, seconds, open, hear } = start({ chance: 0 })
    const around = circle(40)
    know(...around)
    const others = around.slice(1, -1)
    // More than there is room for from others: those that come last are asked to let go.
    for (const member of others.slice(0, 8)) open(member, false)
    const asked = sent(open(others[8]!, false), 'release')
    expect(asked).toEqual(['m9'])
    const tried = (): string[] => seconds(2).flatMap((effects) => reached(effects))
    hear('m9', { kind: 'keep' })
    expect(tried()).not.toContain('m9')
  })
})

describe('who is near', () => {
  it('is asked of a machine when its link opens, and of a linked one ever more rarely in the calm', () => {
    const { open, seconds, random, post, know } = start()
    const [first, second] = [memberAt('first', 0.3), memberAt('second', 0.6)]
    expect(sent(open(first), 'who')).toEqual(['first'])
    expect(sent(open(second), 'who')).toEqual(['second'])
    random.next = 0.9
    const asked = (forSeconds: number): string[] =>
      seconds(forSeconds)
        .map((effects) => sent(effects, 'who'))
        .flatMap((to, i) => (to.length > 0 ? [`${i + 1} ${to}`] : []))
    expect(asked(400)).toEqual([
      '1 second',
      '21 first',
      '61 second',
      '141 second',
      '261 first',
      '381 second',
    ])
    post({ type: 'linkClosed', machine: 'first', silent: false })
    // It is missed until nobody has seen it for three minutes.
    expect(asked(21)).toEqual(['1 second', '11 second', '21 second'])
    seconds(STALE_MS / 1_000)
    // In a large cloud, where others know whom this machine does not: once in half a minute.
    const around = circle(40)
    know(...around)
    open(around[0]!)
    open(around.at(-1)!)
    seconds(40)
    expect(asked(90)).toHaveLength(3)
    // Where an answer tells of nearly all: once in a minute.
    const other = start()
    const few = circle(20)
    other.know(...few)
    for (const member of [few[0]!, few.at(-1)!]) other.open(member)
    other.seconds(100)
    const wanted = other.seconds(120).flatMap((effects) => sent(effects, 'who'))
    expect(wanted).toHaveLength(2)
  })

  it('is not asked of one whose link is beyond the plan', () => {
    const { open, know } = start()
    know(...circle(40))
    const effects = circle(40).map((member) => open(member, false))
    for (const each of effects) {
      const isOver = sent(each, 'release').length > 0
      const [asked] = sent(each, 'who')
      if (asked !== undefined && isOver) expect(sent(each, 'release')).not.toContain(asked)
    }
    expect(effects.filter((each) => sent(each, 'who').length === 0).length).toBeGreaterThan(10)
  })

  it('is answered with those near the one that asks, and with some others', () => {
    const { open, hear } = start()
    const around = circle(20)
    for (const member of around.slice(0, 10)) open(member)
    for (const member of around.slice(10)) open(member)
    const [answer] = hear('m3', { kind: 'who' })
    if (answer?.type !== 'send' || answer.message.kind !== 'near') throw new Error('an answer')
    expect(answer.to).toBe('m3')
    const told = answer.message.members.map(({ member }) => member.machine)
    for (const near of ['m1', 'm2', 'm4', 'm5']) expect(told).toContain(near)
    expect(told).not.toContain('m3')
    expect(told.length).toBeGreaterThan(4)
    expect(told.length).toBeLessThanOrEqual(8)
  })

  it('is taken in by hearsay as old as it is said to be, and no more than an honest one tells', () => {
    const { open, hear, core, tick } = start()
    open(memberAt('teller', 0.5))
    const members = circle(MAX_TOLD + 1).map((member) => ({ member, ageMs: 0 }))
    hear('teller', { kind: 'near', members })
    expect(core.view.rings.has(`m${MAX_TOLD - 1}`)).toBe(true)
    expect(core.view.rings.has(`m${MAX_TOLD}`)).toBe(false)
    const old = { member: memberAt('old', 0.51), ageMs: STALE_MS }
    const future = { member: memberAt('future', 0.52), ageMs: -STALE_MS }
    hear('teller', { kind: 'near', members: [old, future] })
    expect(core.view.rings.has('old')).toBe(true)
    tick(1)
    expect(core.view.rings.has('old')).toBe(false)
    tick(STALE_MS - 1)
    expect(core.view.rings.has('future')).toBe(true)
    tick(1)
    expect(core.view.rings.has('future')).toBe(false)
  })

  it('is learned from the machine’s own entries, too', () => {
    const { know, core } = start()
    know(memberAt('a', 0.5))
    expect(core.view.rings.has('a')).toBe(true)
    expect(core.beside(0, 1)?.machine).toBe('a')
  })
})

describe('what one link may say', () => {
  it('is sixty messages at once, and ten a second', () => {
    const { open, hear, later } = start()
    open(memberAt('a', 0.5))
    const answers = (): number =>
      Array.from({ length: 100 }, () => hear('a', { kind: 'who' }).length).reduce((x, y) => x + y)
    expect(answers()).toBe(60)
    later(2_000)
    expect(answers()).toBe(20)
  })

  it('may be nothing for an hour: who has a link is known', () => {
    const { open, seconds, core } = start()
    for (const member of circle(3)) open(member)
    for (const machine of ['m0', 'm1', 'm2']) {
      seconds(1_200)
      expect(core.view.rings.has(machine)).toBe(true)
    }
  })

  it('is nothing without a link', () => {
    const { know, open, hear, post } = start()
    know(memberAt('a', 0.5))
    expect(hear('a', { kind: 'who' })).toEqual([])
    expect(hear('stranger', { kind: 'who' })).toEqual([])
    open(memberAt('a', 0.5))
    post({ type: 'linkClosed', machine: 'a', silent: false })
    expect(hear('a', { kind: 'who' })).toEqual([])
  })
})

describe('the ring', () => {
  it('is told of when the next linked machine is another one', () => {
    const { open, post } = start()
    const ring = (successor: string | null, machines: number): RingEffect => ({
      type: 'ring',
      successor,
      machines,
    })
    expect(rings(open(memberAt('far', 0.9)))).toEqual([ring('far', 2)])
    expect(rings(open(memberAt('near', 0.1)))).toEqual([ring('near', 3)])
    expect(rings(post({ type: 'linkClosed', machine: 'near', silent: false }))).toEqual([
      ring('far', 2),
    ])
    expect(rings(post({ type: 'linkClosed', machine: 'far', silent: true }))).toEqual([
      ring(null, 1),
    ])
  })

  it('is told of anew when there are more than a tenth more or fewer machines', () => {
    const { open, know, tick } = start()
    const around = circle(60)
    open(around[0]!)
    know(...around.slice(1, 19))
    // 20 now: 21 and 22 are no news, 23 are.
    expect(rings(know(around[19]!))).toEqual([])
    expect(rings(know(around[20]!))).toEqual([])
    expect(rings(know(around[21]!))).toEqual([{ type: 'ring', successor: 'm0', machines: 23 }])
    expect(rings(tick(1_000))).toEqual([])
  })

  it('is told of when another one comes next, though there are nearly as many as before', () => {
    const { open, know, post } = start()
    const around = circle(30)
    know(...around)
    open(around[2]!)
    expect(rings(open(around[5]!))).toEqual([])
    const closed = post({ type: 'linkClosed', machine: 'm2', silent: false })
    expect(rings(closed)).toEqual([{ type: 'ring', successor: 'm5', machines: 30 }])
  })

  it('goes by ring 0 alone, and by links alone', () => {
    const { open, know } = start()
    const effects = open(memberAt('a', [0.5, 0.1, 0.1, 0.1]))
    expect(rings(effects)).toMatchObject([{ successor: 'a' }])
    expect(rings(open(memberAt('b', [0.2, 0.9, 0.9, 0.9])))).toMatchObject([{ successor: 'b' }])
    expect(rings(know(memberAt('c', 0.1)))).toMatchObject([{ successor: 'b' }])
  })
})

describe('a link that is asked to be let go', () => {
  const crowd = circle(60)
  const ended = (effects: readonly RingEffect[]): string[] =>
    effects.flatMap((effect) => (effect.type === 'release' ? [effect.machine] : []))
  /** So many that others dialled that one is too many; the last one. */
  function overfull() {
    const started = start()
    started.know(...crowd)
    for (const member of crowd.slice(42, 50)) started.open(member)
    const others = crowd.slice(10, 40)
    for (const member of others.slice(0, 8)) started.open(member, false)
    const asked = sent(started.open(others[8]!, false), 'release')
    expect(asked).toEqual([others[8]!.machine])
    return { ...started, last: others[8]!.machine }
  }

  it('is ended after three seconds, if nothing is said', () => {
    const { tick, last } = overfull()
    expect(ended(tick(2_999))).toEqual([])
    expect(ended(tick(1))).toEqual([last])
    expect(ended(tick(3_000))).toEqual([])
  })

  it('is left for a minute if it is needed, and asked again', () => {
    const { hear, tick, last } = overfull()
    hear(last, { kind: 'keep' })
    // Said twice, or by one that was not asked, it says nothing.
    hear(last, { kind: 'keep' })
    hear('m10', { kind: 'keep' })
    const before = tick(59_999)
    expect([ended(before), sent(before, 'release')]).toEqual([[], []])
    const after = tick(1)
    expect(sent(after, 'release')).toContain(last)
  })

  it('finds a place again when there is room', () => {
    const { core, hear, post, tick, last } = overfull()
    hear(last, { kind: 'keep' })
    expect(core.plan.links.has(last)).toBe(false)
    post({ type: 'linkClosed', machine: 'm10', silent: false })
    tick(1_000)
    expect(core.plan.links.has(last)).toBe(true)
    expect(core.plan.links.get(last)).toMatchObject({ dialled: false, network: null })
  })

  it('finds it as the link that it was, also when a neighbour had taken its place', () => {
    const { core, know, open, post, tick, later } = start({ needs: () => true })
    know(...crowd)
    for (const member of crowd.slice(42, 50)) open(member)
    const others = crowd.slice(10, 40)
    for (const [i, member] of others.slice(0, 8).entries()) open(member, false, `10.${i}`)
    later(60_000)
    // One that stands beside this machine, and had not been known.
    open(memberAt('beside', 0.999), false, '10.99')
    expect(core.plan.links.has('m10')).toBe(false)
    post({ type: 'linkClosed', machine: 'm12', silent: false })
    tick(1_000)
    expect(core.plan.links.get('m10')).toMatchObject({ dialled: false, network: '10.0' })
  })

  it('is forgotten when it closes', () => {
    const { post, tick, last } = overfull()
    post({ type: 'linkClosed', machine: last, silent: false })
    expect(ended(tick(10_000))).toEqual([])
  })
})

it('a cloud that grows over seventeen machines lets go at once what was only kept since it was small', () => {
  const { open, know } = start()
  const around = circle(17)
  for (const member of around.slice(0, 16)) open(member, false)
  const effects = know(around[16]!)
  // Half of sixteen may be dialled by others, beside the neighbours.
  expect(sent(effects, 'release').length).toBeGreaterThan(0)
})

describe('news of a machine', () => {
  const told = (effects: readonly RingEffect[]): Record<string, string[]> => {
    const names: Record<string, string[]> = {}
    for (const effect of effects) {
      if (effect.type !== 'send' || effect.message.kind !== 'near') continue
      names[effect.to] = effect.message.members.map(({ member }) => member.machine)
    }
    return names
  }

  it('goes to those that are linked and would stand beside it, once, however it came', () => {
    const { open, know } = start()
    for (const at of [0.2, 0.4, 0.6, 0.8]) open(memberAt(`at ${at}`, at))
    const one = memberAt('one', 0.5)
    expect(told(know(one))).toEqual({ 'at 0.4': ['one'], 'at 0.6': ['one'] })
    expect(told(know(one))).toEqual({})
    // Beside the next one stands `one`, with whom there is no link, on one side.
    expect(told(open(memberAt('two', 0.55)))).toEqual({ 'at 0.6': ['two'] })
    const several = [memberAt('three', 0.7), memberAt('four', 0.3)]
    expect(told(know(...several))).toEqual({
      'at 0.2': ['four'],
      'at 0.4': ['four'],
      'at 0.6': ['three'],
      'at 0.8': ['three'],
    })
  })

  it('goes out a few times a second at most, however much comes', () => {
    const { open, know, later } = start()
    for (let at = 1; at < 16; at++) open(memberAt(`m${at}`, at / 16))
    let sends = 0
    later(60_000)
    for (let n = 0; n < 1_000; n++) {
      sends += Object.keys(told(know(memberAt(`new ${n}`, ((n * 7) % 16) / 16 + 0.01)))).length
    }
    expect(sends).toBeGreaterThan(0)
    expect(sends).toBeLessThanOrEqual(64)
  })

  it('is asked of all that stand beside this machine in turn, and of others now and then', () => {
    const { open, know, seconds } = start({ chance: 0.999 })
    // Two beside it on each ring, and others that are not.
    const beside = [0, 1, 2].flatMap((ring) =>
      [0.01, 0.99].map((near) => {
        const at = [0, 1, 2, 3].map((n) => (n === ring ? near : near < 0.5 ? 0.2 : 0.8))
        return memberAt(`beside ${ring} ${near}`, at)
      }),
    )
    const others = [memberAt('other', 0.4), memberAt('farther', 0.45)]
    for (const member of [...beside, ...others]) open(member)
    const asked = new Map<string, number>()
    for (let minute = 0; minute < 40; minute++) {
      know(...beside, ...others)
      for (const to of sent(seconds(60).flat(), 'who')) asked.set(to, (asked.get(to) ?? 0) + 1)
    }
    for (const { machine } of beside) expect(asked.get(machine)).toBeGreaterThan(1)
    expect(asked.get('farther')).toBeGreaterThan(1)
  })
})

it('one that both had lost gets its place back, though there is no room for others', () => {
  const { core, open, know, post } = start()
  const lost = memberAt('lost', 0.001)
  open(lost)
  post({ type: 'linkClosed', machine: 'lost', silent: true })
  const others = circle(40)
  know(...others)
  for (const member of others.slice(10, 14)) open(member, false)
  for (const member of others.slice(14, 30)) open(member)
  expect(core.view.rings.has('lost')).toBe(false)
  expect(core.plan.hasRoom('lost', false, null)).toBe(false)
  expect(sent(open(lost, false), 'release')).not.toContain('lost')
  expect(core.plan.links.has('lost')).toBe(true)
})

it('one that is asked to end its link is not dialled again by this machine', () => {
  const { open, know } = start()
  know(...circle(40))
  const effects = circle(40)
    .slice(5, 25)
    .flatMap((member) => open(member, false))
  const forgone = effects.flatMap((effect) => (effect.type === 'forgo' ? [effect.machine] : []))
  expect(forgone.length).toBeGreaterThan(0)
  expect(forgone).toEqual(sent(effects, 'release'))
})
