// Who is blamed, by which proof; and who is not.
import { describe, expect, test } from 'vitest'
import {
  coin,
  descriptorOf,
  exchange,
  holder,
  race,
  Table,
  tablesOf,
} from '../../testing/session-tables.ts'
import { forgedLog } from '../../testing/signed-actions.ts'
import { openAction } from './action.ts'
import type { Action } from './action.ts'
import { writeBlock } from './block.ts'
import { MAX_TRANSCRIPT_BYTES, writeTranscript } from './transcript.ts'

const ANN = holder('ann')
const BOB = holder('bob')
const EVE = holder('eve')
const descriptor = descriptorOf([ANN, BOB])

const tables = (rules = race, of = descriptor) => tablesOf(of, rules, ANN, BOB, null)

describe('only a proof blames', () => {
  test('an action that is illegal at the position it names', () => {
    const [ann, , spectator] = tables()
    const cheat = forgedLog(descriptor, BOB, [{ heads: [null, null] }])
    for (const table of [ann, spectator]) {
      table.read(cheat)
      expect(table.referee.fault).toMatchObject({ seat: 1, ply: 0 })
      const [proof] = table.referee.fault?.proof ?? []
      expect(proof && openAction(proof)?.seat).toBe(1)
      expect(table.referee.ending).toMatchObject({ outcome: { scores: [1, 0] }, by: 'fault' })
    }
    expect(ann.act(1)).toBe('SESSION_TRANSCRIPT_FORGED')
  })

  test('two actions of one machine for one position', () => {
    const [, bob, spectator] = tables()
    const cheat = forgedLog(descriptor, ANN, [
      { heads: [null, null], body: 1 },
      { heads: [null, null], body: 2 },
    ])
    for (const table of [bob, spectator]) {
      table.read(cheat)
      expect(table.referee.fault?.seat).toBe(0)
      expect(table.referee.fault?.proof).toEqual(cheat.actions.map(({ form }) => form))
    }
  })

  test('the same action twice is one action', () => {
    const [, bob] = tables()
    const cheat = forgedLog(descriptor, ANN, [{ heads: [null, null] }, { heads: [null, null] }])
    bob.read(cheat)
    expect(bob.referee.fault).toBeNull()
    expect(bob.referee.actions).toHaveLength(1)
  })

  test.each([
    ['no block at all', ['hello']],
    ['an action of a stranger', forgedLog(descriptor, EVE, [{ heads: [null, null], seat: 0 }]).log],
    [
      'an action of another session',
      forgedLog(descriptor, ANN, [{ heads: [null, null], session: 'e'.repeat(64) }]).log,
    ],
    [
      'an action of the other seat',
      forgedLog(descriptor, ANN, [{ heads: [null, null], seat: 1 }]).log,
    ],
    ['a wrong place', forgedLog(descriptor, ANN, [{ heads: [null, null], seq: 3 }]).log],
    ['too few heads', forgedLog(descriptor, ANN, [{ heads: [null] }]).log],
  ])('%s ends the reading of a log and blames nobody', (_what, log) => {
    const [ann, bob, spectator] = tables()
    expect(ann.act(3)).toBe(0)
    spectator.read({ name: 'forged', log })
    expect(spectator.dropped).toHaveLength(1)
    exchange(ann, bob, spectator)
    expect(spectator.referee.fault).toBeNull()
    expect(spectator.referee.actions).toMatchObject([{ seat: 0, body: 3 }])
  })

  test('an action under the attestation of another machine of the person counts for nothing', () => {
    const [, , spectator] = tables()
    const phone = holder('ann', 'phone')
    const forged = forgedLog(descriptor, ANN, [
      { heads: [null, null], attestation: phone.attestation.hash },
    ])
    const attestation = writeBlock({ type: 'attestation', form: phone.attestation.form })
    spectator.read({ name: 'forged', log: [attestation, ...forged.log] })
    expect(spectator.referee.actions).toEqual([])
    expect(spectator.dropped).toHaveLength(1)
  })

  test('an action that names one of the wrong seat, or unsees what it had seen, fits nowhere', () => {
    const [ann, bob, spectator] = tables()
    ann.act(1)
    exchange(ann, bob, spectator)
    bob.act(1)
    exchange(ann, bob, spectator)
    const [first, second] = spectator.referee.transcript.actions
    if (first === undefined || second === undefined) throw new Error('two actions were made')
    const { hash } = first
    for (const heads of [
      [hash, hash],
      [second.hash, hash],
    ]) {
      spectator.read({ ...forgedLog(descriptor, ANN, [{ heads, seq: 1 }]), name: heads.join() })
    }
    // Bob has seen Ann's action; whoever has seen Bob's cannot say not to know hers.
    spectator.read({
      ...forgedLog(descriptor, holder('ann', 'phone'), [{ heads: [null, second.hash] }]),
      name: 'unsees',
    })
    expect(spectator.dropped).toHaveLength(3)
    expect(spectator.referee.fault).toBeNull()
    expect(spectator.referee.length).toBe(2)
  })

  test('who was overtaken by an action not yet seen is void, and not to blame', () => {
    const players = [new Table(descriptor, coin, ANN), new Table(descriptor, coin, BOB)] as const
    const [ann, bob] = players
    expect(ann.act('take')).toBe(0)
    expect(bob.act('take')).toBe(0)
    exchange(ann, bob)
    for (const { referee } of players) {
      expect(referee.fault).toBeNull()
      expect(referee.actions.map(({ seat }) => seat)).toEqual([0])
    }
    // Seen, it is a proof.
    bob.read(
      forgedLog(descriptor, holder('bob', 'phone'), [
        { heads: [ann.referee.transcript.actions[0]?.hash ?? null, null], body: 'take' },
      ]),
    )
    expect(bob.referee.fault).toBeNull()
  })

  test('a forged signature counts for nothing', () => {
    const [ann, , spectator] = tables()
    ann.act(3)
    const [attestation = '', action = ''] = ann.log
    const { form } = JSON.parse(action.replace('"action"', '"form"')) as {
      form: { body: string; signature: string }
    }
    const forged = writeBlock({ type: 'action', form: { ...form, signature: '0'.repeat(128) } })
    spectator.read({ name: 'forged', log: [attestation, forged] })
    expect(spectator.referee.actions).toEqual([])
  })

  test('a second log of a cheat takes no game away from those who watch', () => {
    const [ann, bob, spectator] = tables()
    ann.act(3)
    exchange(ann, bob)
    bob.act(2)
    exchange(ann, bob)
    ann.act(1)
    const second = forgedLog(descriptor, holder('bob', 'second machine'), [{ heads: [null, null] }])
    // Illegal, and signed by a machine of Bob's: it is Bob who is blamed, never Ann.
    spectator.read(second)
    exchange(ann, bob, spectator)
    expect(spectator.referee.fault?.seat ?? 1).toBe(1)
    expect(spectator.referee.actions.filter(({ seat }) => seat === 0).length).toBeGreaterThan(0)
  })
})

describe('a seat that floods', () => {
  test.each([
    ['many actions', 1300, null],
    ['large actions', 100, 'x'.repeat(15_000)],
  ])('with %s has broken the rules, and the proof can be kept', (_, count, body) => {
    const others = Array.from({ length: 14 }, (_, number) => holder(`other ${number}`))
    const of = descriptorOf([ANN, BOB, ...others])
    const [ann, , spectator] = tables(race, of)
    const none = of.seats.map(() => null)
    const log = [writeBlock({ type: 'attestation', form: BOB.attestation.form })]
    let head: string | null = null
    for (let seq = 0; seq < count; seq++) {
      const heads: (string | null)[] = none.with(1, head as null)
      const [signed]: Action[] = forgedLog(of, BOB, [{ heads, type: 'chat', body, seq }]).actions
      if (signed === undefined) throw new Error('nothing was signed')
      head = signed.hash
      log.push(writeBlock({ type: 'action', form: signed.form }))
    }
    for (const table of [ann, spectator]) {
      table.read({ name: 'flood', log })
      expect(table.dropped).toEqual(['an action fits nowhere'])
      const { fault, ending, transcript } = table.referee
      expect(fault).toMatchObject({ seat: 1 })
      expect(ending?.outcome.scores).toEqual(of.seats.map((_, seat) => (seat === 1 ? 0 : 1)))
      const share = MAX_TRANSCRIPT_BYTES / of.seats.length
      expect(writeTranscript(of, transcript).length).toBeLessThan(share)
    }
    expect(ann.act({ type: 'resign' })).toBe('SESSION_TRANSCRIPT_FORGED')
  })
})
