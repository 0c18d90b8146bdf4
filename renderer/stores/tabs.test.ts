// @vitest-environment jsdom
import { expect, test, vi } from 'vitest'
import { CloudError } from '../../node-runtime/contract/errors.ts'
import { createMemoryHost } from '../test/window.tsx'
import { currentAddress, currentEntry } from './tab-history.ts'
import { createTabs } from './tabs.ts'

function setUp() {
  const host = createMemoryHost()
  const onError = vi.fn()
  const onShortcut = vi.fn()
  const onVisit = vi.fn()
  const onInvitation = vi.fn()
  const storage = sessionStorage
  const tabs = createTabs({ host, storage, onError, onShortcut, onVisit, onInvitation })
  const addresses = (): string[] => {
    const { tabs: all, views } = tabs.store.getState()
    return all.map((tab) => currentAddress(tab, views))
  }
  const activeView = (): string => {
    const { tabs: all, active } = tabs.store.getState()
    const tab = all.find(({ id }) => id === active)
    const entry = tab === undefined ? null : currentEntry(tab)
    if (entry?.kind !== 'view') throw new Error('The active tab shows no view.')
    return entry.view
  }
  return { host, tabs, onError, onShortcut, onVisit, onInvitation, addresses, activeView }
}

test('the window starts with Home, and closing the last tab brings Home again', () => {
  const { tabs, addresses } = setUp()
  expect(addresses()).toEqual(['cloud://home'])
  tabs.go('cloud://settings')
  tabs.close()
  expect(addresses()).toEqual(['cloud://home'])
  tabs.reopen()
  expect(addresses()).toEqual(['cloud://home', 'cloud://settings'])
})

test('closing the active tab activates its right neighbour, and the last one its left', () => {
  const { tabs, addresses } = setUp()
  tabs.open('cloud://machines')
  tabs.open('cloud://settings')
  tabs.activateAt(1)
  tabs.close()
  const { active, tabs: all } = tabs.store.getState()
  expect(addresses()).toEqual(['cloud://home', 'cloud://settings'])
  expect(active).toBe(all[1]?.id)
  tabs.close()
  expect(tabs.store.getState().active).toBe(all[0]?.id)
})

test('the link of an invitation opens no tab; a built-in page comes to the front, once', () => {
  const { host, tabs, onInvitation, addresses } = setUp()
  host.emit({ type: 'openRequested', url: 'dharma:invite/yb3n', fromTab: null })
  expect(onInvitation).toHaveBeenCalledWith('dharma:invite/yb3n')
  expect(addresses()).toEqual(['cloud://home'])
  tabs.open('cloud://settings')
  tabs.openPage('home')
  expect(addresses()).toEqual(['cloud://home', 'cloud://settings'])
  expect(tabs.store.getState().active).toBe(tabs.store.getState().tabs[0]?.id)
  tabs.openPage('machines')
  expect(addresses()).toEqual(['cloud://home', 'cloud://settings', 'cloud://machines'])
})

test('tabs move by one place and stop at the ends', () => {
  const { tabs, addresses } = setUp()
  tabs.open('cloud://machines')
  const { active } = tabs.store.getState()
  tabs.move(active, -1)
  expect(addresses()).toEqual(['cloud://machines', 'cloud://home'])
  tabs.move(active, -1)
  expect(addresses()).toEqual(['cloud://machines', 'cloud://home'])
})

test('closing a tab closes its views', () => {
  const { host, tabs, activeView } = setUp()
  tabs.open('https://a.org')
  const view = activeView()
  tabs.close()
  expect(host.asked).toEqual([`open ${view} https://a.org/`, `close ${view}`])
})

test('a view is shown only after it was opened, and the last wish counts', async () => {
  const { host, tabs, activeView } = setUp()
  const bounds = { x: 0, y: 0, width: 10, height: 10 }
  tabs.open('https://a.org')
  const view = activeView()
  tabs.show(bounds)
  tabs.show(null)
  tabs.show(bounds)
  await vi.waitFor(() => expect(host.asked.at(-1)).toBe(`show ${view}`))
  expect(host.asked.filter((asked) => asked === `show ${view}`)).toHaveLength(1)
})

test('an opening that fails is kept beside the views, and reload opens it anew', async () => {
  const { host, tabs, activeView } = setUp()
  host.failNext = new CloudError('TAB_ADDRESS_INVALID', 'Not here.')
  tabs.open('https://a.org')
  const view = activeView()
  await vi.waitFor(() =>
    expect(tabs.store.getState().unopened).toEqual({
      [view]: { code: 'TAB_ADDRESS_INVALID', message: 'Not here.' },
    }),
  )
  // Only the host says what there is of a view.
  expect(tabs.store.getState().views).toEqual({})
  tabs.reload()
  expect(host.asked.filter((asked) => asked === `open ${view} https://a.org/`)).toHaveLength(2)
  await vi.waitFor(() => expect(tabs.store.getState().views[view]?.failure).toBeNull())
  expect(tabs.store.getState().unopened).toEqual({})
})

test('of a view that never opened nothing is left, and the host is not asked about it', async () => {
  const { host, tabs, onError, activeView } = setUp()
  const fail = async (): Promise<string> => {
    host.failNext = new CloudError('TAB_ADDRESS_INVALID', 'Not here.')
    tabs.go('https://a.org')
    const view = activeView()
    await vi.waitFor(() => expect(tabs.store.getState().unopened[view]).toBeDefined())
    return view
  }
  await fail()
  tabs.back()
  tabs.go('cloud://settings')
  expect(tabs.store.getState().unopened).toEqual({})
  await fail()
  tabs.close()
  expect(tabs.store.getState().unopened).toEqual({})
  expect(host.asked.filter((asked) => asked.startsWith('close'))).toEqual([])
  expect(onError).not.toHaveBeenCalled()
})

test('a view that was closed while it opened leaves no failure behind', async () => {
  const { host, tabs } = setUp()
  host.failNext = new CloudError('TAB_ADDRESS_INVALID', 'Not here.')
  tabs.open('https://a.org')
  tabs.close()
  await new Promise((resolve) => setTimeout(resolve))
  expect(tabs.store.getState().unopened).toEqual({})
})

test('events of the host: a page asks for a tab, a view goes, a shortcut is passed on', () => {
  const { host, tabs, onShortcut, onVisit, addresses, activeView } = setUp()
  host.emit({ type: 'openRequested', url: 'https://a.org/', fromTab: null })
  expect(addresses()).toEqual(['cloud://home', 'https://a.org/'])
  host.change(activeView(), { title: 'A' })
  expect(onVisit).toHaveBeenLastCalledWith('https://a.org/', 'A')
  host.emit({ type: 'viewClosed', tab: activeView() })
  expect(addresses()).toEqual(['cloud://home'])
  host.emit({ type: 'shortcut', shortcut: 'new-tab' })
  expect(onShortcut).toHaveBeenCalledWith('new-tab')
  tabs.stop()
  host.emit({ type: 'shortcut', shortcut: 'reload' })
  expect(onShortcut).toHaveBeenCalledTimes(1)
})

test('an address is visited once its page has arrived', () => {
  const { host, tabs, onVisit, activeView } = setUp()
  tabs.open('https://a.org/')
  host.change(activeView(), { title: 'A' })
  host.change(activeView(), { url: 'https://b.org/', security: 'pending' })
  expect(onVisit).toHaveBeenLastCalledWith('https://a.org/', 'A')
  // Given up, and tried again: the title may be the same.
  host.change(activeView(), { url: 'https://b.org/', security: 'secure' })
  expect(onVisit).toHaveBeenLastCalledWith('https://b.org/', 'A')
})

test('tabs survive a reload of the window', () => {
  const first = setUp()
  first.tabs.open('https://a.org')
  first.tabs.open('cloud://settings')
  first.tabs.activateAt(1)
  first.tabs.stop()
  const second = setUp()
  expect(second.addresses()).toEqual(['cloud://home', 'https://a.org/', 'cloud://settings'])
  expect(second.activeView()).toBeTruthy()
})
