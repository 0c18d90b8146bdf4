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

it('what is none of the three says what they are, and a key that lost letters how many it has', () => {
  const faultOf = (text: string): string | null => {
    const read = readJoinText(text)
    return 'fault' in read ? read.fault : null
  }
  expect(faultOf('apple')).toContain('a code has 5 words, and a key has 52')
  expect(faultOf('apple river')).toContain('5 words; this has 2')
  expect(faultOf(KEY.slice(1))).toContain('52 letters and digits; this has 51')
})
