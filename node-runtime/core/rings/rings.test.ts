import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import frozen from '../fixtures/places-v1.json' with { type: 'json' }
import { searchWork } from '../admission/work.ts'
import { placeOf, positionsOf, RINGS } from './place.ts'
import { apart, clockwise, Rings } from './rings.ts'
import type { Spot } from './rings.ts'

const spotOf = (machine: string): Spot => ({ machine, at: positionsOf(machine) })
const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { maxLength: 30 })

describe('the place of a machine', () => {
  const cloud = 'cloud'
  const machine = 'machine'

  it('follows from the work that let it in, where the cloud asks for work', () => {
    const nonce = searchWork({ cloud, machine, bits: 4 }, 0, 10_000)!
    const other = searchWork({ cloud, machine, bits: 4 }, Number.parseInt(nonce, 36) + 1, 10_000)!
    const place = (proof: string, kind = 'work', bits = 4): string | null =>
      placeOf({ cloud, machine, place: { kind, proof } }, bits)
    expect(place(nonce)).toMatch(/^[0-9a-f]{64}$/)
    expect(place(other)).not.toBe(place(nonce))
    // Neither work of another machine, nor too little, nor another kind.
    expect(placeOf({ cloud, machine: 'm2', place: { kind: 'work', proof: nonce } }, 30)).toBeNull()
    expect(place(nonce, 'work', 40)).toBeNull()
    expect(place(nonce, 'ecvrf')).toBeNull()
    expect(placeOf({ cloud, machine }, 0)).toBeNull()
  })

  it('follows from the key elsewhere, whatever the entry says', () => {
    const place = placeOf({ cloud, machine }, null)
    expect(placeOf({ cloud, machine, place: { kind: 'work', proof: '1' } }, null)).toBe(place)
    expect(placeOf({ cloud: 'another', machine }, null)).not.toBe(place)
    expect(placeOf({ cloud, machine: 'another' }, null)).not.toBe(place)
  })

  it('is what it was when it was frozen', () => {
    const { cloud: frozenCloud, machine: frozenMachine, workBits, nonce, byWork, byKey } = frozen
    const placed = {
      cloud: frozenCloud,
      machine: frozenMachine,
      place: { kind: 'work', proof: nonce },
    }
    expect(placeOf(placed, workBits)).toBe(byWork.place)
    expect(placeOf(placed, null)).toBe(byKey.place)
    expect(positionsOf(byWork.place)).toEqual(byWork.positions)
    expect(positionsOf(byKey.place)).toEqual(byKey.positions)
  })

  it('is another one on each ring, spread evenly', () => {
    const counts = Array.from({ length: 10 }, () => 0)
    for (let i = 0; i < 1_000; i++) {
      const at = positionsOf(`place ${i}`)
      expect(new Set(at).size).toBe(RINGS)
      for (const position of at) counts[Math.floor(position * 10)]! += 1
    }
    for (const count of counts) expect(count).toBeGreaterThan(320)
  })
})

describe('the rings', () => {
  it('know who comes next and who came before, as sorting says', () => {
    fc.assert(
      fc.property(names, names, fc.nat(RINGS - 1), (some, gone, ring) => {
        const rings = new Rings<Spot>()
        for (const name of some) rings.put(spotOf(name))
        for (const name of gone) rings.remove(name)
        const left = some.filter((name) => !gone.includes(name)).map((name) => spotOf(name))
        expect(rings.size).toBe(left.length)
        for (const spot of left) {
          const others = left.filter(({ machine }) => machine !== spot.machine)
          const order = others.toSorted(
            (a, b) =>
              clockwise(spot.at[ring]!, a.at[ring]!) - clockwise(spot.at[ring]!, b.at[ring]!),
          )
          expect(rings.beside(spot, ring, 1, 99)).toEqual(order)
          expect(rings.beside(spot, ring, -1, 99)).toEqual(order.toReversed())
          expect(rings.beside(spot, ring, 1, 2)).toEqual(order.slice(0, 2))
        }
      }),
    )
  })

  it('know a place once, where it was said last', () => {
    const rings = new Rings<Spot>()
    rings.put(spotOf('a'))
    rings.put({ machine: 'a', at: positionsOf('elsewhere') })
    expect(rings.size).toBe(1)
    rings.remove('a')
    expect(rings.beside(spotOf('b'), 0, 1, 9)).toEqual([])
    expect(rings.size).toBe(0)
  })

  it('tell how many there are from the nearest alone', () => {
    const all = new Rings<Spot>()
    for (let i = 0; i < 5_000; i++) all.put(spotOf(`machine ${i}`))
    const guesses: number[] = []
    for (let i = 0; i < 40; i++) {
      const own = spotOf(`machine ${i}`)
      const near = new Rings<Spot>()
      for (const spot of all.near(own, 4)) near.put(spot)
      expect(near.size).toBeLessThanOrEqual(32)
      guesses.push(near.estimate(own, 4))
    }
    const sorted = guesses.toSorted((a, b) => a - b)
    expect(sorted[0]).toBeGreaterThan(2_500)
    expect(sorted.at(-1)).toBeLessThan(10_000)
  })

  it('are round', () => {
    expect(clockwise(0.9, 0.1)).toBeCloseTo(0.2)
    expect(clockwise(0.1, 0.9)).toBeCloseTo(0.8)
    expect(apart(0.9, 0.1)).toBeCloseTo(0.2)
    expect(apart(0.3, 0.1)).toBeCloseTo(0.2)
  })
})
