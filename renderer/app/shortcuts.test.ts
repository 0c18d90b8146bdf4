import { expect, test } from 'vitest'
import { shortcutOf } from './shortcuts.ts'

const keys = (text: string) => {
  const parts = text.split('+')
  return {
    key: parts.at(-1) ?? '',
    ctrlKey: parts.includes('Ctrl'),
    metaKey: parts.includes('Meta'),
    altKey: parts.includes('Alt'),
    shiftKey: parts.includes('Shift'),
  }
}

test.each([
  ['Ctrl+t', 'new-tab'],
  ['Ctrl+w', 'close-tab'],
  ['Ctrl+Shift+T', 'reopen-tab'],
  ['Ctrl+l', 'focus-address'],
  ['Ctrl+k', 'command-palette'],
  ['Ctrl+r', 'reload'],
  ['Ctrl+Tab', 'next-tab'],
  ['Ctrl+Shift+Tab', 'previous-tab'],
  ['Ctrl+3', 'tab-3'],
  ['Alt+ArrowLeft', 'back'],
  ['Alt+ArrowRight', 'forward'],
  ['Ctrl+Shift+PageUp', 'move-tab-left'],
  ['Meta+t', null],
  ['t', null],
  ['Ctrl+Alt+t', null],
  ['Ctrl+Shift+r', null],
])('%s: %s', (text, shortcut) => expect(shortcutOf(keys(text), false)).toBe(shortcut))

test('on a Mac it is Command, and Alt with arrows moves the cursor', () => {
  expect(shortcutOf(keys('Meta+t'), true)).toBe('new-tab')
  expect(shortcutOf(keys('Ctrl+t'), true)).toBeNull()
  expect(shortcutOf(keys('Alt+ArrowLeft'), true)).toBeNull()
  expect(shortcutOf(keys('Meta+['), true)).toBe('back')
})
