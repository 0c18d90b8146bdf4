import { expect, it } from 'vitest'
import { parseListAddress } from './list-address.ts'

it.each([
  ['https://host.example/list.git', { kind: 'git', url: 'https://host.example/list.git' }],
  ['https://host.example/a/list.git/', { kind: 'git', url: 'https://host.example/a/list.git' }],
  ['http://127.0.0.1:4000/list.git', { kind: 'git', url: 'http://127.0.0.1:4000/list.git' }],
  ['github.com/ada/list', { kind: 'git', url: 'https://github.com/ada/list.git' }],
  ['file:///srv/list', { kind: 'file', url: 'file:///srv/list' }],
  ['https://host.example/clouds/ours', { kind: 'files', url: 'https://host.example/clouds/ours/' }],
  ['https://host.example/a/dharma-list', { kind: 'files', url: 'https://host.example/a/' }],
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
])('%s', (text, place) => {
  expect(parseListAddress(text)).toEqual(place)
})

it('a repository on a forge is one without its ending, too', () => {
  expect(parseListAddress('https://github.com/ada/list')).toMatchObject({ kind: 'git' })
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
