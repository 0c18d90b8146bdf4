import { expect, it } from 'vitest'
import { MAX_LIST_URL_CHARS, parseListAddress } from './list-address.ts'

it.each([
  ['https://host.example/list.git', { kind: 'git', url: 'https://host.example/list.git' }],
  ['https://host.example/a/list.git/', { kind: 'git', url: 'https://host.example/a/list.git' }],
  ['http://127.0.0.1:4000/list.git', { kind: 'git', url: 'http://127.0.0.1:4000/list.git' }],
  ['github.com/ada/list', { kind: 'git', url: 'https://github.com/ada/list.git' }],
  ['file:///srv/list', { kind: 'file', url: 'file:///srv/list' }],
  ['https://host.example/clouds/ours', { kind: 'files', url: 'https://host.example/clouds/ours/' }],
  ['https://host.example/a/dharma-list', { kind: 'files', url: 'https://host.example/a/' }],
  ['HTTP://host.example/a//', { kind: 'files', url: 'http://host.example/a/' }],
  ['https://host.example/a//b', { kind: 'files', url: 'https://host.example/a//b/' }],
  [
    'https://host.example/list.git/page',
    { kind: 'files', url: 'https://host.example/list.git/page/' },
  ],
  ['https://github.com/ada/list/wiki', { kind: 'files', url: 'https://github.com/ada/list/wiki/' }],
  [
    'https://host.example/https://github.com/ada/list',
    { kind: 'files', url: 'https://host.example/https://github.com/ada/list/' },
  ],
  ['https://host.example', { kind: 'files', url: 'https://host.example/' }],
  [
    'ssh://git@Host.example:2222/ada/list.git',
    {
      kind: 'ssh',
      url: 'ssh://git@host.example:2222/ada/list.git',
      host: 'git@host.example',
      port: 2_222,
      path: '/ada/list.git',
    },
  ],
  [
    ' git@host.example:ada/list.git ',
    {
      kind: 'ssh',
      url: 'git@host.example:ada/list.git',
      host: 'git@host.example',
      port: null,
      path: 'ada/list.git',
    },
  ],
  [
    'ssh://host.example/list.git',
    {
      kind: 'ssh',
      url: 'ssh://host.example/list.git',
      host: 'host.example',
      port: null,
      path: '/list.git',
    },
  ],
  [
    'SSH://ada@[2001:DB8::1]:65535/list.git',
    {
      kind: 'ssh',
      url: 'ssh://ada@[2001:db8::1]:65535/list.git',
      host: 'ada@2001:db8::1',
      port: 65_535,
      path: '/list.git',
    },
  ],
  [
    'ada@[::1]:list.git',
    { kind: 'ssh', url: 'ada@[::1]:list.git', host: 'ada@::1', port: null, path: 'list.git' },
  ],
])('%s', (text, place) => {
  expect(parseListAddress(text)).toEqual(place)
})

it('a repository on a forge is one without its ending, too', () => {
  expect(parseListAddress('https://github.com/ada/list')).toMatchObject({ kind: 'git' })
})

it('one that is just as long as may be is read', () => {
  const start = 'https://host.example/'
  const longest = start + 'x'.repeat(MAX_LIST_URL_CHARS - start.length)
  expect(parseListAddress(longest)).toMatchObject({ kind: 'files' })
})

it.each([
  [' ', 'The address is empty.'],
  ['x'.repeat(MAX_LIST_URL_CHARS + 1), 'The address is too long.'],
  ['https://host.example/a b/', 'The address has a space, a backslash or a control character'],
  ['https://host.example/a\\b/', 'The address has a space, a backslash or a control character'],
  ['https://host.example/a\u007fb/', 'The address has a space, a backslash or a control character'],
  ['ftp://host.example/list', 'This is not the address of a list.'],
  ['ssh://host.example', 'This is not an address for ssh.'],
  ['git@host.example:-upload', 'The path of an ssh address does not begin with "-".'],
  ['ssh://git@host.example:65536/list.git', 'A port is a number from 1 to 65535.'],
  ['ssh://git@host.example:0/list.git', 'A port is a number from 1 to 65535.'],
  ['https://', 'This is not an address.'],
  ['https://me@host.example/list/', 'An address with a user name or password in it'],
  ['https://:secret@host.example/list/', 'An address with a user name or password in it'],
  ['https://host.example/list/?a', 'The address of a list has no "?" or "#" in it.'],
  ['https://host.example/list/#a', 'The address of a list has no "?" or "#" in it.'],
])('%j is refused with a reason, and how to write one', (text, reason) => {
  for (const told of [reason, 'git@host:owner/list.git', 'https://host/folder/ for files on a']) {
    expect(() => parseListAddress(text)).toThrow(told)
  }
})

it.each([
  '',
  'list',
  'https://me:secret@host.example/list.git',
  'https://me:secret@host.example/list/',
  'https://host.example/list/?token=secret',
  'ftp://host.example/list',
  'git://host.example/list.git',
  'ssh://host.example',
  'ssh://-oProxyCommand=x/list.git',
  'ssh://-Fsettings@host.example/list.git',
  '-Fsettings@host.example:list.git',
  'ssh://git@host.example:70000/list.git',
  'git@host.example:-upload',
  'git@-host:list.git',
  'file://other/list',
  'https://host.example/a b.git',
  `https://host.example/${'x'.repeat(1_000)}.git`,
])('%s is refused, and not repeated', (text) => {
  const error = (() => {
    try {
      return parseListAddress(text)
    } catch (failure) {
      return failure
    }
  })()
  expect(error).toMatchObject({ code: 'LIST_URL_INVALID', details: {} })
  expect(JSON.stringify(error)).not.toContain('secret')
})
