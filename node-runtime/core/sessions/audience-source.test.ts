import { beforeEach, describe, expect, test } from 'vitest'
import { Source } from './audience-source.ts'
import { follow, SELF, SESSION, Stage } from './fixtures/stage.ts'
import type { Deeds } from './fixtures/stage.ts'

const ANSWER_LIMIT_MS = 2_000
const AVOID_MS = 60_000
const DIALLED_MS = 60_000
const names = (count: number, name: string): string[] =>
  Array.from({ length: count }, (_, i) => `${name} ${i}`)

let stage: Stage
let source: Source
let followed: { session: string; seated: boolean; seatMachines: string[]; length: number }
let claimant: string | null
let served: string[]
/** A machine that is linked with these, and seeks the session of these players. */
function begin({
  linked = [],
  players = [],
}: { linked?: string[]; players?: string[] } = {}): void {
  stage = new Stage(...linked)
  followed = { session: SESSION, seated: false, seatMachines: players, length: 0 }
  claimant = null
  served = []
  source = new Source(stage.scene, {
    get followed() {
      return followed
    },
    get claimant() {
      return claimant
    },
    serves: (machine) => served.includes(machine),
  })
}
beforeEach(() => begin({ linked: ['p', 'q', 'x', 'y'], players: ['p', 'q'] }))

const seek = (): Deeds => stage.play(() => source.seek())
const seekOn = (): Deeds => stage.play(() => source.seekOn())
/** Time passes, and the timer comes. */
const wait = (forMs = ANSWER_LIMIT_MS): Deeds => stage.playIn(forMs, () => source.seekAgain())
/** Those that are asked from now on, each having refused, until all were. */
function askedInTurn(first = seek()): string[] {
  const asked: string[] = []
  for (let deeds = first; ; deeds = seekOn()) {
    if (deeds.asked.length === 0) return asked
    asked.push(...deeds.asked)
  }
}

describe('who seeks a source', () => {
  test('asks one machine at a time, and gives it a while to answer', () => {
    const deeds = seek()
    expect(deeds.sent).toEqual([['p', follow(false)]])
    expect(deeds.timer('seek')).toBe(ANSWER_LIMIT_MS)
    expect([source.isAsked('p'), source.isAsked('q'), source.isIdle]).toEqual([true, false, false])
    expect(seek().all).toEqual([])
  })

  test('has none before one serves', () => {
    expect([source.machine, source.path, source.isIdle]).toEqual([null, [], true])
  })

  test('asks players first, then the others, each once', () => {
    expect(askedInTurn()).toEqual(['p', 'q', 'x', 'y'])
  })

  test('asks in another order when chance will have it', () => {
    let drawn = 0
    stage.chance = () => 1 / (1 + ++drawn)
    expect(askedInTurn()).toEqual(['q', 'p', 'y', 'x'])
  })

  test('asks whoever claims to have more before all others', () => {
    claimant = 'y'
    expect(askedInTurn()).toEqual(['y', 'p', 'q', 'x'])
  })

  test('asks nobody that it serves, nor itself', () => {
    served = ['p', 'x']
    stage.scene.peers.add(SELF)
    source.hint([SELF])
    followed.seatMachines.push(SELF)
    expect(askedInTurn()).toEqual(['q', 'y'])
  })

  test('asks nobody while it plays, and nobody while it has a source', () => {
    followed.seated = true
    expect(seek().all).toEqual([])
    followed.seated = false
    source.take('x', ['x'])
    expect(seek().all).toEqual([])
  })

  test('goes on to the next when one has not answered in time', () => {
    seek()
    expect(wait().asked).toEqual(['q'])
    expect(wait().asked).toEqual(['x'])
  })

  test('waits for the rest of the time when the timer comes early', () => {
    seek()
    const early = wait(ANSWER_LIMIT_MS - 1)
    expect([early.sent, early.timer('seek')]).toEqual([[], 1])
    expect(source.isAsked('p')).toBe(true)
    expect(wait(1).asked).toEqual(['q'])
  })

  test('begins again after a pause when nobody could serve, not all machines at once', () => {
    for (const [chance, pauseMs] of [
      [0, 700],
      [0.5, 1_000],
      [0.999, 1_299.4],
    ] as const) {
      begin()
      stage.chance = () => chance
      expect(seek().timer('seek')).toBeCloseTo(pauseMs, 6)
    }
    begin({ linked: ['x', 'y'] })
    expect(askedInTurn()).toEqual(['x', 'y'])
    expect(seek().asked).toEqual([])
    expect(askedInTurn(wait(1_000))).toEqual(['x', 'y'])
  })

  test('asks a machine again at once when it has come back, and no other', () => {
    askedInTurn()
    source.retry('x')
    expect(askedInTurn()).toEqual(['x'])
  })

  test.each([
    ['one link that flaps', ['x']],
    ['links that flap by turns', ['x', 'y']],
  ])('begins again after the pause, whatever %s do', (_what, flapping) => {
    askedInTurn()
    const asked: string[] = []
    for (let flaps = 0; flaps < 10; flaps++) {
      // As one goes, another comes.
      const machine = flapping[flaps % flapping.length] ?? ''
      asked.push(
        ...stage.playIn(150, () => {
          source.retry(machine)
          source.seek()
        }).asked,
        ...seekOn().asked,
      )
    }
    expect(asked).toContain('p')
    // Who comes back is asked once more in a round.
    expect(asked.filter((machine) => machine === 'p')).toHaveLength(1)
  })

  test('begins again once it is time, though the last that came back has not answered', () => {
    askedInTurn()
    stage.nowMs += 900
    source.retry('x')
    expect(seek().asked).toEqual(['x'])
    expect(wait().asked).toEqual(['p'])
  })

  test('is not hurried by a timer that comes early', () => {
    askedInTurn()
    const early = wait(999)
    expect([early.sent, early.timer('seek')]).toEqual([[], 1])
    expect(wait(1).asked).toEqual(['p'])
  })

  test('does not ask a machine that it has left until it begins again', () => {
    source.skip('p')
    expect(askedInTurn()).toEqual(['q', 'x', 'y'])
    expect(askedInTurn(wait(1_000))).toEqual(['p', 'q', 'x', 'y'])
  })

  test('expects no answer any more once it has stopped asking', () => {
    seek()
    source.stopAsking()
    expect([source.isAsked('p'), source.isIdle]).toEqual([false, true])
  })
})

describe('machines that another names', () => {
  test('are asked before the others, the newest first', () => {
    source.hint(['x'])
    source.hint(['y', 'x'])
    expect(askedInTurn()).toEqual(['y', 'x', 'p', 'q'])
  })

  test('are forgotten with the round: names are asked for anew', () => {
    source.hint(['y'])
    askedInTurn()
    expect(askedInTurn(wait(1_000))).toEqual(['p', 'q', 'x', 'y'])
  })

  test('are kept in mind up to a number, the newest', () => {
    const many = names(40, 'named')
    begin({ linked: many })
    source.hint(many)
    let drawn = 0
    stage.chance = () => 1 / (1 + ++drawn)
    expect(askedInTurn()).toEqual([...many.slice(0, 32), ...many.slice(32).toReversed()])
  })

  test('that did not help are told of, so that a player gives a guest’s place', () => {
    source.hint(['y'])
    askedInTurn()
    expect(wait(1_000).sent).toEqual([['p', follow(true)]])
  })

  test('that did help are not told of, though the timer of the question comes when it was answered', () => {
    source.hint(['y'])
    seek()
    source.take('y', ['y'])
    expect(wait().all).toEqual([])
    source.leave()
    expect(seek().sent).toEqual([['p', follow(false)]])
  })

  test('are not told of by who sat down meanwhile', () => {
    source.hint(['y'])
    seek()
    source.stopAsking()
    followed.seated = true
    expect(wait().all).toEqual([])
    followed.seated = false
    expect(seek().sent).toEqual([['p', follow(false)]])
  })

  test('are forgotten once one serves: whoever is asked later names others', () => {
    source.hint(['y', 'x'])
    source.take('y', ['y'])
    source.leave()
    expect(askedInTurn()).toEqual(['p', 'q', 'x', 'y'])
  })

  test('are not told of when nobody was named', () => {
    askedInTurn()
    expect(wait(1_000).sent).toEqual([['p', follow(false)]])
  })
})

describe('a machine without a link', () => {
  test('is dialled, while the next is asked', () => {
    begin({ linked: ['x'], players: ['p'] })
    const deeds = seek()
    expect([deeds.reached, deeds.asked]).toEqual([['p'], ['x']])
  })

  test('of a player is dialled in each round', () => {
    begin({ players: ['p'] })
    for (let i = 0; i < 20; i++) expect(wait(1_000).reached).toEqual(['p'])
  })

  test('that another has named is dialled once in a while', () => {
    begin()
    const dialled = (afterMs: number): string[] => {
      source.hint(['invented'])
      source.retry('invented')
      return stage.playIn(afterMs, () => source.seek()).reached
    }
    expect(dialled(0)).toEqual(['invented'])
    expect(dialled(0)).toEqual([])
    expect(dialled(DIALLED_MS - 1)).toEqual([])
    expect(dialled(1)).toEqual(['invented'])
  })

  test('is one of eight that are dialled in a while, players aside', () => {
    begin({ players: ['p'] })
    source.hint(names(12, 'invented'))
    expect(seek().reached).toEqual([...names(8, 'invented'), 'p'])
    for (const name of names(12, 'invented')) source.retry(name)
    stage.nowMs += DIALLED_MS
    source.hint(names(12, 'invented').toReversed())
    expect(seek().reached).toEqual([...names(12, 'invented').toReversed().slice(0, 8), 'p'])
  })
})

describe('a source', () => {
  test('is taken once, and ends the asking', () => {
    seek()
    expect(source.take('p', ['p'])).toBe(true)
    expect([source.machine, source.path, source.isIdle]).toEqual(['p', ['p'], true])
    expect(source.take('p', ['p'])).toBe(false)
  })

  test('is news when it is another, or its own source is', () => {
    source.take('p', ['p'])
    expect(source.take('p', ['p', 'q'])).toBe(true)
    expect(source.take('p', ['q', 'p'])).toBe(true)
    source.leave()
    expect(source.take('x', ['q', 'p'])).toBe(true)
    expect(source.path).toEqual(['q', 'p'])
    source.leave()
    expect(source.take('y', [])).toBe(true)
  })

  test('that goes leaves nothing behind, and all may be asked again', () => {
    askedInTurn()
    source.take('y', ['y'])
    expect(source.leave()).toBe('y')
    expect([source.machine, source.path]).toEqual([null, []])
    expect(source.leave()).toBeNull()
    expect(askedInTurn()).toEqual(['p', 'q', 'x', 'y'])
  })
})

describe('a machine that others say to have more than', () => {
  test('is not asked before all others were, and players hear that somebody did not help', () => {
    source.doubt('p')
    expect(seek().sent).toEqual([['q', follow(true)]])
    expect(source.isAvoided('p')).toBe(false)
    expect(askedInTurn(seekOn())).toEqual(['x', 'y'])
  })
})

describe('a machine that did not deliver', () => {
  test('is avoided for a minute, and others hear that somebody did not help', () => {
    stage.play(() => source.avoid('p'))
    expect([source.isAvoided('p'), source.isAvoided('q')]).toEqual([true, false])
    expect(seek().sent).toEqual([['q', follow(true)]])
    stage.playIn(AVOID_MS - 1, () => expect(source.isAvoided('p')).toBe(true))
    stage.playIn(1, () => expect(source.isAvoided('p')).toBe(false))
    expect(askedInTurn(seekOn())).toEqual(['p', 'x', 'y'])
  })

  test('is avoided anew from the last time on', () => {
    stage.play(() => source.avoid('p'))
    stage.playIn(AVOID_MS - 1, () => source.avoid('p'))
    stage.playIn(AVOID_MS - 1, () => expect(source.isAvoided('p')).toBe(true))
  })

  test('is remembered among so many, of which the longest ago is forgotten', () => {
    const liars = names(256, 'liar')
    stage.play(() => {
      for (const liar of liars) source.avoid(liar)
    })
    expect(liars.filter((liar) => source.isAvoided(liar))).toEqual(liars)
    source.avoid('liar 0')
    source.avoid('one more')
    expect(liars.filter((liar) => !source.isAvoided(liar))).toEqual(['liar 1'])
    expect(source.isAvoided('one more')).toBe(true)
  })
})
