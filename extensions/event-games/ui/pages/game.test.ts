// @vitest-environment jsdom
import { CloudError } from '/.dharma/sdk.js'
import type { SessionFrame } from '/.dharma/sdk.js'
import { render } from '/.dharma/lit.js'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { frameOf, GAME_DESCRIPTOR, showPage } from '../../testing/pages.ts'
import type { Stage } from '../../testing/pages.ts'
import { ANN } from '../../testing/records.ts'
import { createGamePage } from './game.ts'

/** Ann looks; Bob is the other. */
const OWN = GAME_DESCRIPTOR.seats.indexOf(ANN)
const OTHER = 1 - OWN
const MINUTE_MS = 60_000

let stage: Stage

beforeEach(() => {
  vi.useFakeTimers()
  stage = showPage((context) => createGamePage(context, 'e'.repeat(64)))
})
afterEach(() => {
  stage.close()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  render('', document.body)
})

function show(more: Partial<SessionFrame>): void {
  stage.show(frameOf(OWN, more))
}

/** Bob has never come. */
function alone(more: Partial<SessionFrame>): Partial<SessionFrame> {
  const seats = GAME_DESCRIPTOR.seats.map((person) => ({
    person,
    online: person === ANN ? true : null,
  }))
  return { state: 'waiting', seats, ...more }
}

/** Once the page has done what it was about. */
async function press(name: string): Promise<void> {
  await vi.advanceTimersByTimeAsync(0)
  const button = stage.button(name)
  if (button === undefined) throw new Error(`There is no button "${name}" on: ${stage.text()}`)
  button.click()
  await vi.advanceTimersByTimeAsync(0)
}

test('whoever waits for one who never sits down can move, and claim the game when it is due', async () => {
  show(alone({ toAct: [OWN], legal: [0, 1, 2] }))
  expect(stage.text()).toContain('Waiting for bbb to sit down. You can make your move already.')
  expect(document.querySelectorAll('.column')).toHaveLength(7)
  show(alone({ toAct: [OTHER], ply: 1, claimInMs: 5 * MINUTE_MS }))
  expect(stage.text()).toContain('If bbb does not move, you can claim the game in 5:00.')
  expect(stage.button('Resign…')).toBeDefined()
  await vi.advanceTimersByTimeAsync(28_000)
  expect(stage.text()).toContain('you can claim the game in 4:32.')
  expect(stage.button('Claim the game…')).toBeUndefined()
  await vi.advanceTimersByTimeAsync(5 * MINUTE_MS - 28_000)
  expect(stage.text()).toContain('bbb has not acted for 5 minutes.')
  expect(stage.announced.at(-1)).toBe('You can claim the game now.')
  await press('Claim the game…')
  expect(stage.calls).not.toContain('claim')
  expect(stage.text()).toContain('Everyone sees that it was by your claim, as bbb did not act.')
  await press('Claim it for good')
  expect(stage.calls).toContain('claim')
})

test('a claim is thought better of, and asked for no more once the other has moved', async () => {
  show({ toAct: [OTHER], claimInMs: 0 })
  await press('Claim the game…')
  await press('Wait on')
  await press('Claim the game…')
  show({ toAct: [OWN], ply: 2 })
  expect(stage.text()).toContain('bbb can claim the game when you have not moved for 5 minutes.')
  expect(stage.button('Claim it for good')).toBeUndefined()
  show({ toAct: [OTHER], ply: 3, claimInMs: 0 })
  expect(stage.button('Claim it for good')).toBeUndefined()
  expect(stage.calls).toEqual(['open'])
})

test('a claim that is refused says why, in the words of the error, and when it will not be', async () => {
  show({ toAct: [OTHER], claimInMs: 0 })
  const message = 'The others have 3 seconds left to act.'
  stage.refusal = new CloudError('SESSION_CLAIM_EARLY', message, { leftMs: 3000 })
  await press('Claim the game…')
  await press('Claim it for good')
  expect(document.querySelector('[role=alert]')?.textContent).toBe(message)
  expect(stage.text()).toContain('you can claim the game in 0:03.')
  await vi.advanceTimersByTimeAsync(3000)
  expect(stage.button('Claim the game…')).toBeDefined()
})

test('resigning says what it does, and is asked for once more', async () => {
  show({})
  await press('Resign…')
  expect(stage.text()).toContain('You give the game up, and bbb wins.')
  await press('Play on')
  await press('Resign…')
  await press('Resign for good')
  expect(stage.calls).toEqual(['open', 'resign'])
})

test('who watches has nothing to end, and neither has who has ended it', () => {
  stage.show(frameOf(null))
  expect(document.querySelector('[aria-label="Ending the game"]')).toBeNull()
  const scores = [0, 1].map((seat) => (seat === OWN ? 1 : 0))
  const reason = 'claimed, as the others were silent'
  show({ state: 'over', toAct: [], outcome: { scores, reason }, by: 'claim', resultId: 'r' })
  expect(document.querySelector('[aria-label="Ending the game"]')).toBeNull()
  expect(document.querySelector('.result h2')?.textContent).toBe(
    'You won by claim: bbb did not act.',
  )
})
