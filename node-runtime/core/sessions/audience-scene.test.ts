import { expect, test } from 'vitest'
import { compare, SESSION, Stage } from './fixtures/stage.ts'

test('what is done is done once, in order, at the time at which it happens', () => {
  const stage = new Stage()
  const { scene } = stage
  const first = stage.play(() => {
    scene.do({ type: 'reach', machine: 'a' })
    scene.send('b', compare)
  })
  expect(first.all).toEqual([
    { type: 'reach', machine: 'a' },
    { type: 'send', to: 'b', message: compare },
  ])
  expect(stage.playIn(5, () => expect(scene.nowMs).toBe(stage.nowMs)).all).toEqual([])
})

test('each kind of timer is one of its session, and all of them end together', () => {
  const stage = new Stage()
  const kinds = ['seek', 'watch', 'guest'] as const
  for (const kind of kinds) {
    expect(stage.play(() => stage.scene.setTimer(kind, SESSION, 7)).all).toEqual([
      { type: 'setTimer', id: `${kind} ${SESSION}`, afterMs: 7 },
    ])
  }
  expect(stage.play(() => stage.scene.clearTimers(SESSION)).all).toEqual(
    kinds.map((kind) => ({ type: 'clearTimer', id: `${kind} ${SESSION}` })),
  )
})

test('an audience does not ask all at once: a quarter earlier or later, as chance has it', () => {
  const stage = new Stage()
  const soon = [0, 0.5, 1].map((chance) => {
    stage.chance = () => chance
    return stage.scene.soon(1_000)
  })
  expect(soon).toEqual([750, 1_000, 1_250])
})

test('chance alone decides an order, and loses nobody', () => {
  const stage = new Stage()
  const drawn = [0.7, 0.1, 0.9, 0.4]
  stage.chance = () => drawn.shift() ?? 0
  expect(stage.scene.shuffled(['a', 'b', 'c', 'd'])).toEqual(['b', 'd', 'a', 'c'])
})
