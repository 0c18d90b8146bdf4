// What the other side of a link may have this machine look at, keep and tell on.
import { describe, expect, it } from 'vitest'
import { ada, bob, invented, offer, signed, world } from '../../testing/membership-world.ts'

describe('what one link may tell', () => {
  it('is bounded: 25,000 invented machines are not even looked at', () => {
    const { link, post, core } = world()
    link(ada)
    let looked = 0
    for (let number = 0; number < 25_000; number++) {
      const offers = [offer(invented(number))]
      for (const effect of post({ type: 'offered', from: ada.machine, offers })) {
        if (effect.type === 'verify') looked += effect.forms.length
      }
    }
    expect(looked).toBe(4_096)
    expect(core.ignoredCount).toBe(25_000 - 4_096)
  })

  it('is bounded for all links together, and by no new link made anew', () => {
    const { link, post, until } = world()
    let looked = 0
    for (let round = 0; round < 10; round++) {
      link(ada)
      const offers = Array.from({ length: 5_000 }, (_, at) => offer(invented(round * 5_000 + at)))
      for (const effect of post({ type: 'offered', from: ada.machine, offers })) {
        if (effect.type === 'verify') looked += effect.forms.length
      }
      post({ type: 'linkClosed', machine: ada.machine, wallMs: 0 })
    }
    expect(looked).toBeLessThanOrEqual(4_096)
    until(10_000)
    link(ada)
    const [effect] = post({ type: 'offered', from: ada.machine, offers: [offer(bob)] })
    expect(effect?.type).toBe('verify')
  })

  it('leaves room for what machines that were met say, whatever others invent', () => {
    const { link, post, hear } = world()
    link(bob)
    post({ type: 'linkClosed', machine: bob.machine, wallMs: 5 })
    for (let liar = 0; liar < 30; liar++) {
      const from = { ...invented(liar), machine: `liar-${liar}` }
      link(from)
      const numbers = Array.from({ length: 1_000 }, (_, at) => (liar % 10) * 1_000 + at)
      // First all that there is room for, then something new of each.
      hear(
        from,
        numbers.map((number) => ({ ...invented(number), sequence: 1 + Math.floor(liar / 10) })),
      )
    }
    link(ada)
    expect(hear(ada, [signed('eve')])).not.toContainEqual(
      expect.objectContaining({ type: 'learned' }),
    )
    const news = signed('bob', 2)
    expect(hear(ada, [news])).toContainEqual({ type: 'learned', entry: news })
  })

  it('goes on to all eight times at once for one machine, then twice a minute, and always the last', () => {
    const { link, hear, log, until, core } = world()
    link(ada)
    link(bob)
    const told = (): number =>
      log.filter((effect) => effect.type === 'tell' && effect.to === bob.machine).length
    const before = told()
    const said = (sequence: number) => ({ ...invented(1), sequence })
    for (let sequence = 1; sequence <= 100; sequence++) hear(ada, [said(sequence)])
    expect(told() - before).toBe(8)
    expect(core.entryOf('machine-1')?.sequence).toBe(8)
    until(61_000)
    expect(core.entryOf('machine-1')?.sequence).toBe(100)
    expect(told() - before).toBe(9)
    for (let sequence = 101; sequence <= 200; sequence++) hear(ada, [said(sequence)])
    until(661_000)
    expect(core.entryOf('machine-1')?.sequence).toBe(200)
    expect(told() - before).toBeLessThanOrEqual(12)
  })

  it('does so first hand, too: links made anew tell nobody more', () => {
    const { link, post, log, until, core } = world()
    link(bob)
    const before = log.length
    for (let sequence = 1; sequence <= 50; sequence++) {
      link({ ...invented(1), sequence })
      post({ type: 'linkClosed', machine: 'machine-1', wallMs: sequence })
    }
    const told = (): number =>
      log.slice(before).filter((effect) => effect.type === 'tell' && effect.to === bob.machine)
        .length
    expect(told()).toBe(8)
    expect(core.entryOf('machine-1')?.sequence).toBe(50)
    until(61_000)
    expect(told()).toBe(9)
  })

  it('must be genuine, but for a few of a form that this version can’t read', () => {
    const { link, post, count } = world()
    link(ada)
    post({ type: 'verified', from: ada.machine, entries: [], forged: 50 })
    expect(count('dropLink')).toBe(0)
    post({ type: 'verified', from: ada.machine, entries: [], forged: 1 })
    expect(count('dropLink')).toBe(1)
    post({ type: 'verified', from: bob.machine, entries: [], forged: 500 })
    expect(count('dropLink')).toBe(1)
  })

  it('what was forged on a link is forgotten with it', () => {
    const { link, post, count } = world()
    const forged = (number: number): void => {
      post({ type: 'verified', from: ada.machine, entries: [], forged: number })
    }
    link(ada)
    forged(50)
    link(ada)
    forged(0)
    forged(50)
    expect(count('dropLink')).toBe(0)
    forged(1)
    expect(count('dropLink')).toBe(1)
    forged(0)
    expect(count('dropLink')).toBe(1)
  })
})
