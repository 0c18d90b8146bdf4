// What the own seat signs is on the disk before it counts, and in its log.
import { describe, expect, test } from 'vitest'
import {
  CLOUD,
  descriptorOf,
  exchange,
  holder,
  keysOf,
  race,
  speech,
  Table,
  tablesOf,
} from '../../testing/session-tables.ts'
import type { Holder } from '../../testing/session-tables.ts'
import { signAttestation } from '../forms/attestation.ts'
import { readBlock } from './block.ts'
import type { RefereeEffect } from './referee-events.ts'

const [ANN, BOB] = [holder('ann'), holder('bob')]
const descriptor = descriptorOf([ANN, BOB])

const tables = (rules = race, of = descriptor) => tablesOf(of, rules, ANN, BOB)

const typesOf = (effects: readonly RefereeEffect[]): string[] => effects.map(({ type }) => type)

test('a full disk: what is signed is written later, and nothing else is signed meanwhile', () => {
  const [ann, bob] = tables()
  ann.failDisk = true
  expect(ann.act(3)).toBe('no answer')
  expect(ann.referee.trouble).toEqual({ what: 'disk', message: 'no space' })
  expect(ann.act(2)).toBe('UNAVAILABLE')
  ann.failDisk = false
  ann.step({ type: 'timer', id: 'append' })
  expect(ann.referee.trouble).toBeNull()
  exchange(ann, bob)
  expect(bob.referee.actions).toMatchObject([{ body: 3 }])
  expect(bob.referee.fault).toBeNull()
})

test('an action that is kept counts and is told at once, and only once, while the log can not be written', () => {
  const [ann, bob] = tables()
  ann.failLog = true
  expect(ann.act(3)).toBe(0)
  expect(ann.effects.filter(({ type }) => type === 'wrote')).toHaveLength(1)
  expect(ann.referee.actions).toMatchObject([{ body: 3 }])
  expect(ann.referee.trouble).toEqual({ what: 'disk', message: 'no space' })
  expect(ann.referee.isSettled).toBe(false)
  ann.failLog = false
  ann.step({ type: 'timer', id: 'append' })
  expect(ann.referee.trouble).toBeNull()
  expect(ann.effects.filter(({ type }) => type === 'wrote')).toHaveLength(1)
  exchange(ann, bob)
  expect(bob.act(1)).toBe(1)
  exchange(ann, bob)
  expect(ann.referee.actions).toMatchObject([{ body: 3 }, { body: 1 }])
})

test('after a restart nothing is signed before the own log is read to its end', () => {
  const [ann, bob] = tables()
  ann.act(3)
  exchange(ann, bob)
  bob.act(1)
  exchange(ann, bob)
  ann.act(1)
  const again = new Table(descriptor, race, null)
  const own = new Table(descriptor, race, ANN)
  own.step({ type: 'held', seat: 0, log: own.name, blocks: ann.log.length })
  expect(own.act(2)).toBe('SESSION_NOT_YOUR_TURN')
  const text = ann.log
  for (const block of text) own.step({ type: 'block', log: own.name, text: block })
  // Its second action goes on from one of Bob's that is not here yet.
  expect(own.act(2)).toBe('SESSION_NOT_YOUR_TURN')
  own.read(bob)
  own.step({ type: 'block', log: own.name, text: text.at(-1) ?? '' })
  exchange(bob, again)
  again.read(ann)
  expect(own.referee.actions).toHaveLength(3)
  expect(again.referee.fault).toBeNull()
})

describe('the log of the seat', () => {
  /** What its blocks are. */
  const kindsOf = ({ log }: Table): (string | undefined)[] =>
    log.map((text) => readBlock(text)?.type)

  test('has an attestation before the first action under it, and no second time', () => {
    const [ann] = tables(speech('x'))
    const own: Holder = { ...ANN }
    const table = new Table(descriptor, speech('x'), own)
    for (let count = 0; count < 3; count++) table.act('x')
    expect(kindsOf(table)).toEqual(['attestation', 'action', 'action', 'action'])
    const statement = { person: ANN.person, machine: ANN.machine, cloud: CLOUD }
    own.attestation = signAttestation(
      { ...statement, sequence: 2, expiresMs: 10 ** 13 },
      keysOf('ann').secretKey,
    )
    for (let count = 0; count < 2; count++) table.act('x')
    expect(kindsOf(table).slice(4)).toEqual(['attestation', 'action', 'action'])
    ann.read({ name: 'other', log: table.log })
    expect(ann.dropped).toEqual([])
    expect(ann.referee.length).toBe(5)
  })

  test('is gone on with after a restart, under the attestation that it has', () => {
    const [ann] = tables(speech('x'))
    ann.act('x')
    const again = new Table(descriptor, speech('x'), ANN)
    again.step({ type: 'held', seat: 0, log: again.name, blocks: ann.log.length })
    expect([again.referee.isSettled, again.act('x')]).toEqual([false, 'SESSION_NOT_YOUR_TURN'])
    again.read(ann)
    expect([again.referee.isSettled, again.act('x')]).toEqual([true, 1])
    expect(kindsOf(again)).toEqual(['action'])
  })
})

describe('the disk', () => {
  test('is asked once for one action, however often it is time to', () => {
    const [ann] = tables()
    ann.slowDisk = true
    const timer = (): RefereeEffect[] => ann.told(() => ann.step({ type: 'timer', id: 'append' }))
    expect(timer()).toEqual([])
    expect(typesOf(ann.told(() => ann.act(3)))).toEqual(['append'])
    expect(timer()).toEqual([])
    ann.step({ type: 'appended', token: 1, ok: false, message: 'no space' })
    expect(timer()).toMatchObject([{ type: 'append', token: 2 }])
    expect(timer()).toEqual([])
    ann.step({ type: 'appended', token: 2, ok: true })
    expect(timer()).toEqual([])
    expect(ann.referee.actions).toMatchObject([{ body: 3 }])
  })

  test('that fails is asked again after a while, that doubles up to half a minute', () => {
    const [ann] = tables(speech('x'))
    ann.failDisk = true
    const fail = (deed: () => void): RefereeEffect[] =>
      ann.told(deed).filter(({ type }) => type !== 'append')
    const waits = (afterMs: number): object[] => [
      { type: 'changed' },
      { type: 'setTimer', id: 'append', afterMs },
    ]
    expect(fail(() => ann.act('x'))).toEqual(waits(250))
    for (const afterMs of [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      expect(fail(() => ann.step({ type: 'timer', id: 'append' }))).toEqual(waits(afterMs))
    }
    ann.failDisk = false
    const told = ann.told(() => ann.step({ type: 'timer', id: 'append' }))
    expect(typesOf(told)).toContain('acted')
    expect(told.at(-1)).toEqual({ type: 'changed' })
    ann.failDisk = true
    expect(fail(() => ann.act('x'))).toEqual(waits(250))
  })

  test('does not answer for what it was not asked, nor twice', () => {
    const [ann] = tables()
    ann.slowDisk = true
    ann.act(3)
    const said = (event: Parameters<Table['step']>[0]): RefereeEffect[] =>
      ann.told(() => ann.step(event))
    for (const token of [0, 2]) {
      expect(said({ type: 'kept', token })).toEqual([])
      expect(said({ type: 'appended', token, ok: true })).toEqual([])
      expect(said({ type: 'appended', token, ok: false, message: 'no' })).toEqual([])
    }
    expect([ann.referee.actions, ann.referee.trouble]).toEqual([[], null])
    expect(typesOf(said({ type: 'kept', token: 1 }))).toContain('acted')
    expect(said({ type: 'kept', token: 1 })).toEqual([])
    expect(said({ type: 'appended', token: 1, ok: true })).toEqual([{ type: 'changed' }])
    expect(said({ type: 'appended', token: 1, ok: true })).toEqual([])
  })

  test('has to have it before the seat is settled', () => {
    const [ann] = tables()
    expect(ann.referee.isSettled).toBe(true)
    ann.slowDisk = true
    ann.act(3)
    expect(ann.referee.isSettled).toBe(false)
    ann.step({ type: 'appended', token: 1, ok: true })
    expect(ann.referee.isSettled).toBe(true)
  })
})
