import { expect, test } from 'vitest'
import { findShortcut } from './shortcuts.ts'

const PRESS = { type: 'keyDown', control: true, meta: false, alt: false, shift: false } as const

test('the keys of the window work in a page, when they go down', () => {
  expect(findShortcut({ ...PRESS, key: 't' }, 'linux')).toBe('new-tab')
  expect(findShortcut({ ...PRESS, key: '3' }, 'linux')).toBe('tab-3')
  expect(findShortcut({ ...PRESS, key: 'T', shift: true }, 'linux')).toBe('reopen-tab')
  expect(findShortcut({ ...PRESS, key: 't' }, 'darwin')).toBeNull()
  expect(findShortcut({ ...PRESS, control: false, meta: true, key: 't' }, 'darwin')).toBe('new-tab')
  expect(findShortcut({ ...PRESS, key: 't', type: 'keyUp' }, 'linux')).toBeNull()
})

test('what a page writes with is left to it', () => {
  for (const key of ['b', 'c', 'i']) {
    expect(findShortcut({ ...PRESS, key }, 'linux')).toBeNull()
  }
})
