// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createMemoryHost } from '../test/window.tsx'
import { createHistoryStore, recordVisit } from './history.ts'
import { createTabs } from './tabs.ts'

function countWrites() {
  const written: string[] = []
  vi.spyOn(Storage.prototype, 'setItem').mockImplementation((key) => void written.push(key))
  return written
}

beforeEach(() => {
  vi.useFakeTimers()
  localStorage.clear()
  sessionStorage.clear()
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

test('a page that renames itself all the time makes the window write now and then', () => {
  const host = createMemoryHost()
  const { store: history, stop } = createHistoryStore(localStorage)
  const tabs = createTabs({
    host,
    storage: sessionStorage,
    onError: vi.fn(),
    onShortcut: vi.fn(),
    onInvitation: vi.fn(),
    onVisit: (address, title) => recordVisit(history, address, title, Date.now()),
  })
  host.emit({ type: 'openRequested', url: 'https://a.org/', fromTab: null })
  const view = host.asked[0]?.split(' ')[1] ?? ''
  vi.advanceTimersByTime(5_000)
  const written = countWrites()
  for (let at = 0; at < 500; at++) {
    host.change(view, { title: `Title ${at}` })
    vi.advanceTimersByTime(2)
  }
  expect(written.filter((key) => key === 'dharma.history').length).toBeLessThanOrEqual(3)
  // Where the tabs are has not changed.
  expect(written).not.toContain('dharma.tabs')
  tabs.stop()
  stop()
})

test('what was not written yet is written when the page goes', () => {
  const { store, stop } = createHistoryStore(localStorage)
  recordVisit(store, 'https://a.org/', 'A', 1)
  recordVisit(store, 'https://b.org/', 'B', 2)
  expect(localStorage.getItem('dharma.history')).not.toContain('b.org')
  window.dispatchEvent(new Event('pagehide'))
  expect(localStorage.getItem('dharma.history')).toContain('b.org')
  recordVisit(store, 'https://c.org/', 'C', 3)
  stop()
  expect(localStorage.getItem('dharma.history')).toContain('c.org')
})
