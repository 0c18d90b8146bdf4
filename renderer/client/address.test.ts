import { describe, expect, test } from 'vitest'
import { guessRepository, parseAddress, viewKind, repositoryAddress } from './address.ts'

describe('parseAddress', () => {
  test.each([
    ['cloud://home', { kind: 'page', page: 'home', address: 'cloud://home' }],
    ['cloud://Machines/', { kind: 'page', page: 'machines', address: 'cloud://machines' }],
    ['example.org', { kind: 'web', url: 'https://example.org/', address: 'https://example.org/' }],
    [
      'localhost:8080/a?b#c',
      { kind: 'web', url: 'http://localhost:8080/a?b#c', address: 'http://localhost:8080/a?b#c' },
    ],
    ['127.0.0.1:99', { kind: 'web', url: 'http://127.0.0.1:99/', address: 'http://127.0.0.1:99/' }],
  ])('%s', (text, target) => expect(parseAddress(text)).toEqual(target))

  test('a system keeps its path and gets one if it has none', () => {
    expect(parseAddress('cloud://org.example.notes')).toEqual({
      kind: 'system',
      system: 'org.example.notes',
      path: '/',
      address: 'cloud://org.example.notes/',
    })
    expect(parseAddress('cloud://notes/a/b?c=d')).toMatchObject({ path: '/a/b?c=d' })
    expect(parseAddress('cloud://notes?c=d')).toMatchObject({ path: '/?c=d' })
  })

  test.each([
    '',
    'two words',
    'cloud://',
    'cloud://dharma/',
    'cloud://-no/',
    'ftp://example.org',
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'https://name:word@example.org/',
    'http://',
  ])('%j is no address', (text) => expect(parseAddress(text)).toBeNull())
})

test.each([
  ['https://example.org/a/b.git', 'certain'],
  ['http://localhost:3000/event-games.git', 'certain'],
  ['ssh://git@example.org/a', 'certain'],
  ['git@github.com:a/b', 'certain'],
  ['file:///srv/a', 'certain'],
  ['/home/ada/my notes', 'certain'],
  ['//example.org/a', 'no'],
  ['github.com/event-games/event-games', 'likely'],
  ['https://www.github.com/a/b', 'likely'],
  ['github.com/a', 'no'],
  ['github.com/a/b/issues', 'no'],
  ['https://example.org/a', 'possible'],
  ['https://example.org', 'no'],
  ['example.org/a', 'no'],
  ['cloud://home', 'no'],
  ['some words.git x', 'no'],
])('%s: %s a repository', (text, guess) => expect(guessRepository(text)).toBe(guess))

test.each([
  [' /tmp/x ', 'file:///tmp/x'],
  ['/home/ada/my notes/50%', 'file:///home/ada/my%20notes/50%25'],
  ['C:\\Users\\Ada\\notes', 'file:///C:/Users/Ada/notes'],
  ['//example.org/a', '//example.org/a'],
  ['file:///tmp/x', 'file:///tmp/x'],
  ['github.com/a/b', 'github.com/a/b'],
])('the repository at %s is asked for at %s', (typed, address) => {
  expect(repositoryAddress(typed)).toBe(address)
})

test('all web pages may share a view, and no two systems', () => {
  const kinds = ['https://a.org', 'http://b.org', 'cloud://x/1', 'cloud://x/2', 'cloud://y'].map(
    (text) => {
      const target = parseAddress(text)
      return target === null ? null : viewKind(target)
    },
  )
  expect(kinds).toEqual(['web', 'web', 'system:x', 'system:x', 'system:y'])
})
