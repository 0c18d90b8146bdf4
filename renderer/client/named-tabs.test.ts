// @vitest-environment jsdom
import { expect, test } from 'vitest'
import type { ViewState } from '../../electron/contract/tabs.ts'
import { createMemoryHost } from '../test/window.tsx'
import { createNamedTabs, findSystem } from './named-tabs.ts'

const ID = 'org.example.notes'
const [keyA, keyB] = ['y'.repeat(52), 'b'.repeat(52)] as [string, string]
const a = { key: keyA, host: ID, id: ID }
const b = { key: keyB, host: `${ID}--bbbbbbbbbbbb`, id: ID }

function start(known: readonly (typeof a)[], later: readonly (typeof a)[] = known) {
  const inner = createMemoryHost()
  const tabs = createNamedTabs(inner, { known: () => known, ask: async () => later })
  const views: ViewState[] = []
  const requested: string[] = []
  tabs.subscribe((event) => {
    if (event.type === 'viewChanged') views.push(event.view)
    if (event.type === 'openRequested') requested.push(event.url)
  })
  return { inner, tabs, views, requested }
}

test('a page is opened under the key of its system, and shown under its host', async () => {
  const { inner, tabs, views } = start([a, b])
  await tabs.open('v', `cloud://${ID}/list?x=1`)
  await tabs.open('w', `cloud://${b.host}/`)
  await tabs.navigate('v', `cloud://${ID}/other`)
  expect(inner.asked).toEqual([
    `open v cloud://${keyA}/list?x=1`,
    `open w cloud://${keyB}/`,
    `navigate v cloud://${keyA}/other`,
  ])
  expect(views.map(({ url }) => url)).toEqual([
    `cloud://${ID}/list?x=1`,
    `cloud://${b.host}/`,
    `cloud://${ID}/other`,
  ])
  inner.change('v', { title: keyA })
  expect(views.at(-1)?.title).toBe(ID)
})

test('the web goes through at once and unchanged, the asked-for pages of systems by their host', async () => {
  const { inner, tabs, requested } = start([a])
  void tabs.open('v', 'https://example.org/')
  void tabs.open('w', `cloud://${ID}/`)
  expect(inner.asked).toEqual(['open v https://example.org/', `open w cloud://${keyA}/`])
  inner.emit({ type: 'openRequested', url: `cloud://${keyA}/live`, fromTab: null })
  inner.emit({ type: 'openRequested', url: 'https://example.org/', fromTab: null })
  expect(requested).toEqual([`cloud://${ID}/live`, 'https://example.org/'])
})

test('what is not installed is not opened', async () => {
  const { inner, tabs } = start([a])
  await expect(tabs.open('v', 'cloud://org.example.other/')).rejects.toMatchObject({
    code: 'SYSTEM_NOT_INSTALLED',
    message: '"org.example.other" is not installed on this machine.',
  })
  expect(inner.asked).toEqual([])
})

test('what was installed a moment ago is asked for, and a list that has not come is waited for', async () => {
  const { inner, tabs } = start([], [a])
  await tabs.open('v', `cloud://${ID}/`)
  const late = createNamedTabs(inner, { known: async () => [b], ask: async () => [] })
  await late.open('w', `cloud://${ID}/`)
  expect(inner.asked).toEqual([`open v cloud://${keyA}/`, `open w cloud://${keyB}/`])
})

test('a host means its system, an id only one that has it alone', () => {
  expect(findSystem([a, b], ID)).toBe(a)
  expect(findSystem([a, b], keyB)).toBe(b)
  expect(findSystem([b], ID)).toBe(b)
  expect(findSystem([b, { ...b, key: keyA, host: `${ID}--yyyyyyyyyyyy` }], ID)).toBeNull()
  expect(findSystem([a], 'org.example.other')).toBeNull()
})
