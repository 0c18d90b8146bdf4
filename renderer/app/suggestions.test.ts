import { expect, test } from 'vitest'
import { PREVIEW, installedFrom, machine } from '../test/samples.ts'
import { suggest } from './suggestions.ts'
import type { Searched } from './suggestions.ts'

const searched: Searched = {
  pages: [
    { title: 'Home', address: 'cloud://home' },
    { title: 'Machines', address: 'cloud://machines' },
  ],
  tabs: [{ id: 't1', title: 'Example Domain', address: 'https://example.org/' }],
  systems: [installedFrom(PREVIEW, [])],
  machines: [machine({ name: 'Garden shed' })],
  visits: [
    { address: 'https://example.org/news', title: 'News', lastMs: 2, count: 1 },
    { address: 'cloud://machines', title: 'Machines', lastMs: 1, count: 1 },
  ],
}
const kinds = (text: string): string[] => suggest(text, searched).map(({ kind }) => kind)

test('a repository offers its preview first, a page that may be one second', () => {
  expect(kinds('https://example.net/a.git')).toEqual(['install', 'address'])
  expect(kinds('github.com/a/b')).toEqual(['install', 'address'])
  expect(kinds('https://example.net/a')).toEqual(['address', 'install'])
  expect(kinds('git@example.net:a/b')).toEqual(['install'])
})

test('the link of an invitation is that and nothing else', () => {
  expect(kinds('dharma:invite/yb3n')).toEqual(['invitation'])
  expect(kinds('https://example.org/#dharma-invite=yb3n')).toEqual(['invitation'])
})

test('a word finds pages, systems, tabs, visits and machines before it is taken for a host', () => {
  expect(suggest('machines', searched)[0]).toMatchObject({ kind: 'page' })
  expect(suggest('event gam', searched)).toMatchObject([{ kind: 'system', title: 'Event Games' }])
  expect(suggest('garden', searched)[0]).toMatchObject({ kind: 'machine', title: 'Garden shed' })
  expect(kinds('example')).toEqual(['tab', 'visit', 'address'])
})

test('an address is opened even where something else fits too', () => {
  expect(suggest('example.org', searched)[0]).toMatchObject({
    kind: 'address',
    address: 'https://example.org/',
  })
})

test('one address is offered once', () => {
  expect(
    suggest('machines', searched).filter(
      (offer) => 'address' in offer && offer.address === 'cloud://machines',
    ),
  ).toHaveLength(1)
})

test('words that nothing goes by offer nothing', () => {
  expect(suggest('no such thing', searched)).toEqual([])
  expect(suggest('  ', searched)).toEqual([])
})
