import { describe, expect, it } from 'vitest'
import type { Revocation } from '../forms/revocation.ts'
import { RevokedMachines } from './revoked-machines.ts'

const UNTIL = '018bcfe56800-0005'

function revocation(fields: Partial<Revocation> = {}): Revocation {
  const form = { body: '{}', signature: '00'.repeat(64) }
  return {
    person: 'anna',
    machine: 'phone',
    cloud: 'c',
    sequence: 10,
    validUntil: UNTIL,
    form,
    ...fields,
  }
}
const phone = { person: 'anna', machine: 'phone', sequence: 10 }

describe('a revoked machine', () => {
  it('has signed what counts until then, and nothing that counts after it', () => {
    const revoked = new RevokedMachines()
    expect(revoked.revokes(phone, 'ffffffffffff-ffff')).toBe(false)
    expect(revoked.take(revocation())).toBe(true)
    expect(revoked.revokes(phone, UNTIL)).toBe(false)
    expect(revoked.revokes(phone, '018bcfe56800-0006')).toBe(true)
    expect(revoked.isRevoked(phone)).toBe(true)
  })

  it('has signed nothing that counts, if nothing is to stay', () => {
    const revoked = new RevokedMachines()
    revoked.take(revocation({ validUntil: null }))
    expect(revoked.revokes(phone, '000000000000-0000')).toBe(true)
  })

  it('is no other machine, and nobody else’s', () => {
    const revoked = new RevokedMachines()
    revoked.take(revocation({ validUntil: null }))
    expect(revoked.revokes({ ...phone, machine: 'desk' }, UNTIL)).toBe(false)
    expect(revoked.revokes({ ...phone, person: 'ben' }, UNTIL)).toBe(false)
    expect([revoked.hasPerson('anna'), revoked.hasPerson('ben')]).toEqual([true, false])
  })

  it('can be attested anew', () => {
    const revoked = new RevokedMachines()
    revoked.take(revocation({ validUntil: null }))
    const again = { ...phone, sequence: 11 }
    expect(revoked.isRevoked(again)).toBe(false)
    expect(revoked.revokes(again, 'ffffffffffff-ffff')).toBe(false)
    expect(revoked.revokes(phone, UNTIL)).toBe(true)
  })
})

describe('of several revocations of one machine', () => {
  it('the greatest sequence counts, in whichever order they come', () => {
    const earlier = revocation()
    const later = revocation({ sequence: 11, validUntil: null })
    for (const order of [
      [earlier, later],
      [later, earlier],
    ]) {
      const revoked = new RevokedMachines()
      for (const one of order) revoked.take(one)
      expect(revoked.get(phone)).toBe(later)
      expect(revoked.size).toBe(1)
    }
  })

  it('one that is known changes nothing, and of equal sequences the stricter counts', () => {
    const revoked = new RevokedMachines()
    expect([revoked.take(revocation()), revoked.take(revocation())]).toEqual([true, false])
    expect(revoked.take(revocation({ validUntil: null }))).toBe(true)
    expect(revoked.take(revocation())).toBe(false)
    expect(revoked.get(phone)?.validUntil).toBeNull()
  })
})

describe('who revokes without end', () => {
  it('makes room for others, and has no more than so many', () => {
    const revoked = new RevokedMachines({ ofPerson: 3, all: 5 })
    const of = (person: string, machine: string): boolean =>
      revoked.take(revocation({ person, machine }))
    expect(['1', '2', '3', '4'].map((machine) => of('many', machine))).toEqual([
      true,
      true,
      true,
      false,
    ])
    for (const person of ['anna', 'ben', 'cora']) expect(of(person, 'phone'), person).toBe(true)
    expect(revoked.size).toBe(5)
    expect(revoked.get({ person: 'many', machine: '3' })).toBeUndefined()
    expect(revoked.get({ person: 'anna', machine: 'phone' })).toBeDefined()
  })

  it('takes the place of nobody who was there before', () => {
    const revoked = new RevokedMachines({ ofPerson: 3, all: 2 })
    const taken = ['anna', 'ben', 'cora'].map((person) => revoked.take(revocation({ person })))
    expect(taken).toEqual([true, true, false])
    expect([revoked.size, revoked.hasPerson('anna'), revoked.hasPerson('cora')]).toEqual([
      2,
      true,
      false,
    ])
  })
})
