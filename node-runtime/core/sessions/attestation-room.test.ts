// What the attestations of one session may take: a transcript has all of them that its actions name.
import { expect, test } from 'vitest'
import { descriptorOf, exchange, holder, race, Table } from '../../testing/session-tables.ts'
import type { Holder } from '../../testing/session-tables.ts'
import { forgedLog } from '../../testing/signed-actions.ts'
import { MAX_TRANSCRIPT_BYTES, readTranscript, writeTranscript } from './transcript.ts'

const [ANN, BOB] = [holder('ann'), holder('bob')]

const FAT = { more: '\u20ac'.repeat(15_900) }

/** Actions of these machines, one after the other, each under an attestation of its own. */
function relay(of: ReturnType<typeof descriptorOf>, machines: readonly Holder[]): string[][] {
  const seat = of.seats.indexOf(machines[0]?.person ?? '')
  let head: string | null = null
  return machines.map((by, seq) => {
    const heads = of.seats.map((_, k) => (k === seat ? head : null))
    const { log, actions } = forgedLog(of, by, [{ heads, type: 'chat', seq }])
    head = actions[0]?.hash ?? null
    return log
  })
}

test.each([2, 16])(
  'however fat the attestations of %i seats are, the transcript can be kept, and the seats end it',
  (seats) => {
    const others = Array.from({ length: seats - 2 }, (_, number) => holder(`other ${number}`))
    const of = descriptorOf([ANN, BOB, ...others])
    const [ann, spectator] = [new Table(of, race, ANN), new Table(of, race, null)]
    const names = of.seats.map((_, k) => ['ann', 'bob'][k] ?? `other ${k - 2}`)
    for (const name of names.slice(1)) {
      const fat = Array.from({ length: 32 }, (_, k) => holder(name, `${name}'s ${k}`, FAT))
      for (const [k, log] of relay(of, fat).entries()) {
        for (const table of [ann, spectator]) table.read({ name: `${name}'s ${k}`, log })
      }
    }
    expect(ann.act({ type: 'resign' })).toBe(0)
    exchange(ann, spectator)
    expect(spectator.referee.ending?.by).toBe('resignation')
    const bytes = writeTranscript(of, spectator.referee.transcript)
    expect(bytes.length).toBeLessThan(MAX_TRANSCRIPT_BYTES / 8)
    expect(readTranscript(bytes)).not.toBeNull()
    expect(ann.dropped).not.toEqual([])
  },
)

test('a machine for which there is no room signs nothing, since nobody would take it in', () => {
  const of = descriptorOf([ANN, BOB])
  const machines = Array.from({ length: 32 }, (_, number) => holder('ann', `machine ${number}`))
  const [ann, last, bob] = [ANN, machines[31] ?? ANN, BOB].map((by) => new Table(of, race, by))
  for (const log of relay(of, machines)) {
    for (const table of [ann, last, bob]) table?.read({ name: log.join(), log })
  }
  expect(ann?.act(3)).toBe('SESSION_TOO_LARGE')
  expect([ann?.log, ann?.dropped, ann?.referee.trouble]).toEqual([[], [], null])
  // One that is in goes on, and the other seat too.
  expect(last?.act(3)).toBe(0)
  if (last === undefined || bob === undefined) throw new Error('no tables')
  bob.read(last)
  expect(bob.act(3)).toBe(1)
  expect(bob.dropped).toEqual([])
})

test('nor does it agree with the end', () => {
  const of = descriptorOf([ANN, BOB])
  const machines = Array.from({ length: 32 }, (_, number) => holder('ann', `machine ${number}`))
  const [ann, bob] = [new Table(of, race, ANN), new Table(of, race, BOB)]
  for (const log of relay(of, machines)) {
    for (const table of [ann, bob]) table.read({ name: log.join(), log })
  }
  expect(bob.act({ type: 'resign' })).toBe(0)
  exchange(ann, bob)
  expect(ann.referee.ending?.by).toBe('resignation')
  expect([ann.log, ann.dropped]).toEqual([[], []])
  expect(ann.referee.isSettled).toBe(true)
})
