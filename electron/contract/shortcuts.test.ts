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
  ['F6', 'focus-address'],
  ['Alt+d', 'focus-address'],
  ['Ctrl+k', 'command-palette'],
  ['Ctrl+b', 'toggle-rail'],
  ['Ctrl+r', 'reload'],
  ['Ctrl+Shift+R', 'reload'],
  ['F5', 'reload'],
  ['Ctrl+Tab', 'next-tab'],
  ['Ctrl+Shift+Tab', 'previous-tab'],
  ['Ctrl+PageDown', 'next-tab'],
  ['Ctrl+PageUp', 'previous-tab'],
  ['Ctrl+Shift+PageUp', 'move-tab-left'],
  ['Ctrl+Shift+PageDown', 'move-tab-right'],
  ['Ctrl+1', 'tab-1'],
  ['Ctrl+9', 'tab-9'],
  ['Alt+ArrowLeft', 'back'],
  ['Alt+ArrowRight', 'forward'],
])('%s: %s', (text, shortcut) => expect(shortcutOf(keys(text), false)).toBe(shortcut))

test.each([
  ...['t', 'w', '3', 'Enter', 'ArrowLeft', 'Tab', 'Shift+Tab', 'Shift+F5'],
  ...['Meta+t', 'Ctrl+Alt+t', 'Ctrl+Meta+t', 'Ctrl+c', 'Ctrl+0', 'Ctrl+[', 'Ctrl+Shift+1'],
])('%s is the page’s own', (text) => expect(shortcutOf(keys(text), false)).toBeNull())

test('on a Mac it is Command, and Alt with arrows moves the cursor', () => {
  expect(shortcutOf(keys('Meta+t'), true)).toBe('new-tab')
  expect(shortcutOf(keys('Meta+2'), true)).toBe('tab-2')
  expect(shortcutOf(keys('Meta+['), true)).toBe('back')
  expect(shortcutOf(keys('Ctrl+Tab'), true)).toBe('next-tab')
  expect(shortcutOf(keys('Ctrl+t'), true)).toBeNull()
  expect(shortcutOf(keys('Alt+ArrowLeft'), true)).toBeNull()
})
