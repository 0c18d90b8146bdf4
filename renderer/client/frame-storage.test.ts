// @vitest-environment jsdom
// That the browser forgets is shown in a real one: `e2e/daemon-frames.spec.ts`.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createFrameStorage } from './frame-storage.ts'

const frames = (): HTMLIFrameElement[] => [...document.querySelectorAll('iframe')]
const answer = (): void => {
  for (const frame of frames()) frame.dispatchEvent(new Event('load'))
}

function open() {
  const evicted: string[] = []
  const storage = createFrameStorage({
    page: window,
    systemOrigin: (system) => `http://${system}.localhost:9`,
    evict: (system) => evicted.push(system),
  })
  return { storage, evicted }
}

beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  localStorage.clear()
})

test('the origin of what is gone is visited once, out of sight, when its pages have ended', async () => {
  const { storage, evicted } = open()
  await storage.update(['a', 'b'])
  expect(frames()).toEqual([])
  const done = storage.update(['b'])
  expect(evicted).toEqual(['a'])
  expect(frames().map(({ src, hidden }) => [src, hidden])).toEqual([
    ['http://a.localhost:9/', true],
  ])
  expect(frames()[0]?.getAttribute('sandbox')).toBe('allow-same-origin')
  answer()
  await done
  expect(frames()).toEqual([])
  await storage.update(['b'])
  expect(evicted).toEqual(['a'])
})

test('what went while no page was open is visited by the next one', async () => {
  await open().storage.update(['a'])
  const { storage, evicted } = open()
  const done = storage.update([])
  expect(evicted).toEqual(['a'])
  answer()
  await done
  expect(localStorage.getItem('dharma.system-pages')).toBe('')
})

test('without an answer it is tried again with the next list', async () => {
  const { storage, evicted } = open()
  await storage.update(['a'])
  const done = storage.update([])
  await vi.advanceTimersByTimeAsync(10_000)
  await done
  expect(frames()).toEqual([])
  const again = storage.update([])
  expect(evicted).toEqual(['a', 'a'])
  answer()
  await again
})
