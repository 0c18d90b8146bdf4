import { expect, test } from 'vitest'
import { buildSystemHeaders, contentTypeOf, resolveAddress } from './asset.ts'

const at = (address: string, entry = 'ui/index.html', files = [entry, 'ui/a.js', 'a.js']) =>
  resolveAddress(address, { entry, icon: undefined, has: (path) => files.includes(path) })

test('the folder of the entry is the root', () => {
  expect(at('/a.js')).toEqual({ kind: 'file', path: 'ui/a.js' })
  expect(at('/a.js', 'index.html')).toEqual({ kind: 'file', path: 'a.js' })
  expect(at('/ui/a.js')).toEqual({ kind: 'none' })
})

test('a repository can not stand in for the host', () => {
  expect(at('/.dharma/sdk.js', 'index.html', ['index.html', '.dharma/sdk.js'])).toEqual({
    kind: 'sdk',
    name: 'sdk.js',
  })
  expect(at('/.dharma/own.js', 'index.html', ['index.html', '.dharma/own.js'])).toEqual({
    kind: 'none',
  })
})

test('a page may talk to its own origin only, and nobody may frame it but who is named', () => {
  const headers = buildSystemHeaders()
  expect(headers['content-security-policy']).toBe(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
      "connect-src 'self'; form-action 'none'; base-uri 'self'; object-src 'none'; " +
      "frame-ancestors 'none'",
  )
  expect(headers['x-content-type-options']).toBe('nosniff')
  expect(headers['referrer-policy']).toBe('no-referrer')
  for (const feature of ['camera', 'microphone', 'geolocation']) {
    expect(headers['permissions-policy']).toContain(`${feature}=()`)
  }
  expect(buildSystemHeaders('http://127.0.0.1:8080')['content-security-policy']).toMatch(
    /frame-ancestors http:\/\/127\.0\.0\.1:8080$/,
  )
})

test.each([
  ['a.html', 'text/html; charset=utf-8'],
  ['a.js', 'text/javascript; charset=utf-8'],
  ['a.ts', 'text/javascript; charset=utf-8'],
  ['a.mts', 'text/javascript; charset=utf-8'],
  ['a.json', 'application/json; charset=utf-8'],
  ['a.svg', 'image/svg+xml; charset=utf-8'],
  ['a.png', 'image/png'],
  ['a.wasm', 'application/wasm'],
  ['a.unknown', 'application/octet-stream'],
  ['LICENSE', 'application/octet-stream'],
])('%s is served as %s', (path, type) => {
  expect(contentTypeOf(path)).toBe(type)
})
