import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Favicon, fetchFavicon, mayFetchFavicon, Turns } from './favicon.ts'

const PNG = { 'content-type': 'image/png' }
const never = new AbortController().signal

/** Far beyond any small picture; who would take even that is to fail here, and not to hang. */
const LAST_BYTE = 4_194_304

/** An answer as good as without an end, and how much of it was taken. */
function endless() {
  const taken = { bytes: 0 }
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        taken.bytes += 16_384
        controller.enqueue(new Uint8Array(16_384))
        if (taken.bytes >= LAST_BYTE) controller.close()
      },
    },
    { highWaterMark: 0 },
  )
  return { taken, answer: () => new Response(body, { headers: PNG }) }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('a picture becomes data', async () => {
  const load = async () => new Response(new Uint8Array([1, 2, 3]), { headers: PNG })
  expect(await fetchFavicon(load, 'https://a.org/icon', never)).toBe('data:image/png;base64,AQID')
})

test('of a picture without an end, no more is taken than a small one has', async () => {
  const { taken, answer } = endless()
  let request: AbortSignal | null | undefined
  const load = async (_url: unknown, init?: RequestInit) => {
    request = init?.signal
    return answer()
  }
  const favicon = await fetchFavicon(load, 'https://a.org/icon', never)
  expect(taken.bytes).toBeLessThanOrEqual(65_536 + 2 * 16_384)
  expect(favicon).toBeNull()
  expect(request?.aborted).toBe(true)
})

test.each([
  ['too large by its own word', { ...PNG, 'content-length': '65537' }, 200],
  ['no picture', { 'content-type': 'text/html' }, 200],
  ['not there', PNG, 404],
])('nothing is read of what is %s', async (_name, headers, status) => {
  const { taken, answer } = endless()
  const response = new Response(answer().body, { headers: headers as HeadersInit, status })
  expect(await fetchFavicon(async () => response, 'https://a.org/icon', never)).toBeNull()
  expect(taken.bytes).toBe(0)
})

test('a system’s picture comes from the system alone', () => {
  const owner = { kind: 'system', system: 'org.example' } as const
  expect(mayFetchFavicon(owner, 'cloud://org.example/icon.png')).toBe(true)
  for (const url of [
    'https://a.org/i',
    'http://127.0.0.1:1/',
    'cloud://org.other/i',
    'file:///x',
  ]) {
    expect(mayFetchFavicon(owner, url)).toBe(false)
  }
  expect(mayFetchFavicon({ kind: 'web' }, 'https://a.org/i')).toBe(true)
  expect(mayFetchFavicon({ kind: 'web' }, 'cloud://org.example/i')).toBe(false)
})

/** A server that never answers, and which requests are open at it. */
function silence() {
  const open = new Set<string>()
  let most = 0
  const asked: string[] = []
  const load = (url: unknown, init?: RequestInit): Promise<Response> =>
    new Promise((_resolve, reject) => {
      asked.push(String(url))
      open.add(String(url))
      most = Math.max(most, open.size)
      init?.signal?.addEventListener('abort', () => {
        open.delete(String(url))
        reject(new Error('given up'))
      })
    })
  return { load, asked, most: () => most }
}

test('a page that names pictures without end has one on its way, and the last one counts', async () => {
  const { load, asked, most } = silence()
  const found = vi.fn<(favicon: string | null) => void>()
  const favicon = new Favicon({ owner: { kind: 'web' }, load, turns: new Turns(), found })
  for (let at = 0; at < 500; at++) favicon.want(`https://a.org/${at}`)
  await vi.advanceTimersByTimeAsync(0)
  expect(asked).toEqual(['https://a.org/0'])
  favicon.forget()
  favicon.want('https://b.org/next')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(asked).toEqual(['https://a.org/0', 'https://b.org/next'])
  expect(most()).toBe(1)
  expect(found).not.toHaveBeenCalled()
})

test('a page that changes its picture all the time is looked at once a second', async () => {
  let asked = 0
  const load = async () => {
    asked += 1
    return new Response(new Uint8Array([1]), { headers: PNG })
  }
  const found = vi.fn<(favicon: string | null) => void>()
  const favicon = new Favicon({ owner: { kind: 'web' }, load, turns: new Turns(), found })
  for (let ms = 0; ms < 5_000; ms += 10) {
    favicon.want(`https://a.org/${ms}`)
    await vi.advanceTimersByTimeAsync(10)
  }
  expect(asked).toBeLessThanOrEqual(6)
  expect(found.mock.calls.length).toBe(asked)
})

test('all pages together have a few on their way', async () => {
  const { load, asked, most } = silence()
  const turns = new Turns(4)
  const pages = Array.from({ length: 50 }, (_, page) => {
    const owner = { kind: 'web' } as const
    const favicon = new Favicon({ owner, load, turns, found: () => undefined })
    favicon.want(`https://a.org/${page}`)
    return favicon
  })
  await vi.advanceTimersByTimeAsync(0)
  expect(asked).toHaveLength(4)
  for (const page of pages) {
    page.forget()
    await vi.advanceTimersByTimeAsync(0)
  }
  expect(most()).toBe(4)
  expect(asked).toHaveLength(50)
})
