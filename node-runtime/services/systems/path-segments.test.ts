import { expect, test } from 'vitest'
import { decodeSegments } from './path-segments.ts'

test.each<[string, string[]]>([
  ['', []],
  ['/', []],
  ['/ui/app.ts', ['ui', 'app.ts']],
  ['ui//app.ts/', ['ui', 'app.ts']],
  ['/a%20b/%C3%BC...', ['a b', 'ü...']],
])('the parts of %j are %j', (address, parts) => {
  expect(decodeSegments(address)).toEqual(parts)
})

test.each([
  '/..',
  '/ui/../x',
  '/./x',
  '/%2e%2e/x',
  '/%2E/x',
  '/a%2fb',
  '/a%5Cb',
  '/a\\b',
  '/a%00',
  '/%',
  '/%ff',
])('%j has none: it could lead elsewhere, or says nothing', (address) => {
  expect(decodeSegments(address)).toBeNull()
})
