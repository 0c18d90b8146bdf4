// Who is asked of a machine that fell silent, whom this one answers, and when it takes itself for the one that is cut off.
import { describe, expect, it } from 'vitest'
import { circle, sent, start } from '../../testing/ring-place.ts'
import type { RingEffect } from './ring-events.ts'

describe('a cut of one’s own', () => {
  it('is taken for that when more links fell silent within ten seconds than are left', () => {
    const { core, open, post, tick } = start()
    expect(core.isCutOff).toBe(true)
    for (const member of circle(4)) open(member)
    expect(core.isCutOff).toBe(false)
    const lose = (machine: string): void => void post({ type: 'linkClosed', machine, silent: true })
    lose('m0')
    lose('m1')
    // As many as are left are not yet more.
    expect(core.isCutOff).toBe(false)
    lose('m2')
    expect(core.isCutOff).toBe(true)
    tick(9_999)
    expect(core.isCutOff).toBe(true)
    tick(1)
    expect(core.isCutOff).toBe(false)
  })

  it('is none where the others ended their links themselves', () => {
    const { core, open, post } = start()
    for (const member of circle(4)) open(member)
    for (const machine of ['m0', 'm1', 'm2']) post({ type: 'linkClosed', machine, silent: false })
    expect(core.isCutOff).toBe(false)
  })
})

describe('others that ask of a machine', () => {
  const probed = (effects: readonly RingEffect[]): string[] => sent(effects, 'probed')

  it('are answered sixteen of, and each once', () => {
    const { open, hear, post } = start()
    const around = circle(20)
    for (const member of around) open(member)
    const linked = around.filter(
      ({ machine }) => hear(machine, { kind: 'probe', machine: 'm0' }).length > 0,
    )
    expect(linked.length).toBeGreaterThan(15)
    expect(probed(post({ type: 'answered', machine: 'm0' }))).toHaveLength(16)
    expect(probed(post({ type: 'answered', machine: 'm0' }))).toEqual([])
  })

  it('have it looked at for them as often as one needs that loses all, and then once in two seconds', () => {
    const { open, hear, later } = start()
    for (const member of circle(5)) open(member)
    const looks = (times: number): number => {
      let count = 0
      for (let i = 0; i < times; i++) {
        later(200)
        const effects = hear('m1', { kind: 'probe', machine: 'm0' })
        count += effects.filter(({ type }) => type === 'check').length
      }
      return count
    }
    expect(looks(60)).toBe(60)
    looks(60)
    expect(looks(50)).toBe(5)
    // Others are heard as before.
    expect(hear('m2', { kind: 'probe', machine: 'm0' })).not.toEqual([])
  })

  it('of more than 64 machines are forgotten, those of the first ones', () => {
    for (const [others, answers] of [
      [63, 1],
      [64, 0],
    ] as const) {
      const { open, hear, post, later } = start()
      for (const member of circle(2)) open(member)
      hear('m1', { kind: 'probe', machine: 'm0' })
      for (let i = 0; i < others; i++) {
        later(100)
        hear('m1', { kind: 'probe', machine: `none ${i}` })
      }
      expect(probed(post({ type: 'answered', machine: 'm0' }))).toHaveLength(answers)
    }
  })

  it('have lost it as well as long as ten seconds', () => {
    for (const [afterMs, goneAtOnce] of [
      [9_999, true],
      [10_000, false],
    ] as const) {
      const { open, hear, post, later } = start()
      for (const member of circle(5)) open(member)
      hear('m1', { kind: 'probe', machine: 'm0' })
      later(afterMs)
      const effects = post({ type: 'linkClosed', machine: 'm0', silent: true })
      expect(effects.some(({ type }) => type === 'gone')).toBe(goneAtOnce)
      // Who asked of it looks at its own link already.
      expect(sent(effects, 'probe')).toEqual(['m2', 'm3', 'm4'])
    }
  })

  it('have their answer for ten seconds, if it comes, and are forgotten then', () => {
    for (const [afterMs, answers] of [
      [10_000, 1],
      [10_001, 0],
    ] as const) {
      const { open, hear, post, tick } = start()
      for (const member of circle(3)) open(member)
      hear('m1', { kind: 'probe', machine: 'm0' })
      tick(afterMs)
      expect(probed(post({ type: 'answered', machine: 'm0' }))).toHaveLength(answers)
    }
  })
})

describe('who fell silent', () => {
  it('is asked of nobody without a link', () => {
    const { know, open, post } = start()
    const around = circle(12)
    know(...around)
    for (const at of [0, 6, 11]) open(around[at]!)
    const effects = post({ type: 'linkClosed', machine: 'm6', silent: true })
    expect(sent(effects, 'probe').toSorted()).toEqual(['m0', 'm11'])
  })

  it('is asked of all that are linked, is suspected meanwhile, and gone after two seconds', () => {
    const { core, open, post, tick } = start()
    for (const member of circle(12)) open(member)
    const effects = post({ type: 'linkClosed', machine: 'm6', silent: true })
    const others = circle(12).map(({ machine }) => machine)
    expect(sent(effects, 'probe')).toEqual(others.filter((machine) => machine !== 'm6'))
    expect(core.isSuspected('m6')).toBe(true)
    expect(core.isSuspected('m5')).toBe(false)
    expect(tick(1_999).some(({ type }) => type === 'gone')).toBe(false)
    expect(tick(1)).toContainEqual({ type: 'gone', machine: 'm6' })
    expect(core.isSuspected('m6')).toBe(false)
  })

  it('is suspected no more once its link is there again', () => {
    const { core, open, post, tick } = start()
    for (const member of circle(6)) open(member)
    post({ type: 'linkClosed', machine: 'm3', silent: true })
    open(circle(6)[3]!)
    expect(core.isSuspected('m3')).toBe(false)
    expect(tick(3_000).some(({ type }) => type === 'gone')).toBe(false)
  })
})
