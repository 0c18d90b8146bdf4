import { expect, test } from 'vitest'
import type { ViewState } from '../../electron/contract/tabs.ts'
import { parseAddress } from '../client/address.ts'
import type { Target } from '../client/address.ts'
import { canGo, currentAddress, goTo, newTab, step, withoutView } from './tab-history.ts'
import type { Tab } from './tab-history.ts'

function target(address: string): Target {
  const parsed = parseAddress(address)
  if (parsed === null) throw new Error(`${address} is no address`)
  return parsed
}

function view(tab: string, changes: Partial<ViewState>): ViewState {
  return {
    tab,
    kind: 'web',
    url: 'https://a.org/',
    title: '',
    favicon: null,
    loading: false,
    canGoBack: false,
    canGoForward: false,
    security: 'secure',
    failure: null,
    ...changes,
  }
}

const home: Tab = newTab('t', 'cloud://home', 'unused')[0]

test('a page, a site and a system are stretches of one history', () => {
  const [onSite, opened] = goTo(home, target('https://a.org'), 'v1')
  expect(opened).toEqual([{ type: 'open', view: 'v1', url: 'https://a.org/' }])
  const [onSystem] = goTo(onSite, target('cloud://notes'), 'v2')
  const [onMachines, effects] = goTo(onSystem, target('cloud://machines'), 'v3')
  expect(effects).toEqual([])
  expect(currentAddress(onMachines, {})).toBe('cloud://machines')

  const [back] = step(onMachines, {}, -1)
  expect(currentAddress(back, {})).toBe('cloud://notes/')
  const [backTwice] = step(back, {}, -1)
  expect(currentAddress(backTwice, {})).toBe('https://a.org/')
})

test('another site stays in the same view, whose own history grows', () => {
  const [onSite] = goTo(home, target('https://a.org'), 'v1')
  const [same, effects] = goTo(onSite, target('https://b.org'), 'v2')
  expect(same.entries).toHaveLength(2)
  expect(effects).toEqual([{ type: 'navigate', view: 'v1', url: 'https://b.org/' }])
})

test('back goes through the view first, and then leaves it', () => {
  const [onSite] = goTo(home, target('https://a.org'), 'v1')
  const [still, effects] = step(onSite, { v1: view('v1', { canGoBack: true }) }, -1)
  expect(still).toBe(onSite)
  expect(effects).toEqual([{ type: 'back', view: 'v1' }])

  const views = { v1: view('v1', {}) }
  expect(canGo(onSite, views, -1)).toBe(true)
  const [left, none] = step(onSite, views, -1)
  expect(currentAddress(left, views)).toBe('cloud://home')
  expect(none).toEqual([])
  expect(canGo(left, views, -1)).toBe(false)
  expect(canGo(left, views, 1)).toBe(true)
})

test('going elsewhere drops what lay ahead, and closes its views', () => {
  const [onSite] = goTo(home, target('https://a.org'), 'v1')
  const [back] = step(onSite, {}, -1)
  const [next, effects] = goTo(back, target('cloud://settings'), 'v2')
  expect(effects).toEqual([{ type: 'close', view: 'v1' }])
  expect(next.entries).toHaveLength(2)
  expect(canGo(next, {}, 1)).toBe(false)
})

test('going where one is, is no step', () => {
  expect(goTo(home, target('cloud://home'), 'v')).toEqual([home, []])
})

test('a view that has gone leaves the rest of the history', () => {
  const [onSite] = goTo(home, target('https://a.org'), 'v1')
  const left = withoutView(onSite, 'v1')
  expect(left).not.toBeNull()
  expect(left === null ? '' : currentAddress(left, {})).toBe('cloud://home')
  expect(withoutView(newTab('t', 'https://a.org', 'v1')[0], 'v1')).toBeNull()
})

test('what is no address opens Home', () => {
  expect(newTab('t', 'two words', 'v')[0].entries).toEqual([{ kind: 'page', page: 'home' }])
})
