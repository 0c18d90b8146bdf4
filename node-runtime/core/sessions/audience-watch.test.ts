import { beforeEach, describe, expect, test } from 'vitest'
import { SourceWatch } from './audience-watch.ts'
import { compare, SESSION, Stage } from './fixtures/stage.ts'
import type { Deeds } from './fixtures/stage.ts'

const DELIVERY_LIMIT_MS = 2_000
const DOUBT_MS = 5_000
const PLAYERS = ['p', 'q']

let stage: Stage
let watch: SourceWatch
beforeEach(() => {
  stage = new Stage('p', 'q', 'x', 'y', 'z')
  stage.play(() => (watch = new SourceWatch(stage.scene, SESSION)))
})

const hear = (from: string, length: number, source: string | null = 'x'): Deeds =>
  stage.play(() => watch.heard(from, length, source))
const asksHowFar = (source: string | null, seatMachines = PLAYERS): Deeds =>
  stage.play(() =>
    watch.compare({ session: SESSION, seated: false, seatMachines, length: 3 }, source),
  )
const whomAsked = (source: string | null, seatMachines = PLAYERS): string[] =>
  asksHowFar(source, seatMachines).sent.map(([to]) => to)
/** Time passes; whether the source, or what another claims, is overdue then. */
function dueIn(ms: number): { source: boolean; claim: boolean } {
  stage.playIn(ms, () => {})
  return { source: watch.isSourceDue, claim: watch.isClaimDue }
}
/** The source is left for the word of another. */
const leaveFor = (claimant: string, length: number, source = 'x'): void => {
  stage.play(() => watch.sourceChanged())
  hear(claimant, length, source)
  dueIn(DELIVERY_LIMIT_MS)
  stage.play(() => {
    watch.suspect(source)
    watch.sourceLeft()
  })
}

describe('what the source says it has', () => {
  test('is to be delivered within two seconds', () => {
    expect(dueIn(9_000).source).toBe(false)
    expect(hear('x', 9).timer('watch')).toBe(DELIVERY_LIMIT_MS)
    expect(dueIn(DELIVERY_LIMIT_MS - 1)).toEqual({ source: false, claim: false })
    expect(dueIn(1)).toEqual({ source: true, claim: false })
    expect(watch.claimant).toBeNull()
  })

  test('is settled by so much, and not by less', () => {
    hear('x', 9)
    expect(watch.delivered(8, 'x')).toEqual([])
    expect(dueIn(DELIVERY_LIMIT_MS).source).toBe(true)
    expect(watch.delivered(9, 'x')).toEqual([])
    expect(dueIn(0).source).toBe(false)
  })

  test('is not put off by saying it again, or more', () => {
    hear('x', 9)
    for (let i = 1; i < 4; i++) {
      expect(stage.playIn(500, () => watch.heard('x', 9 + i, 'x')).all).toEqual([])
    }
    expect(dueIn(500).source).toBe(true)
    expect(watch.delivered(9, 'x')).toEqual([])
    expect(watch.isSourceDue).toBe(false)
  })

  test('counts no more when it is left', () => {
    hear('x', 9)
    watch.sourceLeft()
    expect(dueIn(DELIVERY_LIMIT_MS).source).toBe(false)
  })
})

describe('what another says it has', () => {
  test('is to come within two seconds, from anybody', () => {
    expect(hear('y', 9).timer('watch')).toBe(DELIVERY_LIMIT_MS)
    expect(watch.claimant).toBe('y')
    expect(dueIn(DELIVERY_LIMIT_MS - 1)).toEqual({ source: false, claim: false })
    expect(dueIn(1)).toEqual({ source: false, claim: true })
  })

  test('is settled by so much, and not by less', () => {
    hear('y', 9)
    watch.delivered(8, 'x')
    expect(watch.claimant).toBe('y')
    watch.delivered(9, 'x')
    expect([watch.claimant, dueIn(DELIVERY_LIMIT_MS).claim]).toEqual([null, false])
  })

  test('is not put off by others who say so too, or more', () => {
    hear('y', 9)
    for (const [other, length] of [
      ['z', 9],
      ['z', 900],
      ['y', 901],
      ['x', 902],
    ] as const) {
      expect(stage.playIn(400, () => watch.heard(other, length, 'x')).all).toEqual([])
    }
    expect(watch.claimant).toBe('y')
    expect(dueIn(400).claim).toBe(true)
  })

  test('is forgotten when that machine goes, and not when another does', () => {
    hear('y', 9)
    watch.forget('z')
    expect(watch.claimant).toBe('y')
    watch.forget('y')
    expect([watch.claimant, dueIn(DELIVERY_LIMIT_MS).claim]).toEqual([null, false])
    watch.forget('y')
    hear('z', 9)
    watch.forgetClaim()
    expect(watch.claimant).toBeNull()
  })

  test('is not held against the next source', () => {
    hear('y', 9)
    const deeds = stage.playIn(DELIVERY_LIMIT_MS, () => watch.sourceChanged())
    expect(deeds.timer('watch')).toBe(1_000)
    expect([watch.claimant, watch.isClaimDue]).toEqual([null, false])
  })
})

describe('a source that was left for the word of another', () => {
  test('has held something back if another delivers what was claimed', () => {
    leaveFor('y', 9)
    expect(watch.delivered(8, 'z')).toEqual([])
    expect(watch.delivered(9, 'z')).toEqual(['x'])
    expect(watch.delivered(10, 'z')).toEqual([])
  })

  test('has held nothing back if it delivers that itself', () => {
    leaveFor('y', 9)
    expect(watch.delivered(9, 'x')).toEqual([])
    expect(watch.delivered(10, 'z')).toEqual([])
  })

  test('is not blamed for a word that nobody keeps, however far the session goes later', () => {
    leaveFor('y', 900)
    expect(watch.delivered(10, 'z')).toEqual([])
    stage.playIn(DOUBT_MS, () => expect(watch.delivered(900, 'z')).toEqual([]))
  })

  test('is shown up with all those that have held back the same', () => {
    leaveFor('y', 9, 'x')
    leaveFor('p', 10, 'z')
    leaveFor('q', 90, 'p')
    expect(watch.delivered(10, 'q')).toEqual(['x', 'z'])
  })

  test('costs whoever spoke its word for a while', () => {
    leaveFor('y', 900)
    stage.play(() => watch.sourceChanged())
    expect(hear('y', 901, 'z').all).toEqual([])
    expect(watch.claimant).toBeNull()
    stage.nowMs += DOUBT_MS - 1
    expect(hear('y', 901, 'z').all).toEqual([])
    stage.nowMs += 1
    hear('y', 901, 'z')
    expect(watch.claimant).toBe('y')
  })

  test('costs no other machine its word, and none that is the source itself by now', () => {
    leaveFor('y', 900)
    stage.play(() => watch.sourceChanged())
    hear('z', 10, 'y')
    expect(watch.claimant).toBe('z')
    hear('y', 900, 'y')
    expect(dueIn(DELIVERY_LIMIT_MS)).toEqual({ source: true, claim: true })
  })

  test('costs nobody a word that proved true', () => {
    leaveFor('y', 9)
    stage.play(() => watch.sourceChanged())
    watch.delivered(9, 'z')
    hear('y', 10, 'z')
    expect(watch.claimant).toBe('y')
  })

  test('is left for somebody’s word, or nobody is doubted', () => {
    watch.suspect('x')
    expect(watch.delivered(900, 'z')).toEqual([])
  })
})

describe('how far others are', () => {
  test('is asked a second after the beginning, and then more and more rarely', () => {
    const begun = stage.play(() => new SourceWatch(stage.scene, SESSION))
    expect(begun.all).toEqual([{ type: 'setTimer', id: `watch ${SESSION}`, afterMs: 1_000 }])
    const pauses = Array.from({ length: 6 }, () => asksHowFar('x').timer('watch'))
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 8_000])
  })

  test('is asked often again when somebody is further, or there is another source', () => {
    const rarely = (): void => {
      for (let i = 0; i < 5; i++) asksHowFar('x')
    }
    rarely()
    hear('y', 9)
    expect(asksHowFar('x').timer('watch')).toBe(1_000)
    rarely()
    watch.sourceChanged()
    expect(asksHowFar('x').timer('watch')).toBe(1_000)
  })

  test('is not asked by all machines at once', () => {
    stage.chance = () => 0
    expect(asksHowFar('x').timer('watch')).toBe(750)
    expect(stage.play(() => watch.sourceChanged()).timer('watch')).toBe(750)
  })

  test('is asked of the source, a player and one other, as chance has it', () => {
    expect(asksHowFar('x', ['y']).sent).toEqual([
      ['x', compare],
      ['y', compare],
    ])
    let drawn = 0
    stage.chance = () => 1 - ++drawn / 100
    expect(whomAsked('x')).toEqual(['x', 'q', 'z'])
  })

  test('is asked of another player when one is the source', () => {
    expect(whomAsked('p')).toEqual(['p', 'q'])
    expect(whomAsked('p', ['p'])).toEqual(['p', 'q'])
  })

  test('is asked of who is linked alone, and of nobody if nobody is', () => {
    stage.scene.peers.delete('p')
    expect(whomAsked(null)).toEqual(['q'])
    for (const machine of ['q', 'x', 'y', 'z']) stage.scene.peers.delete(machine)
    expect(whomAsked(null)).toEqual([])
  })
})
