// @vitest-environment jsdom
import { afterEach, expect, test, vi } from 'vitest'
import { connectToCloud } from './index.ts'
import { keyOf, startMemoryRuntime } from './memory-runtime.ts'

const runtime = startMemoryRuntime()
const posted: unknown[] = []
const post = vi.spyOn(window, 'postMessage').mockImplementation((message: unknown) => {
  posted.push(message)
})

/** In a page without a frame around it the shell answers from the same window, as in Electron. */
function fromShell(data: unknown, ports: MessagePort[] = [], source: Window | null = window): void {
  const event = new MessageEvent('message', { data, source })
  // jsdom knows no message ports of its own and refuses those of Node.
  Object.defineProperty(event, 'ports', { value: ports })
  window.dispatchEvent(event)
}

async function openPage(path = '/'): Promise<Awaited<ReturnType<typeof connectToCloud>>> {
  const connecting = connectToCloud()
  fromShell({ type: 'dharma:port', system: 'org.example.notes', path, theme: 'dark' }, [
    runtime.openPort('org.example.notes'),
  ])
  return connecting
}

afterEach(() => {
  posted.length = 0
  document.body.replaceChildren()
})

test('a page asks its window for a port and then works', async () => {
  const cloud = await openPage('/one?two=3')
  expect(post).toHaveBeenCalledWith({ type: 'dharma:connect' }, '*')
  expect(await cloud.identity.whoami()).toMatchObject({ person: keyOf('y') })
  expect(cloud.system).toBe('org.example.notes')
  expect(cloud.location.path).toBe('/one?two=3')
})

test('a port that another window offers is not taken', async () => {
  const connecting = connectToCloud()
  const handover = { type: 'dharma:port', system: 'evil', path: '/', theme: 'light' }
  fromShell(handover, [runtime.openPort('evil')], null)
  fromShell({ ...handover, system: 'good' }, [runtime.openPort('good')])
  expect((await connecting).system).toBe('good')
})

test('the page is in the theme of the shell, at first and later', async () => {
  await openPage()
  expect(document.documentElement.dataset.theme).toBe('dark')
  fromShell({ type: 'dharma:theme', theme: 'light' })
  expect(document.documentElement.dataset.theme).toBe('light')
  fromShell({ type: 'dharma:theme', theme: 'url(evil)' })
  expect(document.documentElement.dataset.theme).toBe('light')
})

test('going somewhere is told to the listeners and to the shell', async () => {
  const cloud = await openPage('/')
  const heard: string[] = []
  const stop = cloud.location.onNavigate((path) => heard.push(path))
  cloud.location.navigate('/events/1')
  cloud.location.setTitle('Friday Cup')
  expect(heard).toEqual(['/events/1'])
  expect(posted.at(-1)).toEqual({ type: 'dharma:location', path: '/events/1', title: 'Friday Cup' })
  history.back()
  await vi.waitFor(() => expect(heard).toEqual(['/events/1', '/']))
  stop()
  cloud.location.navigate('/x')
  expect(heard).toHaveLength(2)
})

test('links inside the system navigate without a reload, others are left alone', async () => {
  const cloud = await openPage('/')
  document.body.innerHTML =
    '<a id="in" href="/live"><b>Live</b></a><a id="out" href="https://example.org/">Out</a>'
  const click = (selector: string, init: MouseEventInit = {}): boolean => {
    const event = new MouseEvent('click', {
      bubbles: true,
      cancelable: true,
      composed: true,
      ...init,
    })
    document.addEventListener('click', (e) => (prevented = e.defaultPrevented), { once: true })
    let prevented = false
    document.addEventListener('click', (e) => e.preventDefault(), { once: true })
    document.querySelector(selector)?.dispatchEvent(event)
    return prevented
  }
  expect(click('#in b')).toBe(true)
  expect(cloud.location.path).toBe('/live')
  expect(click('#out')).toBe(false)
  expect(click('#in', { ctrlKey: true })).toBe(false)
})

test('the keys of the window reach it from the page, unless the page has used them', async () => {
  await openPage()
  posted.length = 0
  const press = (init: KeyboardEventInit): boolean =>
    document.body.dispatchEvent(
      new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...init }),
    )
  expect(press({ key: 'k' })).toBe(true)
  expect(press({ key: 'c', ctrlKey: true })).toBe(true)
  expect(press({ key: 'k', ctrlKey: true, shiftKey: true })).toBe(true)
  document.body.addEventListener('keydown', (event) => event.preventDefault(), { once: true })
  press({ key: 'k', ctrlKey: true })
  expect(posted).toEqual([])
  expect(press({ key: 'K', ctrlKey: true })).toBe(false)
  expect(press({ key: 'l', ctrlKey: true })).toBe(false)
  expect(posted).toEqual([
    { type: 'dharma:shortcut', shortcut: 'command-palette' },
    { type: 'dharma:shortcut', shortcut: 'focus-address' },
  ])
})

test('when the shell says that the machine is gone, calls fail instead of hanging', async () => {
  const cloud = await openPage()
  const closed = vi.fn()
  const stop = cloud.onClosed(closed)
  fromShell({ type: 'dharma:closed' }, [], null)
  expect(closed).not.toHaveBeenCalled()
  fromShell({ type: 'dharma:closed' })
  expect(closed).toHaveBeenCalledTimes(1)
  await expect(cloud.identity.whoami()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  stop()
})

test('without a shell the page is told so', async () => {
  vi.useFakeTimers()
  const connecting = connectToCloud()
  const refused = expect(connecting).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await vi.advanceTimersByTimeAsync(20_000)
  await refused
  vi.useRealTimers()
})
