import { expect, test } from 'vitest'
import { findShortcut } from './shortcuts.ts'

const NONE = { type: 'keyDown', control: false, meta: false, alt: false, shift: false } as const

test.each([
  ['new-tab', { key: 't', control: true }],
  ['close-tab', { key: 'w', control: true }],
  ['focus-address', { key: 'l', control: true }],
  ['command-palette', { key: 'k', control: true }],
  ['next-tab', { key: 'Tab', control: true }],
  ['previous-tab', { key: 'Tab', control: true, shift: true }],
  ['reload', { key: 'F5' }],
  ['reload', { key: 'R', control: true, shift: true }],
  ['back', { key: 'ArrowLeft', alt: true }],
  ['forward', { key: 'ArrowRight', alt: true }],
] as const)('%s on Linux', (shortcut, key) => {
  expect(findShortcut({ ...NONE, ...key }, 'linux')).toBe(shortcut)
})

test('on a Mac the command key does it, and the arrows stay with the text', () => {
  expect(findShortcut({ ...NONE, key: 't', meta: true }, 'darwin')).toBe('new-tab')
  expect(findShortcut({ ...NONE, key: 't', control: true }, 'darwin')).toBeNull()
  expect(findShortcut({ ...NONE, key: 'ArrowLeft', alt: true }, 'darwin')).toBeNull()
  expect(findShortcut({ ...NONE, key: '[', meta: true }, 'darwin')).toBe('back')
})

test('what the person types in a page is left to the page', () => {
  for (const key of ['t', 'w', 'Enter', 'ArrowLeft', 'Tab']) {
    expect(findShortcut({ ...NONE, key }, 'linux')).toBeNull()
  }
  expect(findShortcut({ ...NONE, key: 'c', control: true }, 'linux')).toBeNull()
  expect(findShortcut({ ...NONE, type: 'keyUp', key: 't', control: true }, 'linux')).toBeNull()
})
