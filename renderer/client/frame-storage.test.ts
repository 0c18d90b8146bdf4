// @vitest-environment jsdom
// That the browser forgets is shown in a real one: `e2e/daemon-frames.spec.ts`.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createFrameStorage } from './frame-storage.ts'

const frames = (): HTMLIFrameElement[] => [...document.querySelectorAll('iframe')]
/** Until what is under way has come so far that only time or a frame takes it on. */
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)
/** The frame shows something: an answer, or the browser's own page that there was none. */
async function load(): Promise<void> {
  await settle()
  for (const frame of frames()) frame.dispatchEvent(new Event('load'))
  await settle()
}
const kept = (): string | null => localStorage.getItem('dharma.system-pages')

function open(machine = { isServing: true }) {
  const evicted: string[] = []
  const storage = createFrameStorage({
    page: window,
    systemOrigin: (system) => `http://${system}.localhost:9`,
    evict: (system) => evicted.push(system),
    isServed: () => Promise.resolve(machine.isServing),
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
  await settle()
  expect(evicted).toEqual(['a'])
  expect(frames().map(({ src, hidden }) => [src, hidden])).toEqual([
    ['http://a.localhost:9/', true],
  ])
  expect(frames()[0]?.getAttribute('sandbox')).toBe('allow-same-origin')
  await load()
  await done
  expect(frames()).toEqual([])
  await storage.update(['b'])
  expect(evicted).toEqual(['a'])
})

test('what went while no page was open is visited by the next one', async () => {
  await open().storage.update(['a'])
  const { storage, evicted } = open()
  const done = storage.update([])
  await load()
  expect(evicted).toEqual(['a'])
  await done
  expect(kept()).toBe('')
})

test('without an answer it is tried again with the next list', async () => {
  const { storage, evicted } = open()
  await storage.update(['a'])
  const done = storage.update([])
  await vi.advanceTimersByTimeAsync(10_000)
  await done
  expect(frames()).toEqual([])
  const again = storage.update([])
  await load()
  expect(evicted).toEqual(['a', 'a'])
  await again
  expect(kept()).toBe('')
})

test('a page that only says that nobody answers is no answer', async () => {
  const machine = { isServing: false }
  const { storage } = open(machine)
  await storage.update(['a'])
  const done = storage.update([])
  await load()
  await done
  expect([kept(), frames()]).toEqual(['a', []])
  machine.isServing = true
  const again = storage.update([])
  await load()
  await again
  expect(kept()).toBe('')
})

test('what is installed again during the visit stays on the list, and its pages stay', async () => {
  const { storage, evicted } = open()
  await storage.update(['a', 'b'])
  const gone = storage.update([])
  await settle()
  expect(evicted).toEqual(['a'])
  const back = storage.update(['a', 'b'])
  await load()
  await Promise.all([gone, back])
  expect([kept(), evicted, frames()]).toEqual(['a b', ['a'], []])
  // One visit at a time, and none twice.
  const goneAgain = storage.update([])
  const asked = storage.update([])
  await settle()
  expect(frames().map(({ src }) => src)).toEqual(['http://a.localhost:9/'])
  await load()
  await load()
  await Promise.all([goneAgain, asked])
  expect([kept(), evicted]).toEqual(['', ['a', 'a', 'b']])
})
