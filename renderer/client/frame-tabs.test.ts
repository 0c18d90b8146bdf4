// @vitest-environment jsdom
import { afterEach, expect, test, vi } from 'vitest'
import type { TabsEvent, ViewState } from '../../electron/contract/tabs.ts'
import { createFrameTabs } from './frame-tabs.ts'
import { createPageTheme } from './page-theme.ts'

/** A computer that can be turned dark. */
function createComputer() {
  const dark = Object.assign(new EventTarget(), { matches: false })
  return {
    localStorage,
    matchMedia: () => dark as unknown as MediaQueryList,
    turnDark() {
      dark.matches = true
      dark.dispatchEvent(new Event('change'))
    },
  }
}

function setUp() {
  const computer = createComputer()
  const closed: string[] = []
  /** Ends the connection behind the last port that was given. */
  let drop = (): void => {}
  const tabs = createFrameTabs({
    page: window,
    systemOrigin: (system) => `http://${system}.localhost:4000`,
    openSystemPort: (system) => ({
      port: { of: system } as unknown as MessagePort,
      closed: new Promise<void>((resolve) => (drop = resolve)),
      close: () => closed.push(system),
    }),
    theme: createPageTheme(computer),
  })
  current = tabs
  const views = new Map<string, ViewState>()
  const shortcuts: string[] = []
  tabs.subscribe((event: TabsEvent) => {
    if (event.type === 'viewChanged') views.set(event.view.tab, event.view)
    if (event.type === 'shortcut') shortcuts.push(event.shortcut)
    if (event.type === 'viewClosed') views.delete(event.tab)
  })
  /** A frame whose window only takes messages. */
  const attach = (view: string) => {
    const postMessage = vi.fn()
    const contentWindow = { postMessage }
    tabs.frames?.attach(view, { contentWindow } as unknown as HTMLIFrameElement)
    const say = (data: unknown, origin: string): void => {
      const event = new MessageEvent('message', { data, origin })
      Object.defineProperty(event, 'source', { value: contentWindow })
      window.dispatchEvent(event)
    }
    return { postMessage, say }
  }
  const frame = (view: string) => tabs.frames?.store.getState().frames.find((f) => f.view === view)
  return { tabs, views, shortcuts, closed, attach, frame, drop: () => drop(), computer }
}

let current: ReturnType<typeof createFrameTabs> | null = null
afterEach(() => {
  current?.dispose()
  localStorage.clear()
})

const ORIGIN = 'http://org.example.notes.localhost:4000'

test('a system gets a port of its own, and only from its own origin', async () => {
  const { tabs, attach } = setUp()
  await tabs.open('v', 'cloud://org.example.notes/list?x=1')
  const { postMessage, say } = attach('v')
  say({ type: 'dharma:connect' }, 'http://evil.localhost:4000')
  say({ type: 'dharma:connect' }, 'https://example.org')
  say('dharma:connect', ORIGIN)
  expect(postMessage).not.toHaveBeenCalled()
  say({ type: 'dharma:connect' }, ORIGIN)
  expect(postMessage).toHaveBeenCalledExactlyOnceWith(
    { type: 'dharma:port', system: 'org.example.notes', path: '/list?x=1', theme: 'light' },
    ORIGIN,
    [{ of: 'org.example.notes' }],
  )
  for (let times = 0; times < 100; times++) say({ type: 'dharma:connect' }, ORIGIN)
  expect(postMessage.mock.calls.length).toBeLessThan(20)
})

test('a web page gets no port, whatever it says', async () => {
  const { tabs, attach } = setUp()
  await tabs.open('v', 'https://example.org/')
  const { postMessage, say } = attach('v')
  say({ type: 'dharma:connect' }, 'https://example.org')
  expect(postMessage).not.toHaveBeenCalled()
})

test('a message from a window that is no tab is ignored', async () => {
  const { tabs, views } = setUp()
  await tabs.open('v', 'cloud://org.example.notes/')
  window.dispatchEvent(
    new MessageEvent('message', {
      data: { type: 'dharma:location', path: '/stolen', title: 'x' },
      origin: ORIGIN,
    }),
  )
  expect(views.get('v')?.url).toBe('cloud://org.example.notes/')
})

test('the address follows a system, and back makes the frame anew where it was', async () => {
  const { tabs, views, attach, frame } = setUp()
  await tabs.open('v', 'cloud://org.example.notes/')
  const { say } = attach('v')
  say({ type: 'dharma:location', path: '/', title: 'Notes' }, ORIGIN)
  expect(views.get('v')).toMatchObject({ canGoBack: false, title: 'Notes', security: 'cloud' })
  say({ type: 'dharma:location', path: '/one', title: 'One' }, ORIGIN)
  // Said a moment later: pages may tell of new places in a loop.
  await vi.waitFor(() =>
    expect(views.get('v')).toMatchObject({
      url: 'cloud://org.example.notes/one',
      title: 'One',
      canGoBack: true,
    }),
  )
  expect(frame('v')?.generation).toBe(0)

  await tabs.back('v')
  expect(views.get('v')).toMatchObject({
    url: 'cloud://org.example.notes/',
    canGoBack: false,
    canGoForward: true,
  })
  expect(frame('v')).toMatchObject({ src: `${ORIGIN}/`, generation: 1 })
  await tabs.forward('v')
  expect(frame('v')?.src).toBe(`${ORIGIN}/one`)
})

test('a system cannot give its tab the address of another', async () => {
  const { tabs, views, attach } = setUp()
  await tabs.open('v', 'cloud://org.example.notes/')
  const { say } = attach('v')
  for (const path of ['.evil/', '-evil/', '@evil/', ':80/', '//evil/']) {
    say({ type: 'dharma:location', path, title: 'x' }, ORIGIN)
    expect(new URL(views.get('v')?.url ?? '').host).toBe('org.example.notes')
  }
})

test('web pages keep the addresses that were typed, and none of them gets a lock', async () => {
  const { tabs, views, frame } = setUp()
  await tabs.open('v', 'https://a.org')
  expect(views.get('v')).toMatchObject({ security: 'unknown', loading: true })
  tabs.frames?.loaded('v')
  expect(views.get('v')?.loading).toBe(false)
  await tabs.navigate('v', 'http://b.org')
  expect(views.get('v')).toMatchObject({ security: 'unknown', title: 'b.org', canGoBack: true })
  await tabs.navigate('v', 'http://localhost:1/')
  expect(views.get('v')?.security).toBe('unknown')
  await tabs.back('v')
  expect(frame('v')?.src).toBe('http://b.org/')
})

test('addresses that a frame may not have are refused', async () => {
  const { tabs } = setUp()
  const refused = { code: 'TAB_ADDRESS_INVALID' }
  await expect(tabs.open('v', window.location.href)).rejects.toMatchObject(refused)
  await expect(tabs.open('v', 'javascript:alert(1)')).rejects.toMatchObject(refused)
  await expect(tabs.open('v', 'cloud://home')).rejects.toMatchObject(refused)
  await tabs.open('v', 'cloud://org.example.notes/')
  await expect(tabs.navigate('v', 'cloud://org.other/')).rejects.toMatchObject(refused)
  await expect(tabs.navigate('w', 'https://a.org')).rejects.toMatchObject({ code: 'TAB_UNKNOWN' })
})

test('a page is told when the connection behind its port has ended', async () => {
  const { tabs, attach, drop } = setUp()
  await tabs.open('v', 'cloud://org.example.notes/')
  const { postMessage, say } = attach('v')
  say({ type: 'dharma:connect' }, ORIGIN)
  drop()
  await vi.waitFor(() =>
    expect(postMessage).toHaveBeenLastCalledWith({ type: 'dharma:closed' }, ORIGIN),
  )
})

test('keys of the window are taken from the page in front, when a person pressed them', async () => {
  const { tabs, attach, shortcuts } = setUp()
  const userActivation = { isActive: true }
  Object.defineProperty(navigator, 'userActivation', { value: userActivation, configurable: true })
  await tabs.open('v', 'cloud://org.example.notes/')
  const { say } = attach('v')
  const press = (shortcut: string): void => say({ type: 'dharma:shortcut', shortcut }, ORIGIN)
  press('command-palette')
  expect(shortcuts).toEqual([])
  await tabs.show('v', { x: 0, y: 0, width: 1, height: 1 })
  press('close-tab')
  userActivation.isActive = false
  press('command-palette')
  expect(shortcuts).toEqual([])
  userActivation.isActive = true
  press('command-palette')
  expect(shortcuts).toEqual(['command-palette'])
})

test('themes reach the systems; reloading and closing end their ports', async () => {
  const { tabs, closed, attach, frame, views } = setUp()
  await tabs.open('v', 'cloud://org.example.notes/')
  const { postMessage, say } = attach('v')
  say({ type: 'dharma:connect' }, ORIGIN)
  await tabs.setTheme('dark')
  expect(postMessage).toHaveBeenLastCalledWith({ type: 'dharma:theme', theme: 'dark' }, ORIGIN)
  await tabs.reload('v')
  expect(closed).toEqual(['org.example.notes'])
  expect(frame('v')?.generation).toBe(1)
  await tabs.show('v', { x: 0, y: 0, width: 1, height: 1 })
  expect(frame('v')?.shown).toBe(true)
  await tabs.close('v')
  expect(views.size).toBe(0)
  expect(frame('v')).toBeUndefined()
})

test('the theme is kept in the profile, and told at first and with every choice', async () => {
  const told = (tabs: ReturnType<typeof setUp>['tabs']): string[] => {
    const themes: string[] = []
    tabs.subscribe((event) => event.type === 'themeChanged' && themes.push(event.theme))
    return themes
  }
  const { tabs } = setUp()
  const themes = told(tabs)
  await tabs.setTheme('dark')
  expect(themes).toEqual(['system', 'dark'])
  tabs.dispose()
  expect(told(setUp().tabs)).toEqual(['dark'])
})

test('a computer that turns dark is told to systems, unless another theme was chosen', async () => {
  const { tabs, attach, computer } = setUp()
  await tabs.open('v', 'cloud://org.example.notes/')
  const { postMessage } = attach('v')
  computer.turnDark()
  expect(postMessage).toHaveBeenLastCalledWith({ type: 'dharma:theme', theme: 'dark' }, ORIGIN)
  await tabs.setTheme('light')
  computer.turnDark()
  expect(postMessage).toHaveBeenLastCalledWith({ type: 'dharma:theme', theme: 'light' }, ORIGIN)
  tabs.dispose()
  postMessage.mockClear()
  computer.turnDark()
  expect(postMessage).not.toHaveBeenCalled()
})

test('a system’s frame that has gone elsewhere is not shown as the system', async () => {
  vi.useFakeTimers()
  try {
    const { tabs, views, attach } = setUp()
    await tabs.open('v', 'cloud://org.example.notes/')
    const { postMessage, say } = attach('v')
    tabs.frames?.loaded('v')
    expect(postMessage).toHaveBeenLastCalledWith({ type: 'dharma:where' }, ORIGIN)
    say({ type: 'dharma:location', path: '/', title: 'Notes' }, ORIGIN)
    vi.advanceTimersByTime(5_000)
    expect(views.get('v')?.security).toBe('cloud')
    // It loads another page, and only that one answers.
    tabs.frames?.loaded('v')
    say({ type: 'dharma:location', path: '/', title: 'Notes' }, 'https://evil.example')
    vi.advanceTimersByTime(5_000)
    expect(views.get('v')?.security).toBe('unknown')
    say({ type: 'dharma:location', path: '/', title: 'Notes' }, ORIGIN)
    expect(views.get('v')?.security).toBe('cloud')
  } finally {
    vi.useRealTimers()
  }
})

test('a page that tells of new places all the time is no load, and its history has an end', async () => {
  vi.useFakeTimers()
  try {
    const { tabs, views, attach } = setUp()
    await tabs.open('v', 'cloud://org.example.notes/')
    const { say } = attach('v')
    let told = 0
    tabs.subscribe(({ type }) => (told += type === 'viewChanged' ? 1 : 0))
    for (let at = 0; at < 1_000; at++) {
      say({ type: 'dharma:location', path: `/${at}`, title: `${at}` }, ORIGIN)
      vi.advanceTimersByTime(1)
    }
    expect(told).toBeLessThanOrEqual(11)
    vi.advanceTimersByTime(100)
    expect(views.get('v')?.url).toBe('cloud://org.example.notes/999')
    let steps = 0
    while (views.get('v')?.canGoBack === true) {
      await tabs.back('v')
      steps += 1
    }
    expect(steps).toBe(49)
  } finally {
    vi.useRealTimers()
  }
})
