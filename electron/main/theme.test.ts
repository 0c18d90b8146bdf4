import { expect, test } from 'vitest'
import type { Theme } from '../contract/tabs.ts'
import { WindowTheme } from './theme.ts'

test('who listens is told the theme at once, and every choice once it is kept', () => {
  const happened: string[] = []
  const theme = new WindowTheme('dark', (chosen) => happened.push(`kept ${chosen}`))
  const stop = theme.subscribe((told) => happened.push(`told ${told}`))
  expect(happened).toEqual(['told dark'])
  theme.choose('light')
  expect(happened).toEqual(['told dark', 'kept light', 'told light'])
  stop()
  theme.choose('system')
  expect(happened.at(-1)).toBe('kept system')
  const late: Theme[] = []
  theme.subscribe((told) => late.push(told))
  expect(late).toEqual(['system'])
})
