import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PartShares } from './part-shares.ts'

const BUDGET = 100

/** Takes a part in for somebody, and gives way as far as needed. */
function keep(shares: PartShares, hash: string, owner: string, sizeBytes = 10): void {
  shares.add(hash, sizeBytes)
  shares.claim(hash, owner)
  while (shares.giveWay(BUDGET, owner) !== null);
}

test('who keeps thousands of parts pushes out their own, the oldest first', () => {
  const shares = new PartShares()
  for (const hash of ['ann 1', 'ann 2', 'ann 3']) keep(shares, hash, 'ann')
  for (let number = 0; number < 2_000; number++) keep(shares, `eve ${number}`, 'eve')
  for (const hash of ['ann 1', 'ann 2', 'ann 3']) expect(shares.has(hash)).toBe(true)
  expect(shares.has('eve 1999')).toBe(true)
  expect(shares.has('eve 1993')).toBe(true)
  expect(shares.has('eve 1992')).toBe(false)
})

test('alone, a person has the whole budget, until others come', () => {
  const shares = new PartShares()
  for (let number = 0; number < 10; number++) keep(shares, `eve ${number}`, 'eve')
  expect(shares.has('eve 0')).toBe(true)
  for (let number = 0; number < 5; number++) keep(shares, `ann ${number}`, 'ann')
  expect([4, 5].map((number) => shares.has(`eve ${number}`))).toEqual([false, true])
  // As much as Eve has: from now on Ann's own go.
  keep(shares, 'ann 5', 'ann')
  expect([shares.has('eve 5'), shares.has('ann 0')]).toEqual([true, false])
})

test('what was used last is the last to go', () => {
  const shares = new PartShares()
  for (let number = 0; number < 10; number++) keep(shares, `eve ${number}`, 'eve')
  shares.use('eve 0')
  keep(shares, 'eve 10', 'eve')
  expect([shares.has('eve 0'), shares.has('eve 1')]).toEqual([true, false])
})

test('who lays claim to what others have takes nothing from them', () => {
  const shares = new PartShares()
  for (let number = 0; number < 5; number++) keep(shares, `ann ${number}`, 'ann')
  for (let number = 0; number < 5; number++) keep(shares, `ann ${number}`, 'eve')
  for (let number = 0; number < 100; number++) keep(shares, `eve ${number}`, 'eve')
  for (let number = 0; number < 5; number++)
    expect(shares.ownersOf(`ann ${number}`)).toEqual(['ann'])
})

test('what is larger than the budget is not kept, and nothing else goes for it', () => {
  const shares = new PartShares()
  keep(shares, 'ann', 'ann')
  keep(shares, 'eve', 'eve', 101)
  expect([shares.has('ann'), shares.has('eve')]).toEqual([true, false])
})

test('many claims to one part are not all noted', () => {
  const shares = new PartShares()
  for (let number = 0; number < 100; number++) keep(shares, 'rules', `person ${number}`)
  expect(shares.ownersOf('rules')).toHaveLength(16)
})

const owners = fc.constantFrom('ann', 'bob', 'eve')
const step = fc.record({
  owner: owners,
  part: fc.nat(30),
  deed: fc.constantFrom('keep', 'keep', 'keep', 'use', 'forget'),
})

test('whatever comes: all is within the budget, and an equal share is nobody else’s', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const shares = new PartShares()
      const sizeOf = (part: number): number => 1 + ((part * 7) % 30)
      const all = Array.from({ length: 31 }, (_, part) => part)
      const claimsOf = (owner: string): number[] =>
        all.filter((part) => shares.ownersOf(`${part}`).includes(owner))
      const bytesOf = (parts: number[]): number => parts.reduce((sum, n) => sum + sizeOf(n), 0)
      for (const { owner, part, deed } of steps) {
        const modest = ['ann', 'bob', 'eve']
          .filter((other) => other !== owner)
          .map((other) => ({ other, parts: claimsOf(other) }))
          .filter(({ parts }) => deed !== 'forget' && bytesOf(parts) <= BUDGET / 3)
        if (deed === 'use') shares.use(`${part}`)
        else if (deed === 'forget') shares.forget(`${part}`)
        else keep(shares, `${part}`, owner, sizeOf(part))
        for (const { other, parts } of modest) expect(claimsOf(other)).toEqual(parts)
        expect(bytesOf(all.filter((one) => shares.has(`${one}`)))).toBeLessThanOrEqual(BUDGET)
        for (const one of all) {
          expect(shares.has(`${one}`)).toBe(shares.ownersOf(`${one}`).length > 0)
        }
      }
    }),
  )
})

test('a claim is noted once, of what is here; the answer says whether', () => {
  const shares = new PartShares()
  expect(shares.claim('rules', 'ann')).toBe(false)
  shares.add('rules', 10)
  expect(shares.claim('rules', 'ann')).toBe(true)
  expect(shares.claim('rules', 'ann')).toBe(false)
  for (let number = 0; number < 15; number++) {
    expect(shares.claim('rules', `person ${number}`)).toBe(true)
  }
  expect(shares.claim('rules', 'bob')).toBe(false)
})

test('who writes gives way before others that have as much, and it is said what was given up', () => {
  for (const writer of ['ann', 'eve']) {
    const shares = new PartShares()
    for (const owner of ['ann', 'eve', 'bob']) {
      shares.add(`of ${owner}`, 40)
      shares.claim(`of ${owner}`, owner)
    }
    expect(shares.giveWay(BUDGET, writer)).toEqual({ hash: `of ${writer}`, owner: writer })
    expect(shares.has(`of ${writer}`)).toBe(false)
    expect(shares.giveWay(BUDGET, writer)).toBeNull()
  }
})

test('who writes without a share takes from who has most', () => {
  const shares = new PartShares()
  shares.add('part', 101)
  // Nobody lays claim to it: there is nobody to give way.
  expect(shares.giveWay(BUDGET, 'bob')).toBeNull()
  shares.claim('part', 'ann')
  expect(shares.giveWay(BUDGET, 'bob')).toEqual({ hash: 'part', owner: 'ann' })
})
