import { expect, it } from 'vitest'
import { isInvitationLink, readJoinText } from './join-text.ts'

const KEY = `${'n'.repeat(51)}o`

it('a key is one, however it is grouped, also with letters alone', () => {
  for (const text of [KEY, KEY.replace(/.{4}/g, '$& '), `dharma://join/${KEY}`]) {
    expect(readJoinText(text)).toEqual({ kind: 'cloud', cloud: KEY })
  }
})

it('links and words are known by their form', () => {
  for (const link of [
    'dharma:invite/yb3n',
    'CLOUD://invite/yb3n',
    'https://a.org/#dharma-invite=yb3n',
  ]) {
    expect(readJoinText(` ${link} `)).toEqual({ kind: 'link', invitation: 'yb3n' })
    expect(isInvitationLink(link)).toBe(true)
  }
  expect(readJoinText('One-two three  four\nfives')).toEqual({
    kind: 'code',
    words: 'one two three four fives',
  })
  for (const text of ['dharma:invite/', 'http://a.org/#dharma-invite=yb3n', 'one two', KEY]) {
    expect(isInvitationLink(text)).toBe(false)
  }
})
