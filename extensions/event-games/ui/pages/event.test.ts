// @vitest-environment jsdom
import { render } from '/.dharma/lit.js'
import { afterEach, expect, test } from 'vitest'
import { DUEL, eventWith, frameOf, resultOf, showPage } from '../../testing/pages.ts'
import type { Setting, Stage } from '../../testing/pages.ts'
import { ANN, BOB, CUP_ID, entryRecord } from '../../testing/records.ts'
import { createEventPage } from './event.ts'
import { createEventsPage } from './events.ts'
import { createLivePage } from './live.ts'
import { createResultsPage } from './results.ts'

afterEach(() => render('', document.body))

function showEvent(setting: Setting): Stage {
  return showPage((context) => createEventPage(context, CUP_ID), setting)
}

test('a single game says everywhere that it starts by itself, and has no button for that', () => {
  const events = [eventWith({ format: 'single', maxPlayers: 2 })]
  const open = showEvent({ events, entries: [entryRecord(ANN)] })
  expect(open.text()).toContain('Single game, two players')
  expect(open.text()).toContain('It starts by itself as soon as two players have joined.')
  expect(open.button('Start now')).toBeUndefined()
  const full = showEvent({ events, entries: [entryRecord(ANN), entryRecord(BOB)] })
  expect(full.button('Start now')?.disabled).toBe(false)
})

test('a round robin is started by who organises it', () => {
  const events = [eventWith({})]
  const open = showEvent({ events, entries: [entryRecord(ANN)] })
  expect(open.text()).toContain('Round robin, up to 3 players')
  expect(open.text()).toContain('You can start it when two or more have joined.')
  expect(open.button('Start now')?.disabled).toBe(true)
})

test('who has never sat down begins a game, and does not continue it', () => {
  const bob = DUEL.start?.players.findIndex(({ person }) => person === BOB) ?? -1
  const satDown = frameOf(bob)
  const seats = satDown.seats.map((seat) =>
    seat.person === BOB ? { ...seat, online: null } : seat,
  )
  const setting = { me: BOB, sessions: [{ ...satDown, state: 'waiting' as const, seats }] }
  expect(showEvent(setting).button('Play against aaa')).toBeDefined()
  expect(showPage(createLivePage, setting).text()).toContain('Play aaa against bbb')
  expect(showEvent({ me: BOB, sessions: [satDown] }).button('Continue against aaa')).toBeDefined()
})

test('a result by claim says so in the event and among the results', () => {
  const results = [resultOf({ by: 'claim', winner: ANN })]
  expect(showEvent({ results }).text()).toContain('By claim: bbb did not act')
  const list = showPage(createResultsPage, { results })
  expect(list.text()).toContain('aaa won by claim: bbb did not act')
  expect(list.text()).toContain('Signed by neither')
  const resigned = [resultOf({ by: 'resignation', winner: BOB })]
  expect(showEvent({ results: resigned }).text()).toContain('Aaa resigned')
  expect(showPage(createResultsPage, { results: resigned }).text()).toContain(
    'bbb won aaa resigned',
  )
  const played = [resultOf({ by: 'rules', winner: BOB })]
  expect(showEvent({ results: played }).text()).not.toContain('did not act')
})

test('without events, one button announces the first', () => {
  const links = (): number => document.querySelectorAll('a.d-button-primary').length
  showPage(createEventsPage, { events: [] })
  expect(links()).toBe(1)
  showPage(createEventsPage)
  expect(links()).toBe(1)
})
