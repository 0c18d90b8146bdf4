import { describe, expect, it } from 'vitest'
import { FORGET_MS, MAX_FAILURES, MAX_REMEMBERED, RelayChoice, SLOW_MS } from './relay-choice.ts'
import type { RelayOffer } from './relay-choice.ts'

const offer = (key: string, latencyMs: number | null, host: string | null = null): RelayOffer => ({
  machine: `machine of ${key}`,
  key,
  host,
  latencyMs,
})
const near = offer('near', 10)
const middle = offer('middle', 50)
const far = offer('far', 200)
const all = [far, offer('unmeasured', null), near, middle]
/** In which order they are tried for a machine, if each fails with it. */
function order(choice: RelayChoice, offers = all, target = 'ben', nowMs = 0): string[] {
  return offers.map(() => {
    const chosen = choice.choose(offers, target, nowMs)
    if (chosen === null) throw new Error('there is none')
    choice.failed(chosen.key, target, nowMs)
    return chosen.key
  })
}

describe('through whom to go', () => {
  it('the nearest is taken, and each other one when those before it have failed', () => {
    expect(order(new RelayChoice())).toEqual(['near', 'middle', 'far', 'unmeasured'])
    expect(new RelayChoice().choose([], 'ben', 0)).toBe(null)
  })

  it('who has served fast comes first, and who was slow last', () => {
    const choice = new RelayChoice()
    choice.served('far', SLOW_MS)
    choice.served('near', SLOW_MS + 1)
    expect(order(choice)).toEqual(['far', 'middle', 'unmeasured', 'near'])
  })

  it('who failed with one machine is tried last with all others, too, until it serves', () => {
    const choice = new RelayChoice()
    choice.failed('near', 'ben', 0)
    expect(choice.choose(all, 'cleo', 0)).toBe(middle)
    choice.served('near', 5)
    expect(choice.choose(all, 'cleo', 0)).toBe(near)
    expect(choice.choose(all, 'ben', 0)).toBe(near)
  })

  it('a machine with which all fail makes none of them the worse', () => {
    const choice = new RelayChoice()
    order(choice, all, 'nobody')
    expect(choice.choose(all, 'nobody', 0)).toBe(near)
    expect(choice.choose(all, 'ben', 0)).toBe(near)
    // Once more is no second machine.
    choice.failed('near', 'nobody', 1)
    expect(choice.choose(all, 'ben', 1)).toBe(near)
    choice.failed('near', 'another', 1)
    expect(choice.choose(all, 'ben', 1)).toBe(middle)
  })

  it('when all have failed with a machine, they take turns', () => {
    const choice = new RelayChoice()
    for (let nowMs = 1; nowMs <= 8; nowMs++) {
      const chosen = choice.choose([far, near], 'ben', nowMs)
      expect(chosen).toBe(nowMs % 2 === 1 ? near : far)
      choice.failed(chosen!.key, 'ben', nowMs)
    }
  })

  it('for a machine with which it failed a worse one is better', () => {
    const choice = new RelayChoice()
    for (const target of ['a', 'b', 'c']) choice.failed('middle', target, 0)
    choice.failed('near', 'ben', 0)
    expect(choice.choose([near, middle], 'ben', 0)).toBe(middle)
    expect(choice.hasFailed('near', 'ben', 0)).toBe(true)
    expect(choice.hasFailed('middle', 'ben', 0)).toBe(false)
  })

  it('one of another network than who failed comes before its neighbours', () => {
    const [bad, neighbour, elsewhere] = [
      offer('bad', 1, '10.1.0.1'),
      offer('neighbour', 2, '10.1.200.1'),
      offer('elsewhere', 90, '10.2.0.1'),
    ]
    expect(order(new RelayChoice(), [bad, neighbour, elsewhere])).toEqual([
      'bad',
      'elsewhere',
      'neighbour',
    ])
    const mixed = [offer('one', 1, '1.23.0.1'), offer('other', 2, '12.3.0.1'), offer('last', 3)]
    expect(order(new RelayChoice(), mixed)).toEqual(['one', 'other', 'last'])
    // On this computer addresses say nothing.
    expect(order(new RelayChoice(), [near, middle, offer('x', 60, '1.1.1.1')])).toEqual([
      'near',
      'middle',
      'x',
    ])
  })

  it('a failure is forgotten after a while, and all in another network', () => {
    const choice = new RelayChoice()
    choice.failed('near', 'ben', 0)
    expect(choice.choose(all, 'cleo', FORGET_MS - 1)).toBe(middle)
    expect(choice.choose(all, 'cleo', FORGET_MS)).toBe(near)
    expect(choice.hasFailed('near', 'ben', FORGET_MS)).toBe(false)
    choice.failed('near', 'ben', FORGET_MS)
    choice.served('far', 1)
    choice.forget()
    expect(choice.choose(all, 'ben', FORGET_MS)).toBe(near)
  })

  it('remembers so much and no more: the newest', () => {
    const choice = new RelayChoice()
    for (let at = 0; at <= MAX_FAILURES; at++) choice.failed('near', `machine ${at}`, 0)
    expect(choice.hasFailed('near', 'machine 0', 0)).toBe(false)
    expect(choice.hasFailed('near', 'machine 1', 0)).toBe(true)
    for (let at = 1; at < MAX_REMEMBERED; at++) choice.served(`relay ${at}`, 1)
    choice.failed('near', 'ben', 0)
    choice.served('one more', 1)
    expect(choice.hasFailed('near', 'ben', 0)).toBe(true)
    for (let at = 0; at < MAX_REMEMBERED; at++) choice.served(`new ${at}`, 1)
    expect(choice.hasFailed('near', 'ben', 0)).toBe(false)
  })
})
