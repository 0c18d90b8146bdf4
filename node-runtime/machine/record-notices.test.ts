import { expect, it } from 'vitest'
import type { StoreDamage } from '../ports/record-store.ts'
import { damageNotice, joinDamage, putAsideNotice } from './record-notices.ts'

it.each([
  [[1], '1 record on this disk was damaged.'],
  [[2, 3, 1], '6 records on this disk were damaged.'],
  [[2, null], 'Records on this disk were damaged.'],
  [[null, 2], 'Records on this disk were damaged.'],
])('damage is one notice, however often it is found: %j', (each, words) => {
  const damage = each.reduce<StoreDamage | null>((all, lost) => joinDamage(all, { lost }), null)
  const { code, message } = damageNotice(damage as StoreDamage)
  expect(code).toBe('RECORDS_DAMAGED')
  expect(message.startsWith(words)).toBe(true)
})

it('what is put aside is counted', () => {
  expect(putAsideNotice(1).message).toMatch(/^1 record on/)
  expect(putAsideNotice(2).message).toMatch(/^2 records on/)
})
