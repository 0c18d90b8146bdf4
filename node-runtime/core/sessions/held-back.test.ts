import { describe, expect, test } from 'vitest'
import { CLOUD, descriptorOf, holder } from '../../testing/session-tables.ts'
import { Way } from '../../testing/signed-actions.ts'
import type { SeatAction } from './action.ts'
import { writeBlock } from './block.ts'
import { Branches } from './branches.ts'
import { LogIntake } from './log-intake.ts'
import { sessionId } from './position.ts'

const [ANN, BOB] = [holder('ann'), holder('bob')]
const descriptor = descriptorOf([ANN, BOB])
const session = sessionId(descriptor)
const start = new Way(descriptor)
/** Ann has revoked her machine: what it signs after this does not count. */
const VALID_UNTIL_MS = 5
const before = { atMs: VALID_UNTIL_MS }
const after = { atMs: VALID_UNTIL_MS + 1 }

function intakeOf() {
  const branches = new Branches(2)
  const intake = new LogIntake(
    {
      session,
      descriptor,
      cloud: CLOUD,
      check: undefined,
      isRevoked: ({ machine }, atMs) => machine === ANN.machine && atMs > VALID_UNTIL_MS,
    },
    branches,
  )
  const read = (log: string, action: SeatAction, isStored = false) => {
    intake.takeBlock(log, writeBlock({ type: 'attestation', form: action.attested.form }), isStored)
    const taken = intake.takeBlock(log, writeBlock({ type: 'action', form: action.form }), isStored)
    return { news: taken.isNews, does: taken.effects.map(({ type }) => type) }
  }
  const counts = (): number => branches.order.length
  return { intake, read, counts }
}

describe('what a revoked machine signs', () => {
  test('counts if it was signed while that was valid, by its own clock', () => {
    const { read, counts } = intakeOf()
    expect(read('hers', start.with(ANN, before).last)).toEqual({ news: true, does: ['readOn'] })
    expect(counts()).toBe(1)
  })

  test('counts no more after that, by whatever way it comes, and its log is read on', () => {
    const { intake, read, counts } = intakeOf()
    const way = start.with(ANN, after).with(ANN, after)
    for (const action of way.actions) {
      expect(read('hers', action)).toEqual({ news: false, does: ['readOn'] })
      expect(intake.take(action.form, action.attested.form).isNews).toBe(false)
    }
    expect(counts()).toBe(0)
  })

  test('counts where the other has built on it before hearing of that, with all before it', () => {
    const way = start.with(ANN, after).with(ANN, after).with(BOB)
    const [first, second, answer] = way.actions as readonly [SeatAction, SeatAction, SeatAction]
    for (const order of [
      [first, second, answer],
      [answer, first, second],
      [first, answer, second],
    ]) {
      const { intake, read, counts } = intakeOf()
      for (const action of order) {
        const taken = read(action === answer ? 'his' : 'hers', action)
        if (taken.news) intake.wake()
      }
      expect(counts(), order.map(({ seat }) => seat).join()).toBe(3)
    }
  })

  test('does not count for having been built on by the machine itself', () => {
    const { read, counts } = intakeOf()
    const way = start.with(ANN, before).with(BOB).with(ANN, after).with(ANN, after)
    for (const action of way.actions) read(action.seat === 0 ? 'hers' : 'his', action)
    expect(counts()).toBe(2)
  })

  test('counts in what a seat has stored of the end', () => {
    const { read, counts } = intakeOf()
    const way = start.with(ANN, after).with(BOB).with(ANN, after)
    for (const action of way.actions) read('stored', action, true)
    expect(counts()).toBe(3)
  })

  test('takes no more than so much room: then its log waits', () => {
    const { read } = intakeOf()
    let way = start
    for (let i = 0; i < 64; i++) {
      way = way.with(ANN, { ...after, body: i })
      expect(read('hers', way.last).does).toEqual(['readOn'])
    }
    expect(read('hers', way.with(ANN, after).last).does).toEqual([])
  })
})
