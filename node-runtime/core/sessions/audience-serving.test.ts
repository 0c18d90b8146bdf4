import { beforeEach, describe, expect, test } from 'vitest'
import { Serving } from './audience-serving.ts'
import { redirect, SESSION, Stage, unavailable } from './fixtures/stage.ts'
import type { Deeds } from './fixtures/stage.ts'

const GUEST_MS = 3_000
const NAMES = Array.from({ length: 70 }, (_, i) => `spectator ${i}`)

let stage: Stage
let serving: Serving
/** Who was told that it is served, and how often it was said that others are served than before. */
let told: string[]
let changes: number
beforeEach(() => {
  stage = new Stage('first', 'second', 'third', 'fourth', 'fifth', ...NAMES)
  told = []
  changes = 0
  serving = new Serving(stage.scene, {
    session: SESSION,
    tellServed: (machine) => void told.push(machine),
    servedChanged: () => void (changes += 1),
  })
})

const asks = (machine: string, how: { seated?: boolean; failed?: boolean } = {}): Deeds =>
  stage.play(() => serving.ask(machine, { seated: false, failed: false, ...how }))
const player = { seated: true }
const failed = { seated: true, failed: true }
const endGuest = (): Deeds => stage.playIn(GUEST_MS, () => serving.endGuest())

describe('a spectator', () => {
  test('serves nobody before it is asked', () => {
    expect(serving.machines).toEqual([])
    expect(serving.hasChild('first')).toBe(false)
  })

  test('serves two, and tells the others of those', () => {
    expect(asks('first').all).toEqual([])
    expect(asks('second').all).toEqual([])
    expect([told, changes]).toEqual([['first', 'second'], 2])
    expect(asks('third').all).toEqual([
      { type: 'send', to: 'third', message: redirect('first', 'second') },
    ])
    expect(serving.machines).toEqual(['first', 'second'])
    expect([told, changes]).toEqual([['first', 'second'], 2])
  })

  test('has no place for guests, whatever they say', () => {
    for (const machine of ['first', 'second']) asks(machine)
    expect(asks('third', { failed: true }).sent).toEqual([['third', redirect('first', 'second')]])
    expect(serving.machines).toEqual(['first', 'second'])
  })

  test('tells who is served already so again, and nothing has changed', () => {
    asks('first')
    expect(asks('first').all).toEqual([])
    expect([told, changes]).toEqual([['first', 'first'], 1])
    expect([serving.machines, serving.hasChild('first')]).toEqual([['first'], true])
  })

  test('has a place again when one goes', () => {
    for (const machine of ['first', 'second']) asks(machine)
    expect(stage.play(() => serving.leave('first')).all).toEqual([])
    expect([serving.machines, serving.hasChild('first')]).toEqual([['second'], false])
    asks('third')
    expect(serving.machines).toEqual(['second', 'third'])
  })
})

describe('a player', () => {
  beforeEach(() => void asks('first', player))

  test('serves one, and tells the others of it', () => {
    expect(asks('second', player).sent).toEqual([['second', redirect('first')]])
    expect([serving.machines, told, changes]).toEqual([['first'], ['first'], 1])
  })

  test('gives a guest whom that one did not help a place for a while', () => {
    const deeds = asks('second', failed)
    expect(deeds.sent).toEqual([])
    expect(deeds.timer('guest')).toBe(GUEST_MS)
    expect([serving.machines, told, changes]).toEqual([['first', 'second'], ['first', 'second'], 2])
    // It is none of those that stay.
    expect([serving.hasChild('first'), serving.hasChild('second')]).toEqual([true, false])
  })

  test('keeps the guest while nobody waits', () => {
    asks('second', failed)
    for (let i = 0; i < 3; i++) {
      const deeds = endGuest()
      expect([deeds.sent, deeds.timer('guest')]).toEqual([[], GUEST_MS])
      expect(serving.machines).toEqual(['first', 'second'])
    }
  })

  test('gives the place to one of those who wait, by lot, and tells the guest', () => {
    asks('second', failed)
    for (const machine of ['third', 'fourth', 'fifth']) {
      expect(asks(machine, failed).sent).toEqual([[machine, redirect('first')]])
    }
    stage.chance = () => 0.4
    const deeds = endGuest()
    expect(deeds.sent).toEqual([['second', unavailable]])
    expect(deeds.timer('guest')).toBe(GUEST_MS)
    expect(serving.machines).toEqual(['first', 'fourth'])
    expect([told, changes]).toEqual([['first', 'second', 'fourth'], 3])
    // Those who drew a blank ask again.
    endGuest()
    expect(serving.machines).toEqual(['first', 'fourth'])
  })

  test('takes the last of those who wait as well as the first', () => {
    for (const [chance, drawn] of [
      [0, 'third'],
      [0.99, 'fifth'],
    ] as const) {
      asks('second', failed)
      for (const machine of ['third', 'fourth', 'fifth']) asks(machine, failed)
      stage.chance = () => chance
      endGuest()
      expect(serving.machines).toEqual(['first', drawn])
      serving.leave(drawn)
    }
  })

  test('draws each of those who wait with the same chance, however often it asks', () => {
    asks('second', failed)
    asks('third', failed)
    for (let i = 0; i < 9; i++) asks('fourth', failed)
    stage.chance = () => 0.49
    endGuest()
    expect(serving.machines).toEqual(['first', 'third'])
  })

  test('gives no guest’s place to who has left, or has a place by now', () => {
    asks('second', failed)
    asks('third', failed)
    stage.scene.peers.delete('third')
    endGuest()
    expect(serving.machines).toEqual(['first', 'second'])
    asks('fourth', failed)
    serving.leave('first')
    asks('fourth', player)
    endGuest()
    expect(serving.machines).toEqual(['fourth', 'second'])
  })

  test('has the guest’s place free again, and says nothing, when the guest wants it no more', () => {
    asks('second', failed)
    const left = stage.play(() => serving.leave('second'))
    expect([left.all, serving.machines]).toEqual([[], ['first']])
    expect(endGuest().all).toEqual([])
    asks('third', failed)
    expect([serving.machines, told.at(-1)]).toEqual([['first', 'third'], 'third'])
  })

  test('gives a guest’s place that is free again to who waits, for as long as any', () => {
    asks('second', failed)
    asks('third', failed)
    const left = stage.play(() => serving.leave('second'))
    expect([left.sent, left.timer('guest')]).toEqual([[], GUEST_MS])
    expect([serving.machines, told.at(-1)]).toEqual([['first', 'third'], 'third'])
  })

  test('leaves the guest where it is when another goes', () => {
    asks('second', failed)
    stage.play(() => serving.leave('first'))
    stage.play(() => serving.leave('nobody'))
    expect(serving.machines).toEqual(['second'])
  })

  test('lets so many wait as are drawn from in one go, and no more', () => {
    asks('second', failed)
    for (const machine of NAMES) asks(machine, failed)
    stage.chance = () => 0.999
    endGuest()
    expect(serving.machines).toEqual(['first', NAMES[63]])
  })
})
