// @vitest-environment jsdom
import { afterEach, expect, test, vi } from 'vitest'
import { createDaemonHost, onInvitation, takeToken, takeWantedAddress } from './daemon-host.ts'

function come(search: string): void {
  window.history.replaceState(null, '', `/${search}`)
}

test('the page opens at the system that its address names, once', () => {
  come('?token=secret&open=cloud%3A%2F%2Fevent-games%2F')
  expect(takeWantedAddress(window)).toBe('cloud://event-games/')
  expect(takeToken(window)).toBe('secret')
  expect(window.location.search).toBe('')
  expect(takeWantedAddress(window)).toBeNull()
})

test('it opens at nothing but a system', () => {
  for (const address of ['https://example.org/', 'javascript:alert(1)', 'cloud://home', '', 'x']) {
    come(`?open=${encodeURIComponent(address)}`)
    expect([address, takeWantedAddress(window)]).toEqual([address, null])
    expect(window.location.search).toBe('')
  }
})

test('an invitation behind the # is taken from the address, at first and later', async () => {
  come('?token=secret#dharma-invite=yb3n')
  const links: string[] = []
  onInvitation(window, (link) => links.push(link))
  expect(takeToken(window)).toBe('secret')
  expect(links).toEqual(['dharma:invite/yb3n'])
  expect(window.location.href).not.toContain('yb3n')
  window.location.hash = '#dharma-invite=zzzz'
  await vi.waitFor(() => expect(links).toHaveLength(2))
  expect(links[1]).toBe('dharma:invite/zzzz')
  expect(window.location.hash).toBe('')
  window.location.hash = '#dharma-invite=no/such'
  await vi.waitFor(() => expect(window.location.hash).toBe(''))
  expect(links).toHaveLength(2)
})

/** Refuses every connection, as a browser sees it. */
class RefusedSocket extends EventTarget {
  constructor() {
    super()
    queueMicrotask(() => this.dispatchEvent(new Event('close')))
  }
}

/** Opens the page on a daemon that refuses it, and answers HEAD so. */
function openRefused(head: (address: string) => Promise<{ ok: boolean }>) {
  vi.useFakeTimers()
  vi.stubGlobal('WebSocket', RefusedSocket)
  vi.stubGlobal('fetch', head)
  vi.stubGlobal('matchMedia', () => new EventTarget())
  come('?token=old')
  const { connection } = createDaemonHost(window)
  return connection
}

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('after some tries without an answer it is said that there may be a new address', async () => {
  const connection = openRefused(() => Promise.reject(new TypeError('refused')))
  const messages = new Set<string>()
  connection.state.subscribe(({ failure }) => messages.add(failure?.message ?? ''))
  await vi.advanceTimersByTimeAsync(3000)
  expect([...messages].filter((message) => message !== '')).toEqual([
    'Dharma does not answer on this machine. It may have been stopped.',
  ])
  await vi.advanceTimersByTimeAsync(20_000)
  const { failure, retryAtMs } = connection.state.getState()
  expect(failure?.message).toContain('open the address that "dharma up" printed')
  expect(retryAtMs).not.toBeNull()
  connection.close()
})

test('a key of before a restart is found out, and no other answer is taken for that', async () => {
  const asked: string[] = []
  const restarted = openRefused(async (address) => {
    asked.push(address)
    return { ok: false }
  })
  await vi.advanceTimersByTimeAsync(0)
  expect(restarted.state.getState().failure?.code).toBe('UNAUTHENTICATED')
  expect(asked.at(-1)).toBe(`${window.location.origin}/?token=old`)
  const busy = openRefused(async () => ({ ok: true }))
  await vi.advanceTimersByTimeAsync(0)
  expect(busy.state.getState().failure?.code).toBe('UNAVAILABLE')
  busy.close()
})
