import { beforeEach, describe, expect, test } from 'vitest'
import { MAX_PATH } from './audience-messages.ts'
import type { AudienceMessage } from './audience-messages.ts'
import { AudiencePlace } from './audience-place.ts'
import type { Followed, TimerKind } from './audience-scene.ts'
import { compare, follow, have, redirect, SELF, serving, SESSION } from './fixtures/stage.ts'
import { Stage, unavailable, unfollow } from './fixtures/stage.ts'
import type { Deeds } from './fixtures/stage.ts'

const ANSWER_LIMIT_MS = 2_000
const DELIVERY_LIMIT_MS = 2_000

let stage: Stage
let place: AudiencePlace
let followed: Followed
/** Begins to follow, linked with these machines. */
function begin(linked: string[], changes: Partial<Followed> = {}): Deeds {
  stage = new Stage(...linked)
  followed = { session: SESSION, seated: false, seatMachines: ['p', 'q'], length: 0, ...changes }
  return stage.play(() => {
    place = new AudiencePlace(stage.scene, followed)
    place.follow(followed)
  })
}
const follows = (changes: Partial<Followed>): Deeds =>
  stage.play(() => place.follow((followed = { ...followed, ...changes })))
const hear = (from: string, message: AudienceMessage): Deeds =>
  stage.play(() => place.received(from, message))
const opens = (machine: string): Deeds => {
  stage.scene.peers.add(machine)
  return stage.play(() => place.opened(machine))
}
const closes = (machine: string): Deeds => {
  stage.scene.peers.delete(machine)
  return stage.play(() => place.closed(machine))
}
const timer = (kind: TimerKind, afterMs = 0): Deeds =>
  stage.playIn(afterMs, () => place.timer(kind))
/** A spectator that has been served by the player p, linked with others. */
const beginServed = (...others: string[]): Deeds => {
  begin(['p', ...others])
  return hear('p', serving(['p']))
}

describe('a player', () => {
  const seat = { seated: true, seatMachines: ['p', 'q'] }

  test('replicates with the other players who are linked, dials those who are not, and asks nobody', () => {
    const deeds = begin(['q', 'x'], seat)
    expect([deeds.reached, deeds.replicated, deeds.sent]).toEqual([['p'], [['q']], []])
    const opened = opens('p')
    expect([opened.replicated, opened.sent]).toEqual([[['p', 'q']], []])
    const closed = closes('q')
    expect([closed.replicated, closed.sent]).toEqual([[['p']], []])
    const next = follows({ length: 1 })
    expect([next.reached, next.replicated, next.sent]).toEqual([['q'], [], []])
  })

  test('leaves its source when it sits down, and expects no answer of whom it has asked', () => {
    beginServed('x')
    const deeds = follows(seat)
    expect(deeds.sent).toEqual([['p', unfollow]])
    expect([place.source, deeds.reached, deeds.replicated]).toEqual([null, ['q'], []])
    begin(['p', 'x'])
    follows(seat)
    expect(hear('p', serving(['p'])).sent).toEqual([['p', unfollow]])
    expect(place.source).toBeNull()
    expect(timer('seek', ANSWER_LIMIT_MS).all).toEqual([])
  })

  test('serves a spectator from its first action on, and a guest in the other place', () => {
    begin(['q', 'x', 'y', 'z'], seat)
    const deeds = hear('x', follow())
    expect(deeds.sent).toEqual([['x', serving([SELF])]])
    expect(deeds.replicated).toEqual([['q', 'x']])
    expect(hear('y', follow()).sent).toEqual([['y', redirect('x')]])
    expect(hear('y', follow(true)).sent).toEqual([['y', serving([SELF])]])
    expect(hear('z', follow(true)).sent).toEqual([['z', redirect('x')]])
    const lots = timer('guest', 3_000)
    expect(lots.sent).toEqual([
      ['y', unavailable],
      ['z', serving([SELF])],
    ])
    expect(lots.replicated.at(-1)).toEqual(['q', 'x', 'z'])
    expect(place.served).toEqual(['x', 'z'])
  })

  test('compares with nobody, and believes no claims', () => {
    begin(['p', 'x'], seat)
    expect(hear('x', have(900)).all).toEqual([])
    expect(timer('watch', DELIVERY_LIMIT_MS).all).toEqual([])
  })
})

describe('a spectator', () => {
  test('seeks a source at once, and replicates with nobody yet', () => {
    const deeds = begin(['p', 'x'])
    expect([deeds.sent, deeds.replicated, deeds.reached]).toEqual([[['p', follow()]], [], []])
    expect([place.source, place.served]).toEqual([null, []])
  })

  test('replicates with the machine that serves it', () => {
    const deeds = beginServed('x')
    expect([place.source, deeds.replicated, deeds.sent]).toEqual(['p', [['p']], []])
    expect(deeds.timer('watch')).toBe(1_000)
  })

  test('asks the next when one refuses, names others, or does not answer', () => {
    begin(['p', 'q', 'x', 'y', 'z'])
    expect(hear('p', unavailable).asked).toEqual(['q'])
    expect(hear('q', redirect('y')).asked).toEqual(['y'])
    expect(timer('seek', ANSWER_LIMIT_MS).asked).toEqual(['x'])
    expect(closes('x').asked).toEqual(['z'])
  })

  test('is not kept from whom it asks by what others say', () => {
    begin(['p', 'q', 'x', 'y'])
    expect(hear('x', unavailable).all).toEqual([])
    expect(hear('x', redirect('y')).all).toEqual([])
    expect(closes('x').all).toEqual([])
    expect(hear('y', serving(['y'])).sent).toEqual([['y', unfollow]])
    expect(hear('p', serving(['p'])).replicated).toEqual([['p']])
  })

  test('does not ask whom somebody else named', () => {
    begin(['p', 'q', 'x', 'y'])
    hear('x', redirect('y'))
    expect(hear('p', unavailable).asked).toEqual(['q'])
  })

  test('asks a machine again as soon as it is back', () => {
    begin(['p'])
    hear('p', unavailable)
    closes('p')
    expect(opens('p').asked).toEqual(['p'])
  })

  test('seeks another source, and tells those that it serves, when its own stops or is gone', () => {
    for (const go of [() => hear('p', unavailable), () => closes('p')]) {
      beginServed('x', 'y')
      hear('y', follow())
      const deeds = go()
      expect(deeds.sent).toEqual([
        ['p', unfollow],
        ['y', serving([SELF])],
        ['x', follow()],
      ])
      expect([place.source, deeds.replicated]).toEqual([null, [['y']]])
    }
  })

  test('keeps its source when another goes, or names machines', () => {
    beginServed('x')
    expect(closes('x').all).toEqual([])
    expect(hear('x', unavailable).all).toEqual([])
    expect(hear('p', redirect('x')).all).toEqual([])
    expect(place.source).toBe('p')
  })

  test('says nothing of what has not changed', () => {
    beginServed('x')
    expect(opens('y').all).toEqual([])
    expect(follows({}).all).toEqual([])
    expect(hear('p', serving(['p'])).all).toEqual([])
  })
})

describe('the way by which it is served', () => {
  test('is passed on with how far it has come, and again when it changes', () => {
    beginServed('x', 'y', 'z')
    follows({ length: 3 })
    const deeds = hear('y', follow())
    expect(deeds.sent).toEqual([['y', serving([SELF, 'p'], 3)]])
    expect(deeds.replicated).toEqual([['p', 'y']])
    hear('z', follow())
    expect(hear('p', serving(['p', 'q'], 3)).sent).toEqual([
      ['y', serving([SELF, 'p', 'q'], 3)],
      ['z', serving([SELF, 'p', 'q'], 3)],
    ])
    expect(hear('p', serving(['p', 'q'], 3)).sent).toEqual([])
  })

  test('is never longer than what others understand', () => {
    const path = Array.from({ length: MAX_PATH - 1 }, (_, i) => `relay ${i}`)
    begin(['p', 'x'])
    hear('p', serving(path))
    expect(hear('x', follow()).sent).toEqual([['x', serving([SELF, ...path])]])
    begin(['p', 'x'])
    expect(hear('p', serving([...path, 'one more'])).sent[0]).toEqual(['p', unfollow])
    expect(place.source).toBeNull()
  })

  test('does not lead in a circle: a machine that has it from here is no source', () => {
    begin(['p', 'x'], { length: 1 })
    const deeds = hear('p', serving(['p', SELF]))
    expect(deeds.sent).toEqual([
      ['p', unfollow],
      ['x', follow()],
    ])
    expect([place.source, deeds.replicated]).toEqual([null, []])
  })

  test('is left when it has become a circle', () => {
    beginServed('x')
    const deeds = hear('p', serving(['p', 'x', SELF]))
    expect(deeds.sent).toEqual([
      ['p', unfollow],
      ['x', follow()],
    ])
    expect([place.source, deeds.replicated]).toEqual([null, [[]]])
  })
})

describe('who asks to be served', () => {
  test('is refused by a machine that has nothing and no source', () => {
    begin(['p', 'x'])
    expect(hear('x', follow()).sent).toEqual([['x', unavailable]])
    expect(place.served).toEqual([])
  })

  test('is served by a machine that has something, or has a source', () => {
    begin(['p', 'x'], { length: 1 })
    expect(hear('x', follow()).sent).toEqual([['x', serving([SELF], 1)]])
    beginServed('x')
    expect(hear('x', follow()).sent).toEqual([['x', serving([SELF, 'p'])]])
  })

  test('is refused if the session comes from it, by whichever way', () => {
    begin(['p', 'x', 'y'], { length: 1 })
    hear('p', serving(['p', 'x']))
    for (const machine of ['p', 'x']) {
      expect(hear(machine, follow()).sent).toEqual([[machine, unavailable]])
    }
    expect(hear('y', follow()).sent).toEqual([['y', serving([SELF, 'p', 'x'], 1)]])
  })

  test('is served until it wants no more, or is gone', () => {
    beginServed('x', 'y')
    hear('x', follow())
    hear('y', follow())
    expect(place.served).toEqual(['x', 'y'])
    expect(hear('x', unfollow).replicated).toEqual([['p', 'y']])
    expect(closes('y').replicated).toEqual([['p']])
    expect(place.served).toEqual([])
  })

  test('is not asked in turn: two that serve each other serve nobody', () => {
    begin(['p', 'q', 'x', 'y'], { length: 1 })
    hear('x', follow())
    hear('p', unavailable)
    expect(hear('q', unavailable).asked).toEqual(['y'])
  })

  test('is replicated with no more once it is gone, though it was asked itself', () => {
    begin(['p', 'x'], { length: 1 })
    hear('p', follow())
    const deeds = closes('p')
    expect([deeds.replicated, deeds.asked]).toEqual([[[]], ['x']])
  })
})

describe('a guest’s place', () => {
  test('is taken, though it is given long after it was asked for', () => {
    begin(['p', 'q', 'x'])
    hear('p', redirect())
    const deeds = hear('p', serving(['p']))
    expect([place.source, deeds.replicated, deeds.sent]).toEqual(['p', [['p']], []])
    // Whoever was asked meanwhile is not waited for.
    expect(hear('q', serving(['q'])).sent).toEqual([['q', unfollow]])
    expect(place.source).toBe('p')
  })

  test('is not taken by who has a source, nor from another than a player', () => {
    begin(['p', 'q', 'x'])
    expect(hear('x', serving(['x'])).sent).toEqual([['x', unfollow]])
    hear('p', serving(['p']))
    expect(hear('q', serving(['q'])).sent).toEqual([['q', unfollow]])
    expect(place.source).toBe('p')
  })

  test('of a player that is avoided keeps nobody from whom it asks', () => {
    begin(['p', 'q', 'x'])
    hear('p', serving(['p'], 900))
    const deeds = timer('watch', DELIVERY_LIMIT_MS)
    expect(deeds.asked).toEqual(['q'])
    for (let i = 0; i < 3; i++) expect(hear('p', serving(['p'])).sent).toEqual([['p', unfollow]])
    expect(hear('q', serving(['q'])).replicated).toEqual([['q']])
  })
})

describe('a source that does not keep up', () => {
  test('with what it said when it began is left, and avoided', () => {
    begin(['p', 'x'])
    expect(hear('p', serving(['p'], 9)).timer('watch')).toBe(DELIVERY_LIMIT_MS)
    expect(timer('watch', DELIVERY_LIMIT_MS - 1).asked).toEqual([])
    const deeds = timer('watch', 1)
    expect(deeds.sent.slice(0, 2)).toEqual([
      ['p', unfollow],
      ['p', compare],
    ])
    expect([place.source, deeds.replicated, deeds.asked]).toEqual([null, [[]], ['x']])
    // Its word counts no more, either.
    expect(hear('p', have(900)).all).toEqual([])
    expect(hear('p', serving(['p'])).sent).toEqual([['p', unfollow]])
  })

  test('with what it says later is left, however often it says more or names another way', () => {
    begin(['p', 'x'])
    hear('p', serving(['p']))
    hear('p', have(9))
    for (let i = 0; i < 3; i++) {
      stage.nowMs += 600
      const deeds = hear('p', serving(['p', `relay ${i}`], 900 + i))
      expect([deeds.timer('watch'), deeds.sent]).toEqual([undefined, []])
    }
    expect(timer('watch', 200).asked).toEqual(['x'])
  })

  test('stays when it has delivered in time', () => {
    begin(['p', 'x'])
    hear('p', serving(['p'], 9))
    follows({ length: 9 })
    expect(timer('watch', DELIVERY_LIMIT_MS).asked).toEqual([])
    expect(hear('p', have(9)).all).toEqual([])
    expect([place.source, timer('watch', DELIVERY_LIMIT_MS).asked]).toEqual(['p', []])
  })

  test('with what another says is left for that one, and avoided once it delivers', () => {
    beginServed('q', 'x', 'y')
    hear('y', have(9))
    const deeds = timer('watch', DELIVERY_LIMIT_MS)
    expect([deeds.sent[0], deeds.asked]).toEqual([['p', unfollow], ['y']])
    hear('y', serving(['y'], 9))
    follows({ length: 9 })
    expect(place.source).toBe('y')
    hear('y', unavailable)
    expect(hear('p', serving(['p'])).sent).toEqual([['p', unfollow]])
  })

  test('is not asked again at once, but is after all others, when nobody has delivered more', () => {
    beginServed('x')
    hear('x', have(900))
    expect(timer('watch', DELIVERY_LIMIT_MS).asked).toEqual(['x'])
    expect(hear('x', unavailable).asked).toEqual([])
    expect(timer('seek', 1_000).asked).toEqual(['p'])
  })

  test('is not left before its time, nor for a word that was kept', () => {
    beginServed('x')
    hear('x', have(2))
    expect(timer('watch', DELIVERY_LIMIT_MS - 1).asked).toEqual([])
    follows({ length: 2 })
    expect(timer('watch', 1).asked).toEqual([])
    expect(place.source).toBe('p')
  })

  test('is not left for the word of a machine that is gone', () => {
    beginServed('x')
    hear('x', have(900))
    closes('x')
    timer('watch', DELIVERY_LIMIT_MS)
    expect(place.source).toBe('p')
  })
})

describe('what another claims while there is no source', () => {
  beforeEach(() => {
    begin(['x', 'y'], { length: 1 })
    hear('x', unavailable)
  })

  test('has it asked first', () => {
    hear('y', redirect())
    hear('y', have(9))
    expect([place.claimant, timer('seek', 1_000).asked]).toEqual(['y', ['y']])
  })

  test('is remembered while one is asked, and forgotten when nobody serves', () => {
    hear('x', have(9))
    timer('watch', DELIVERY_LIMIT_MS)
    expect(place.claimant).toBe('x')
    hear('y', unavailable)
    timer('watch')
    expect(place.claimant).toBeNull()
  })

  test('counts no more when that machine says that it has nothing', () => {
    hear('y', have(9))
    hear('y', unavailable)
    expect(place.claimant).toBeNull()
  })

  test('is not forgotten before its time', () => {
    hear('x', have(9))
    hear('y', unavailable)
    timer('watch', DELIVERY_LIMIT_MS - 1)
    expect(place.claimant).toBe('x')
  })

  test('is none if it is no more than is here', () => {
    for (const length of [0, 1]) expect(hear('x', have(length)).all).toEqual([])
    expect(place.claimant).toBeNull()
  })
})

test('how far it has come is told to whoever asks, and asked of the source and others', () => {
  beginServed('q', 'x')
  follows({ length: 5 })
  expect(hear('x', compare).all).toEqual([{ type: 'send', to: 'x', message: have(5) }])
  expect(timer('watch', 1_000).sent).toEqual([
    ['p', compare],
    ['q', compare],
  ])
})

test('when it follows no more, all whom it concerns hear of it, and no timer is left', () => {
  beginServed('x', 'y')
  for (const machine of ['x', 'y']) hear(machine, follow())
  expect(stage.play(() => place.end()).all).toEqual([
    { type: 'send', to: 'p', message: unfollow },
    { type: 'send', to: 'x', message: unavailable },
    { type: 'send', to: 'y', message: unavailable },
    { type: 'replicate', session: SESSION, machines: [] },
    ...['seek', 'watch', 'guest'].map((kind) => ({
      type: 'clearTimer',
      id: `${kind} ${SESSION}`,
    })),
  ])
  begin([])
  expect(stage.play(() => place.end()).sent).toEqual([])
})
