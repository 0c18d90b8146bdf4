import path from 'node:path'
import { expect, test } from 'vitest'
import { findUrls, parseArguments } from './arguments.ts'

test('the options are found between switches of others, with a space or an equals sign', () => {
  const found = parseArguments([
    '--no-sandbox',
    '/app',
    '--data=/tmp/one',
    '--cloud',
    'key',
    '--bootstrap',
    '127.0.0.1:1,example.org:2',
    '--list',
    'https://example.org/list.git',
    '--list=file:///srv/list',
    'dharma://event-games/live',
  ])
  expect(found).toEqual({
    dataDir: path.resolve('/tmp/one'),
    cloud: 'key',
    bootstrap: [
      { host: '127.0.0.1', port: 1 },
      { host: 'example.org', port: 2 },
    ],
    lists: ['https://example.org/list.git', 'file:///srv/list'],
    urls: ['cloud://event-games/live'],
  })
})

test('without options, the machine lives in the usual place and finds its own cloud', () => {
  const { dataDir, ...rest } = parseArguments(['/app'])
  expect(path.isAbsolute(dataDir)).toBe(true)
  expect(rest).toEqual({ cloud: null, bootstrap: null, lists: [], urls: [] })
})

test.each([[['--data']], [['--cloud', '--data', 'x']], [['--bootstrap', 'nowhere']]])(
  '%j is refused as bad input',
  (argv) => {
    expect(() => parseArguments(argv)).toThrowError(expect.objectContaining({ code: 'BAD_INPUT' }))
  },
)

test('a list that is at no place where lists are is refused', () => {
  expect(() => parseArguments(['--list', 'ftp://example.org'])).toThrowError(
    expect.objectContaining({ code: 'LIST_URL_INVALID' }),
  )
})

test('links of invitations are taken as they are, however a browser hands them over', () => {
  const links = ['dharma:invite/yb3n', 'DHARMA://invite/yb3n', 'cloud://invite/yb3n']
  expect(findUrls([...links, 'https://example.org/#dharma-invite=yb3n', 'dharma:invite/'])).toEqual(
    links,
  )
})

test('only addresses of the cloud are taken from a second start', () => {
  expect(findUrls(['cloud://home', 'https://example.org', 'file:///x', 'dharma:x'])).toEqual([
    'cloud://home',
  ])
})
