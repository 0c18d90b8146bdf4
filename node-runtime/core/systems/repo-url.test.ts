import { expect, test } from 'vitest'
import { canonicalOrigin } from './canonical-origin.ts'
import { completeRepoUrl } from './repo-url.ts'

test.each([
  ['github.com/a/b', 'https://github.com/a/b.git'],
  ['  github.com/a/b/ ', 'https://github.com/a/b.git'],
  ['github.com/a/b.git', 'https://github.com/a/b.git'],
  ['gitlab.com/group/sub/b', 'https://gitlab.com/group/sub/b.git'],
  ['host.example/path.git', 'https://host.example/path.git'],
  ['host.example/a@b:c.git', 'https://host.example/a@b:c.git'],
  ['host.example:8443/deep/path.git', 'https://host.example:8443/deep/path.git'],
  ['127.0.0.1:8080/notes.git', 'http://127.0.0.1:8080/notes.git'],
  ['localhost:8080/notes.git', 'http://localhost:8080/notes.git'],
  ['localhost/notes.git', 'http://localhost/notes.git'],
  ['127.10.0.100:8080/notes.git', 'http://127.10.0.100:8080/notes.git'],
  // Only this very machine is spoken to in the clear.
  ['localhost.example/notes.git', 'https://localhost.example/notes.git'],
  ['127.0.0.1.example/notes.git', 'https://127.0.0.1.example/notes.git'],
  ['my.127.0.0.1.example/notes.git', 'https://my.127.0.0.1.example/notes.git'],
  ['codeberg.org/a/b', 'https://codeberg.org/a/b.git'],
  ['bitbucket.org/a/b//', 'https://bitbucket.org/a/b.git'],
  ['https://host.example/a.git//', 'https://host.example/a.git'],
  ['HTTPS://Host.Example/a.git/', 'https://host.example/a.git'],
  ['http://127.0.0.1:8080/notes', 'http://127.0.0.1:8080/notes'],
  ['https://host.example/a/../b.git', 'https://host.example/b.git'],
  ['file:///home/me/notes/', 'file:///home/me/notes'],
  ['file:/home/me/notes', 'file:///home/me/notes'],
  ['file:///home/me/all.git/notes', 'file:///home/me/all.git/notes'],
  ['git@github.com:a/b.git', 'https://github.com/a/b.git'],
  ['git@github.com:/a/b', 'https://github.com/a/b.git'],
  ['git@Host.Example:deep/path.git', 'https://host.example/deep/path.git'],
  ['ssh://git@github.com/a/b', 'https://github.com/a/b.git'],
  ['SSH://git@host.example:22/a.git/', 'https://host.example/a.git'],
])('%s is fetched from %s', (typed, url) => {
  expect(completeRepoUrl(typed)).toBe(url)
  expect(completeRepoUrl(url)).toBe(url)
})

test.each([
  ['', 'empty'],
  ['notes', 'not the address of a repository'],
  ['github.com', 'not the address of a repository'],
  ['github.com/a', 'ends in ".git"'],
  ['host.example/path', 'ends in ".git"'],
  ['localhost:8080', 'not the address of a repository'],
  ['notlocalhost/notes.git', 'not the address of a repository'],
  ['!host.example/path.git', 'not the address of a repository'],
  ['host.example!/path.git', 'not the address of a repository'],
  ['1ftp://host.example/a.git', 'not the address of a repository'],
  ['FTP://host.example/a.git', 'the ftp: kind'],
  ['SSH://host.example/a.git', 'not over ssh'],
  ['https://:secret@host.example/a.git', 'password'],
  ['/etc/passwd', 'not the address of a repository'],
  ['https://host.example', 'no repository'],
  ['https://host.example/', 'no repository'],
  ['https://', 'not an address'],
  ['ssh://git@host.example:2222/a.git', 'not over ssh'],
  ['ssh://ada@host.example/a.git', 'not over ssh'],
  ['ada@host.example:a.git', 'not over ssh'],
  ['git@host.example:a', 'ends in ".git"'],
  ['git@host.example://a.git', 'not the address of a repository'],
  ['https://host.example/a.git/notes', 'whole repository'],
  ['github.com/a/b.git/notes', 'whole repository'],
  ['host.example/a.git/notes', 'whole repository'],
  ['git@github.com:a/b.git/notes', 'whole repository'],
  ['hyper://abcdef', 'not supported yet'],
  ['GIT://host.example/a.git', 'the git: kind are not supported yet'],
  ['javascript:alert(1)', 'not repositories'],
  ['ftp://host.example/a.git', 'not repositories'],
  ['https://me:secret@host.example/a.git', 'password'],
  ['https://token@host.example/a.git', 'password'],
  ['https://host.example/a.git?x=1', '"?"'],
  ['https://host.example/a.git#main', '"?"'],
  ['file://server/share', 'third slash'],
  ['https://host.example/a%2Fb.git', 'encoded slash'],
  ['https://host.example/a%zz.git', 'can not be read'],
  ['https://host.example/a%01.git', 'can not be read'],
  ['https://host.example/a b.git', 'space'],
  ['https://host.example/a\nb.git', 'space'],
  ['https://host.example\\a.git', 'backslash'],
])('"%s" is refused: %s', (typed, reason) => {
  expect(() => completeRepoUrl(typed)).toThrowError(
    expect.objectContaining({
      code: 'REPO_URL_INVALID',
      message: expect.stringContaining(reason),
    }),
  )
})

test.each([
  ['git@github.com:a/b.git', 'https://github.com/A/B'],
  ['ssh://git@host.example/deep/path.git', 'https://host.example/deep/path.git'],
])('%s and %s are one repository, and one system', (typed, web) => {
  expect(canonicalOrigin(completeRepoUrl(typed))).toEqual(canonicalOrigin(web))
  expect(canonicalOrigin(typed)).toEqual(canonicalOrigin(web))
})

test('a refusal shows what an address looks like', () => {
  expect(() => completeRepoUrl('notes')).toThrowError('github.com/owner/name')
})

test('a refusal does not repeat a password', () => {
  try {
    completeRepoUrl('https://me:secret@host.example/a.git')
    expect.unreachable()
  } catch (error) {
    expect(JSON.stringify(error)).not.toContain('secret')
  }
})
