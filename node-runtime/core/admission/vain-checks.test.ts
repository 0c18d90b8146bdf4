import { expect, it } from 'vitest'
import type { VerifySignature } from '../forms/signed-form.ts'
import { VainChecks } from './vain-checks.ts'

const KEY = new Uint8Array(32)
const SIGNATURE = new Uint8Array(64)

/** A door that counts what is checked. What begins with `good` is signed. */
function door() {
  let checked = 0
  const check: VerifySignature = (message) => {
    checked++
    return Buffer.from(message).toString().startsWith('good')
  }
  const checks = new VainChecks(check)
  /** A chain whose last link is made up unless all are good. */
  const show = (address: string, chain: readonly string[], nowMs = 0): string | null =>
    checks.judge(address, nowMs, (one) =>
      chain.every((link) => one(Buffer.from(link), SIGNATURE, KEY)) ? null : 'INVALID',
    )
  const cost = (run: () => void): number => {
    checked = 0
    run()
    return checked
  }
  return { show, cost }
}

const genuine = Array.from({ length: 30 }, (_, at) => `good ${at}`)

it('what has held once is not checked again, whoever shows it', () => {
  const { show, cost } = door()
  expect(cost(() => expect(show('a', genuine)).toBeNull())).toBe(30)
  expect(cost(() => expect(show('b', genuine)).toBeNull())).toBe(0)
  expect(cost(() => expect(show('b', [...genuine, 'made up'])).toBe('INVALID'))).toBe(1)
  // What did not hold is no better the next time.
  expect(cost(() => expect(show('b', [...genuine, 'made up'])).toBe('INVALID'))).toBe(1)
})

it('the same text by another key, or with another signature, is another', () => {
  let checked = 0
  const checks = new VainChecks(() => {
    checked++
    return true
  })
  const text = Buffer.from('text')
  checks.judge('a', 0, (check) => {
    check(text, SIGNATURE, KEY)
    check(text, SIGNATURE, new Uint8Array(32).fill(1))
    check(text, new Uint8Array(64).fill(1), KEY)
    check(text, SIGNATURE, KEY)
    return null
  })
  expect(checked).toBe(3)
})

it('who shows what does not hold is listened to for a while, then no more, and again later', () => {
  const { show, cost } = door()
  const vain = (at: number): string[] => [...genuine.map((link) => `${link} of ${at}`), 'made up']
  let shown = 0
  const spent = cost(() => {
    while (show('a', vain(shown)) === 'INVALID') shown++
  })
  expect(shown).toBe(9)
  expect(spent).toBe(9 * 31)
  expect(cost(() => expect(show('a', ['good'])).toBe('TOO_BUSY'))).toBe(0)
  // Others are not taken for them.
  expect(show('b', genuine)).toBeNull()
  // Four a second are forgiven.
  expect(show('a', ['good news'], 5_000)).toBe('TOO_BUSY')
  expect(show('a', ['good news'], 6_000)).toBeNull()
})

it('keeps out nobody at the same address, or behind the same relay, who was in before', () => {
  const { show, cost } = door()
  expect(show('relay', genuine)).toBeNull()
  for (let at = 0; show('relay', [`made up ${at}`]) === 'INVALID'; at++);
  expect(cost(() => expect(show('relay', genuine)).toBeNull())).toBe(0)
  expect(cost(() => expect(show('relay', [...genuine, 'good new'])).toBe('TOO_BUSY'))).toBe(0)
  // What is wrong with it without any signature is said as it is.
  expect(show('relay', [])).toBeNull()
})

it('a school behind one address costs nothing as long as what it shows holds', () => {
  const { show } = door()
  for (let at = 0; at < 1_000; at++) expect(show('a', [...genuine, `good pupil ${at}`])).toBeNull()
})

it('what is remembered is bounded', () => {
  const { show, cost } = door()
  show('a', ['good old'])
  for (let at = 0; at < 4_095; at++) show('a', [`good ${at}`])
  expect(cost(() => show('a', ['good old']))).toBe(0)
  // It was shown again just now, and stays while others go.
  for (let at = 0; at < 4_095; at++) show('a', [`good more ${at}`])
  expect(cost(() => show('a', ['good old']))).toBe(0)
  for (let at = 0; at < 4_096; at++) show('a', [`good once more ${at}`])
  expect(cost(() => show('a', ['good old']))).toBe(1)
})

it('of many addresses those that were heard of last are kept in mind', () => {
  const { show } = door()
  const exhaust = (address: string): void => {
    for (let at = 0; show(address, [`made up ${at}`]) === 'INVALID'; at++);
  }
  exhaust('first')
  for (let at = 0; at < 1_023; at++) show(`address ${at}`, ['made up'])
  expect(show('first', ['good'])).toBe('TOO_BUSY')
  show('one more', ['made up'])
  expect(show('first', ['good'])).toBeNull()
})

it('who showed something in vain again just now is not forgotten for who did so before', () => {
  const { show } = door()
  show('again', ['made up'])
  for (let at = 0; at < 1_023; at++) show(`address ${at}`, ['made up'])
  for (let at = 0; show('again', [`made up ${at}`]) === 'INVALID'; at++);
  show('one more', ['made up'])
  expect(show('again', ['good'])).toBe('TOO_BUSY')
})
