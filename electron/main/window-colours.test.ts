import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { COLOURS, windowColours } from './window-colours.ts'

const TOKENS = readFileSync(new URL('../../renderer/ui/tokens.css', import.meta.url), 'utf8')

/** The values of a token, in the light theme first. */
function valuesOf(token: string): string[] {
  return [...TOKENS.matchAll(new RegExp(`--${token}: ([^;]+);`, 'g'))].map(
    ([, value = '']) => value,
  )
}

test('the window has the colours of the design tokens', () => {
  for (const [theme, isDark] of [
    ['light', false],
    ['dark', true],
  ] as const) {
    const at = isDark ? 1 : 0
    const colours = windowColours(isDark, false)
    expect([colours.canvas, colours.text]).toEqual([valuesOf('canvas')[at], valuesOf('text')[at]])
    const { scrim, scrimShare } = COLOURS[theme]
    expect(valuesOf('scrim')[at]).toBe(`rgb(${scrim.join(' ')} / ${scrimShare * 100}%)`)
  }
})

test('under a dialog they are as dark as what is around them', () => {
  expect(windowColours(false, true)).toEqual({ canvas: '#adaeac', text: '#1b1f1d' })
  expect(windowColours(true, true)).toEqual({ canvas: '#0a0b0b', text: '#6f7170' })
})
