import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import frozen from '../fixtures/places-v1.json' with { type: 'json' }
import { searchWork } from '../admission/work.ts'
import { placeOf, placeProofSchema, positionsOf, RINGS } from './place.ts'
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

  it('know those at one position by name, and each by itself', () => {
    const at = (machine: string, position = 0.5): Spot => ({
      machine,
      at: [position, position, position, position],
    })
    const rings = new Rings<Spot>()
    for (const machine of ['b', 'd', 'a', 'c']) rings.put(at(machine))
    const after = (machine: string): string[] =>
      rings.beside(at(machine), 0, 1, 9).map((spot) => spot.machine)
    expect(after('b')).toEqual(['c', 'd', 'a'])
    rings.remove('c')
    expect(after('b')).toEqual(['d', 'a'])
    rings.remove('a')
    expect([...rings.all()].map(({ machine }) => machine)).toEqual(['b', 'd'])
    expect(after('d')).toEqual(['b'])
  })

  it('know who is beside one that is not among them', () => {
    const rings = new Rings<Spot>()
    for (const name of ['a', 'b', 'c']) rings.put(spotOf(name))
    for (let ring = 0; ring < RINGS; ring++) {
      const stranger = spotOf('stranger')
      const order = rings.beside(stranger, ring, 1, 9)
      expect(order).toHaveLength(3)
      expect(rings.beside(stranger, ring, -1, 9)).toEqual(order.toReversed())
    }
  })

  it('tell how many there are where nothing can be measured: as many as are known', () => {
    const rings = new Rings<Spot>()
    const own = { machine: 'own', at: [0.5, 0.5, 0.5, 0.5] }
    expect(rings.estimate(own, 4)).toBe(1)
    for (const machine of ['a', 'b']) rings.put({ ...own, machine })
    expect(rings.estimate(own, 4)).toBe(3)
  })

  it('begin where they end', () => {
    expect(clockwise(0.3, 0.3)).toBe(0)
    expect(apart(0.3, 0.3)).toBe(0)
  })
})

describe('what an entry says for its place', () => {
  it('is of a kind with a short name, and no longer than it may be', () => {
    const reads = (kind: string, proof = '1'): boolean =>
      placeProofSchema.safeParse({ kind, proof }).success
    for (const kind of ['work', 'a', 'x-2', 'a'.repeat(40)]) expect(reads(kind)).toBe(true)
    for (const kind of ['', 'Work', '2x', '-x', 'a b', 'wörk', ' work', 'work\n', 'a'.repeat(41)]) {
      expect(reads(kind)).toBe(false)
    }
    expect(reads('work', 'x'.repeat(1_024))).toBe(true)
    expect(reads('work', 'x'.repeat(1_025))).toBe(false)
    expect(placeProofSchema.safeParse({ kind: 'work' }).success).toBe(false)
    expect(placeProofSchema.safeParse({ proof: '1' }).success).toBe(false)
  })
})
