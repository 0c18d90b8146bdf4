import { describe, expect, test } from 'vitest'
import { keysOf } from '../../testing/session-tables.ts'
import { audienceMessageSchema, MAX_PATH } from './audience-messages.ts'
import {
  compare,
  follow,
  have,
  redirect,
  serving,
  SESSION,
  unavailable,
  unfollow,
} from './fixtures/stage.ts'

const { key } = keysOf('a machine')
const machines = (count: number): string[] => Array.from({ length: count }, () => key)
const understood = (message: unknown): boolean => audienceMessageSchema.safeParse(message).success

test.each([
  follow(),
  follow(true),
  serving([], 0),
  serving(machines(MAX_PATH), 900),
  redirect(),
  redirect(...machines(16)),
  unavailable,
  unfollow,
  compare,
  have(3),
])('machines understand what they say to each other: %j', (message) => {
  expect(audienceMessageSchema.parse(message)).toEqual(message)
  expect(audienceMessageSchema.parse({ ...message, later: 1 })).toEqual(message)
})

describe('what a stranger may say instead is not understood:', () => {
  test.each([
    ['nothing', null],
    ['no kind', { session: SESSION }],
    ['another kind', { type: 'other', session: SESSION }],
    ['no kind, as if it had a name', { type: '', session: SESSION }],
    ['a question without a word of those before', { ...unfollow, type: 'follow' }],
    ['a place without a way', { ...have(1), type: 'serving' }],
    ['a place without a length', { ...serving([key]), length: undefined }],
    ['a way that is longer than any', serving(machines(MAX_PATH + 1))],
    ['a way over what is no machine', serving(['x'])],
    ['a way that is none', { ...serving([]), path: key }],
    ['others than machines', redirect('x')],
    ['more machines than anybody serves', redirect(...machines(17))],
    ['a hint without machines', { ...unfollow, type: 'redirect' }],
    ['no length', { ...compare, type: 'have' }],
    ['less than nothing', have(-1)],
    ['half an action', have(0.5)],
    ['a place with less than nothing', serving([key], -1)],
  ])('%s', (_, message) => {
    expect(understood(message)).toBe(false)
  })

  test.each([follow(), serving([]), redirect(), unavailable, unfollow, compare, have(1)])(
    'no session, or what is none: %j',
    (message) => {
      expect(understood({ ...message, session: undefined })).toBe(false)
      expect(understood({ ...message, session: 'a' })).toBe(false)
    },
  )
})
