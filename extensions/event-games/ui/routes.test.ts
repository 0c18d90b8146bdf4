import { expect, test } from 'vitest'
import { pathOf, routeOf } from './routes.ts'

test.each([
  ['/', { page: 'events' }],
  ['/events', { page: 'events' }],
  ['/events/new', { page: 'new-event' }],
  ['/events/abc-def?tab=1#x', { page: 'event', event: 'abc-def' }],
  ['/live', { page: 'live' }],
  ['/games/00ff', { page: 'game', session: '00ff' }],
  ['/results', { page: 'results' }],
  ['/replay/00ff', { page: 'replay', session: '00ff' }],
  ['/live/x', { page: 'unknown' }],
  ['/events/a/b', { page: 'unknown' }],
  ['/events/%E0%A4%A', { page: 'event', event: '%E0%A4%A' }],
])('%s leads to its page', (path, route) => {
  expect(routeOf(path)).toEqual(route)
})

test('an id with special characters survives its address', () => {
  expect(routeOf(pathOf.event('a/b c?d'))).toEqual({ page: 'event', event: 'a/b c?d' })
})
