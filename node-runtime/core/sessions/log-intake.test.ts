import { describe, expect, test } from 'vitest'
import {
  CLOUD,
  descriptorOf,
  exchange,
  holder,
  longRace,
  race,
  tablesOf,
} from '../../testing/session-tables.ts'
import type { Holder } from '../../testing/session-tables.ts'
import { forgedLog, signedAction, Way } from '../../testing/signed-actions.ts'
import type { SeatAction } from './action.ts'
import { writeBlock } from './block.ts'
import { Branches } from './branches.ts'
import { LogIntake } from './log-intake.ts'
import type { Taken } from './log-intake.ts'
import { sessionId } from './position.ts'
import type { RefereeEffect } from './referee-events.ts'

const [ANN, BOB, EVE] = [holder('ann'), holder('bob'), holder('eve')]
const descriptor = descriptorOf([ANN, BOB])
const session = sessionId(descriptor)
const start = new Way(descriptor)

const attested = ({ attestation }: Holder): string =>
  writeBlock({ type: 'attestation', form: attestation.form })
const blockOf = ({ form }: SeatAction): string => writeBlock({ type: 'action', form })

function intakeOf() {
  const branches = new Branches(2)
  const intake = new LogIntake({ session, descriptor, cloud: CLOUD, check: undefined }, branches)
  return { branches, intake }
}

const none: Taken = { effects: [], isNews: false }
const readOn = (log: string): RefereeEffect => ({ type: 'readOn', log })
const dropLog = (log: string, reason: string): RefereeEffect => ({ type: 'dropLog', log, reason })

describe('a log is read on', () => {
  test('as each of its blocks is taken in; only an action is news, and once', () => {
    const { branches, intake } = intakeOf()
    const action = blockOf(start.with(ANN).last)
    const goOn = [readOn('hers')]
    expect(intake.takeBlock('hers', attested(ANN))).toEqual({ effects: goOn, isNews: false })
    expect(intake.takeBlock('hers', action)).toEqual({ effects: goOn, isNews: true })
    expect(intake.takeBlock('hers', action)).toEqual({ effects: goOn, isNews: false })
    expect(branches.size).toBe(1)
  })

  test('not while its last action waits for another’s; then it goes on from there', () => {
    const { branches, intake } = intakeOf()
    const way = start.with(ANN).with(BOB).with(BOB, { type: 'chat' })
    const [first, second, third] = way.actions as readonly [SeatAction, SeatAction, SeatAction]
    intake.takeBlock('his', attested(BOB))
    expect(intake.takeBlock('his', blockOf(second))).toEqual(none)
    // Whoever hands in the next block all the same is not heard.
    expect(intake.takeBlock('his', blockOf(third))).toEqual(none)
    expect(intake.takeBlock('his', 'rubbish')).toEqual(none)
    expect(intake.wake()).toEqual([])
    intake.takeBlock('hers', attested(ANN))
    expect(intake.takeBlock('hers', blockOf(first))).toEqual({
      effects: [readOn('hers')],
      isNews: true,
    })
    expect(intake.wake()).toEqual([readOn('his')])
    expect(intake.wake()).toEqual([])
    expect(branches.size).toBe(2)
    expect(intake.takeBlock('his', blockOf(third))).toEqual({
      effects: [readOn('his')],
      isNews: true,
    })
  })

  test('not until all is here that its action waits for', () => {
    const { intake } = intakeOf()
    const way = start.with(ANN).with(BOB).with(ANN)
    const [first, second, third] = way.actions as readonly [SeatAction, SeatAction, SeatAction]
    for (const [log, who] of [
      ['hers', ANN],
      ['his', BOB],
      ['her phone’s', ANN],
    ] as const) {
      intake.takeBlock(log, attested(who))
    }
    expect(intake.takeBlock('her phone’s', blockOf(third))).toEqual(none)
    expect(intake.takeBlock('hers', blockOf(first)).isNews).toBe(true)
    expect(intake.wake()).toEqual([])
    expect(intake.takeBlock('his', blockOf(second)).isNews).toBe(true)
    expect(intake.wake()).toEqual([readOn('her phone’s')])
  })

  test('where one log waits for another that waits, though none of it had a place to wait in', () => {
    const { branches, intake } = intakeOf()
    for (const who of [ANN, BOB]) intake.takeBlock(`of ${who.person}`, attested(who))
    intake.takeBlock('her phone’s', attested(ANN))
    for (const [seat, who] of [ANN, BOB].entries()) {
      const unknown = 'a'.repeat(64)
      for (let body = 0; body < 32; body++) {
        const heads = seat === 0 ? [null, unknown] : [unknown, null]
        expect(branches.add(signedAction(descriptor, who, { heads, body }))).toBe('waiting')
      }
    }
    const way = start.with(ANN).with(BOB).with(ANN)
    const [first, second, third] = way.actions as readonly [SeatAction, SeatAction, SeatAction]
    const hers = `of ${ANN.person}`
    expect(intake.takeBlock('her phone’s', blockOf(third))).toEqual(none)
    expect(intake.takeBlock(`of ${BOB.person}`, blockOf(second))).toEqual(none)
    expect(intake.takeBlock(hers, blockOf(first))).toEqual({
      effects: [readOn(hers)],
      isNews: true,
    })
    expect(intake.wake()).toEqual([readOn(`of ${BOB.person}`), readOn('her phone’s')])
    expect(branches.order).toHaveLength(3)
  })
})

describe('a log is read no further, and is the only one that suffers for it', () => {
  const forged = { ...ANN.attestation.form, signature: '0'.repeat(128) }
  const late = start.with(ANN, { seq: 3 }).last

  test.each<[string, string, string[]]>([
    ['what is no block', 'a block is no action', ['hello']],
    [
      'an attestation that nobody signed',
      'an attestation does not hold',
      [writeBlock({ type: 'attestation', form: forged })],
    ],
    ['an attestation of a stranger', 'an attestation does not hold', [attested(EVE)]],
    [
      'an action under an attestation that is not here',
      'an action is not the seat’s',
      [blockOf(start.with(ANN).last)],
    ],
    ['a misplaced action', 'an action fits nowhere', [attested(ANN), blockOf(late)]],
  ])('after %s', (_what, reason, blocks) => {
    const { branches, intake } = intakeOf()
    const told = blocks.map((text) => intake.takeBlock('hers', text))
    expect(told.at(-1)).toEqual({ effects: [dropLog('hers', reason)], isNews: false })
    expect(branches.size).toBe(0)
    expect(intake.isOwnLost).toBe(false)
  })

  test('after an action that had waited, and fits nowhere as what it waited for is here', () => {
    const { intake } = intakeOf()
    const first = start.with(ANN).last
    const wrong = signedAction(descriptor, BOB, { heads: [first.hash, null], seq: 4 })
    for (const [log, who] of [
      ['hers', ANN],
      ['his', BOB],
    ] as const) {
      intake.takeBlock(log, attested(who))
    }
    expect(intake.takeBlock('his', blockOf(wrong))).toEqual(none)
    intake.takeBlock('hers', blockOf(first))
    expect(intake.wake()).toEqual([dropLog('his', 'an action fits nowhere')])
  })

  test('if it is the own one, the seat is lost, and that is said', () => {
    const { intake } = intakeOf()
    intake.own('own')
    intake.takeBlock('other', 'hello')
    expect(intake.isOwnLost).toBe(false)
    expect(intake.takeBlock('own', 'hello').effects).toEqual([
      dropLog('own', 'a block is no action'),
      { type: 'changed' },
    ])
    expect(intake.isOwnLost).toBe(true)
  })
})

describe('an action that comes ahead of its log', () => {
  test('counts with the attestation that comes along, and concerns no log', () => {
    const { branches, intake } = intakeOf()
    const { form } = start.with(ANN).last
    const { form: hers } = ANN.attestation
    expect(intake.take(form, EVE.attestation.form)).toEqual(none)
    expect(intake.take(form, holder('ann', 'phone').attestation.form)).toEqual(none)
    expect(branches.size).toBe(0)
    expect(intake.take(form, hers)).toEqual({ effects: [], isNews: true })
    expect(intake.take(form, hers)).toEqual(none)
    expect(intake.take(start.with(ANN, { seq: 3 }).last.form, hers)).toEqual(none)
  })

  test('may wait for others, and no log waits with it', () => {
    const { branches, intake } = intakeOf()
    const way = start.with(ANN).with(BOB)
    const [first, second] = way.actions as readonly [SeatAction, SeatAction]
    expect(intake.take(second.form, BOB.attestation.form)).toEqual(none)
    expect(intake.take(first.form, ANN.attestation.form)).toEqual({ effects: [], isNews: true })
    expect(intake.wake()).toEqual([])
    expect(branches.order).toHaveLength(2)
  })
})

describe('an attestation', () => {
  const action = start.with(ANN).last

  test('has to stand in the very log, before the action: what came in others decides nothing', () => {
    const { branches, intake } = intakeOf()
    intake.takeBlock('hers', attested(ANN))
    expect(intake.takeBlock('hers', blockOf(action)).isNews).toBe(true)
    const reason = 'an action is not the seat’s'
    expect(intake.takeBlock('bare', blockOf(action)).effects).toEqual([dropLog('bare', reason)])
    intake.takeBlock('late', attested(holder('ann', 'phone')))
    expect(intake.takeBlock('late', blockOf(action)).effects).toEqual([dropLog('late', reason)])
    expect(branches.attestationOf(ANN.attestation.hash)).toEqual(ANN.attestation)
  })

  test('is kept once an action is taken in under it', () => {
    const { branches, intake } = intakeOf()
    intake.takeBlock('hers', attested(ANN))
    expect(branches.attestationOf(ANN.attestation.hash)).toBeUndefined()
    intake.takeBlock('hers', blockOf(action))
    expect(branches.attestationOf(ANN.attestation.hash)).toEqual(ANN.attestation)
  })

  test('is one of as many as a transcript may show; a log that shows more is read no further', () => {
    const { intake } = intakeOf()
    const machines = Array.from({ length: 51 }, (_, number) => holder('bob', `machine ${number}`))
    const effects = machines.map((who) => intake.takeBlock('flood', attested(who)).effects[0])
    expect(effects.slice(0, 50)).toEqual(machines.slice(0, 50).map(() => readOn('flood')))
    expect(effects[50]).toEqual(dropLog('flood', 'it has too many attestations'))
    for (let times = 0; times < 60; times++) {
      expect(intake.takeBlock('hers', attested(ANN)).effects).toEqual([readOn('hers')])
    }
  })
})

describe('how far a log was read', () => {
  test('is how many blocks of it were taken in, and the last attestation among them', () => {
    const { intake } = intakeOf()
    expect(intake.readOf('hers')).toEqual({ blocks: 0, attestation: null })
    const { hash } = ANN.attestation
    intake.takeBlock('hers', attested(ANN))
    expect(intake.readOf('hers')).toEqual({ blocks: 1, attestation: hash })
    intake.takeBlock('hers', blockOf(start.with(ANN).last))
    expect(intake.readOf('hers')).toEqual({ blocks: 2, attestation: hash })
    intake.takeBlock('hers', 'rubbish')
    expect(intake.readOf('hers')).toEqual({ blocks: 2, attestation: hash })
    intake.wrote('hers', BOB.attestation.hash)
    expect(intake.readOf('hers')).toEqual({ blocks: 2, attestation: BOB.attestation.hash })
    expect(intake.readOf('his')).toEqual({ blocks: 0, attestation: null })
  })
})

describe('a seat that floods', () => {
  const tables = (rules = race) => tablesOf(descriptor, rules, ANN, BOB, null)

  test('with attestations of its machines keeps nobody else out', () => {
    const [ann, bob, spectator] = tables()
    const log = Array.from({ length: 600 }, (_, i) =>
      writeBlock({ type: 'attestation', form: holder('bob', `machine ${i}`).attestation.form }),
    )
    for (const table of [ann, spectator]) table.read({ name: 'flood', log })
    expect(ann.act(3)).toBe(0)
    exchange(ann, bob, spectator)
    expect(spectator.dropped).toEqual(['it has too many attestations'])
    expect(spectator.referee.actions).toHaveLength(1)
  })

  test('an action that overtakes the one its log waits with does not take its place', () => {
    const [ann, bob, spectator] = tables(longRace)
    ann.act(1)
    exchange(ann, bob)
    bob.act(1)
    exchange(ann, bob)
    ann.act(1)
    exchange(ann, bob)
    bob.act(1)
    // Bob's first action waits for Ann's; his second one comes ahead of his log.
    spectator.read(bob)
    const second = JSON.parse(bob.log.at(-1) ?? '') as {
      action: { body: string; signature: string }
    }
    const attestation = BOB.attestation.form
    spectator.step({ type: 'action', form: second.action, attestation })
    exchange(ann, bob, spectator)
    expect(spectator.dropped).toEqual([])
    expect(spectator.referee.actions).toHaveLength(4)
  })

  test('the actions of one seat that wait take no place from the other', () => {
    const [ann, bob, spectator] = tables()
    ann.act(1)
    exchange(ann, bob)
    bob.act(1)
    exchange(ann, bob)
    ann.act(2)
    for (const { name, log } of [ann, bob]) spectator.read({ name, log: log.slice(0, 1) })
    const unknown = 'a'.repeat(64)
    for (let number = 0; number < 300; number++) {
      const by = holder('bob', `machine ${number}`)
      const flood = [{ heads: [unknown, null], body: number }]
      const [action] = forgedLog(descriptor, by, flood).actions
      if (action === undefined) throw new Error('nothing was signed')
      spectator.step({ type: 'action', form: action.form, attestation: by.attestation.form })
    }
    exchange(ann, bob, spectator)
    expect(spectator.dropped).toEqual([])
    expect(spectator.referee.actions).toHaveLength(3)
  })
})
