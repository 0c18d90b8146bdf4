// A person plays in one seat on several machines, which may know nothing of each other: nobody is to blame, so
// nobody is blamed, and the game goes on.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { descriptorOf, exchange, holder, race, Table } from '../../testing/session-tables.ts'
import type { Holder, RulesOf } from '../../testing/session-tables.ts'
import { forgedLog, signedAction } from '../../testing/signed-actions.ts'

const BOB = holder('bob')
const [desk, phone] = [holder('ann', 'desk'), holder('ann', 'phone')]
const descriptor = descriptorOf([desk, BOB])

describe('one person on two machines', () => {
  test('plays one game, and nobody is blamed', () => {
    const [one, two, bob] = [desk, phone, BOB].map((who) => new Table(descriptor, race, who)) as [
      Table,
      Table,
      Table,
    ]
    one.act(1)
    exchange(one, two, bob)
    bob.act(1)
    exchange(one, two, bob)
    expect(two.act(2)).toBe(2)
    exchange(one, two, bob)
    bob.act(1)
    exchange(one, two, bob)
    expect(one.act(3)).toBe(4)
    exchange(one, two, bob)
    for (const { referee } of [one, two, bob]) {
      expect(referee.fault).toBeNull()
      expect(referee.actions.map(({ body }) => body)).toEqual([1, 1, 2, 1, 3])
    }
  })

  test.each([
    [1, 2],
    [2, 1],
    [3, 1],
  ])('who moves %i here and %i there goes on with the one that was answered', (here, there) => {
    const [one, two, bob] = [desk, phone, BOB].map((who) => new Table(descriptor, race, who)) as [
      Table,
      Table,
      Table,
    ]
    const spectator = new Table(descriptor, race, null)
    one.act(here)
    two.act(there)
    bob.read(one)
    bob.act(1)
    spectator.read(two)
    exchange(one, two, bob, spectator)
    for (const { referee } of [one, two, bob, spectator]) {
      expect(referee.fault).toBeNull()
      expect(referee.actions.map(({ body }) => body)).toEqual([here, 1])
      expect(referee.toAct).toEqual([0])
    }
    expect(two.act(1)).toBe(2)
    exchange(one, two, bob, spectator)
    expect(spectator.referee.actions).toHaveLength(3)
  })

  test('an old fork that nobody built on turns nothing around', () => {
    const [one, bob] = [new Table(descriptor, race, desk), new Table(descriptor, race, BOB)]
    for (let ply = 0; ply < 4; ply++) {
      const actor = ply % 2 === 0 ? one : bob
      actor.act(1)
      exchange(one, bob)
    }
    for (const body of [1, 2, 3]) {
      bob.read({
        ...forgedLog(descriptor, phone, [{ heads: [null, null], body }]),
        name: `fork ${body}`,
      })
    }
    expect(bob.referee.actions.map(({ body }) => body)).toEqual([1, 1, 1, 1])
  })
})

describe('whoever is honest can always act on', () => {
  /** Each of so many seats may say something at any time, and nothing comes of it. */
  const chatter = (seats: number): RulesOf => {
    const legal = Array.from({ length: seats }, () => ['x'])
    const position = { state: null, outcome: null, legal, view: null }
    return { start: () => position, play: () => position }
  }
  const machinesOf = (person: string, count: number): Holder[] =>
    Array.from({ length: count }, (_, number) => holder(person, `${person}'s ${number}`))

  /** What the machines of all do: one acts, and some read what some others have. */
  const script = (machines: number) =>
    fc.array(
      fc.record({
        who: fc.nat(machines - 1),
        readers: fc.bigInt({ min: 0n, max: 2n ** BigInt(machines * machines) - 1n }),
        isQuiet: fc.boolean(),
      }),
      { maxLength: 24, size: 'max' },
    )

  test.each([
    ['two machines', [2, 1]],
    ['two machines each', [2, 2]],
    ['three machines', [3, 2]],
    ['two machines among three seats', [2, 2, 1]],
  ])('with %s, whatever was heard when; and all hear the same in the end', (_what, counts) => {
    const persons = counts.map((count, seat) => machinesOf(`person ${seat}`, count))
    const of = descriptorOf(persons.map(([first]) => first ?? BOB))
    const everybody = persons.flat()
    let forked = 0
    fc.assert(
      fc.property(script(everybody.length), (steps) => {
        const players = everybody.map((who) => new Table(of, chatter(counts.length), who))
        const spectator = new Table(of, chatter(counts.length), null)
        for (const { who, readers, isQuiet } of steps) {
          expect(players[who]?.act('x')).toEqual(expect.any(Number))
          if (isQuiet) continue
          for (const [a, reader] of players.entries()) {
            for (const [b, writer] of players.entries()) {
              const hears = (readers >> BigInt(a * players.length + b)) & 1n
              if (a !== b && hears === 1n) reader.read(writer)
            }
          }
        }
        exchange(...players, spectator)
        const { referee } = spectator
        if (referee.actions.length < referee.length) forked++
        for (const player of players) {
          expect(player.referee.actions).toEqual(referee.actions)
          expect(player.act('x')).toBe(referee.actions.length)
        }
        exchange(...players, spectator)
        for (const table of [...players, spectator]) {
          expect([table.referee.fault, table.dropped]).toEqual([null, []])
          expect(table.referee.actions).toEqual(referee.actions)
        }
      }),
      { numRuns: 25, seed: 11 },
    )
    // Else it would say nothing.
    expect(forked).toBeGreaterThan(10)
  })

  /** Ann's desk has answered Bob's way; her phone an own way of his other machine, further on. */
  function answeredTwice(body: number): Table {
    const table = new Table(descriptor, chatter(2), desk)
    const [second, nothing] = [holder('bob', 'second machine'), { heads: [null, null] }]
    const take = (by: Holder, action: Parameters<typeof signedAction>[2]): string => {
      const { form, hash } = signedAction(descriptor, by, action)
      table.step({ type: 'action', form, attestation: by.attestation.form })
      return hash
    }
    take(BOB, { ...nothing, body: 'x' })
    expect(table.act('x')).toBe(1)
    const other = take(second, { ...nothing, body })
    const chat = take(second, { heads: [null, other], seq: 1, type: 'chat' })
    take(phone, { heads: [null, chat], body })
    return table
  }

  test('where what counts of the other goes on from what counts no more of the own', () => {
    const games = Array.from({ length: 40 }, (_, body) => answeredTwice(body))
    const turned = games.filter(({ referee }) => referee.actions.every(({ body }) => body !== 'x'))
    // Else it would say nothing.
    expect(turned.length).toBeGreaterThan(0)
    for (const table of games) {
      expect(table.referee.actions.map(({ seat }) => seat)).toContain(0)
      expect(table.act('x')).toEqual(expect.any(Number))
      expect(table.referee.fault).toBeNull()
    }
  })
})
