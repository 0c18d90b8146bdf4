// Browser shortcuts that work while a page has the focus. Pure.
import type { Input } from 'electron'
import type { TabsEvent } from '../contract/tabs.ts'

export type Shortcut = Extract<TabsEvent, { type: 'shortcut' }>['shortcut']

/** Those after which the person goes on in the shell's page. */
export const FOCUSING_SHELL: readonly Shortcut[] = ['new-tab', 'focus-address', 'command-palette']

type Key = Pick<Input, 'type' | 'key' | 'control' | 'meta' | 'alt' | 'shift'>

/** The shortcut that this key press is, or null. */
export function findShortcut(input: Key, platform: NodeJS.Platform): Shortcut | null {
  if (input.type !== 'keyDown') return null
  const { control, meta, alt, shift } = input
  const key = input.key.toLowerCase()
  const mac = platform === 'darwin'
  const mod = mac ? meta && !control : control && !meta

  if (key === 'f5' && !alt && !control && !meta) return 'reload'
  if (key === 'f6' && !alt && !control && !meta) return 'focus-address'
  if (key === 'tab' && control && !alt) return shift ? 'previous-tab' : 'next-tab'
  if (alt && !control && !meta && !mac) {
    if (key === 'arrowleft') return 'back'
    if (key === 'arrowright') return 'forward'
    if (key === 'd') return 'focus-address'
  }
  if (!mod || alt) return null
  if (key === 'r') return 'reload'
  if (key === 'pagedown' && !shift) return 'next-tab'
  if (key === 'pageup' && !shift) return 'previous-tab'
  if (shift) return null
  switch (key) {
    case 't':
      return 'new-tab'
    case 'w':
      return 'close-tab'
    case 'l':
      return 'focus-address'
    case 'k':
      return 'command-palette'
    case '[':
      return mac ? 'back' : null
    case ']':
      return mac ? 'forward' : null
    default:
      return null
  }
}
