// The guards of pages, on stand-ins for Electron's objects.
import { EventEmitter } from 'node:events'
import type { IpcMainEvent, Session, WebContents } from 'electron'
import { expect, test, vi } from 'vitest'
import { guardPage } from './page-guard.ts'
import { denyPermissions } from './permissions.ts'
import { resolveFile } from './protocols.ts'
import { isFrom } from './sender.ts'
import { isReachable } from './window-state.ts'

class FakeContents extends EventEmitter {
  openWindow: (details: { url: string }) => { action: string } = () => ({ action: 'unset' })
  mainFrame: { url: string }
  constructor(url: string) {
    super()
    this.mainFrame = { url }
  }
  setWindowOpenHandler(handler: FakeContents['openWindow']): void {
    this.openWindow = handler
  }
  isDestroyed(): boolean {
    return false
  }
}

function guard(owner: Parameters<typeof guardPage>[1]) {
  const contents = new FakeContents('https://example.org/')
  const handOver = vi.fn<(url: string) => void>()
  guardPage(contents as unknown as WebContents, owner, handOver)
  const navigate = (event: string, url: string): boolean => {
    let prevented = false
    contents.emit(event, { url, isMainFrame: true, preventDefault: () => (prevented = true) })
    return !prevented
  }
  const click = (): void => void contents.emit('input-event', {}, { type: 'mouseDown' })
  return { contents, handOver, navigate, click }
}

test('a web page is stopped on its way to a file, by link and by redirect', () => {
  const { navigate, handOver } = guard({ kind: 'web' })
  for (const event of ['will-frame-navigate', 'will-redirect']) {
    expect(navigate(event, 'file:///etc/passwd')).toBe(false)
    expect(navigate(event, 'https://example.org/next')).toBe(true)
  }
  expect(handOver).not.toHaveBeenCalled()
})

test('one click is good for one tab', () => {
  const { navigate, handOver, click, contents } = guard({ kind: 'web' })
  expect(navigate('will-frame-navigate', 'cloud://home/')).toBe(false)
  expect(handOver).not.toHaveBeenCalled()
  click()
  expect(contents.openWindow({ url: 'https://example.org/' })).toEqual({ action: 'deny' })
  contents.openWindow({ url: 'https://example.org/second' })
  navigate('will-frame-navigate', 'cloud://home/')
  expect(handOver.mock.calls).toEqual([['https://example.org/']])
})

test('a web view is never attached, and a bad certificate is never accepted', () => {
  const { contents } = guard({ kind: 'web' })
  const preventDefault = vi.fn<() => void>()
  const answer = vi.fn<(accepted: boolean) => void>()
  contents.emit('will-attach-webview', { preventDefault })
  contents.emit('certificate-error', { preventDefault }, '', '', {}, answer)
  expect(preventDefault).toHaveBeenCalledTimes(2)
  expect(answer).toHaveBeenCalledExactlyOnceWith(false)
})

test('a page gets none of the permissions, devices or screens', () => {
  const handlers: Record<string, (...args: unknown[]) => unknown> = {}
  const session = new Proxy(
    {},
    { get: (_target, name: string) => (handler: never) => (handlers[name] = handler) },
  )
  denyPermissions(session as Session)
  const asked = ['media', 'geolocation', 'notifications', 'clipboard-read', 'openExternal', 'usb']
  for (const permission of asked) {
    const answer = vi.fn<(granted: boolean) => void>()
    handlers['setPermissionRequestHandler']?.({}, permission, answer)
    expect(answer).toHaveBeenCalledExactlyOnceWith(false)
    expect(handlers['setPermissionCheckHandler']?.({}, permission)).toBe(false)
  }
  expect(handlers['setDevicePermissionHandler']?.({})).toBe(false)
})

test('a message counts only from the main frame of the page itself, at its own origin', () => {
  const page = new FakeContents('cloud://dharma/') as unknown as WebContents
  const other = new FakeContents('cloud://dharma/') as unknown as WebContents
  const from = (sender: unknown, senderFrame: unknown): boolean =>
    isFrom({ sender, senderFrame } as IpcMainEvent, page, 'cloud://dharma')
  expect(from(page, page.mainFrame)).toBe(true)
  expect(from(page, { url: 'cloud://dharma/' })).toBe(false)
  expect(from(page, null)).toBe(false)
  expect(from(other, other.mainFrame)).toBe(false)
  expect(from(other, page.mainFrame)).toBe(false)
  ;(page.mainFrame as { url: string }).url = 'https://example.org/'
  expect(from(page, page.mainFrame)).toBe(false)
})

test.each(['/../main.js', '/%2e%2e/main.js', '/a/../../x', '/%00', '/..%5cx', '/%', '/..'])(
  'the shell’s origin serves nothing outside of its folder: %s',
  (pathname) => {
    expect(resolveFile('/app/renderer', pathname)).toBeNull()
  },
)

test('the shell’s origin serves its own files', () => {
  expect(resolveFile('/app/renderer', '/')).toBe('/app/renderer/index.html')
  expect(resolveFile('/app/renderer', '/assets/a%20b.js')).toBe('/app/renderer/assets/a b.js')
})

test('a window that was left on a screen that has gone comes back where it can be seen', () => {
  const screen = { x: 0, y: 0, width: 1920, height: 1080 }
  const size = { width: 800, height: 600 }
  expect(isReachable({ x: 100, y: 100, ...size }, [screen])).toBe(true)
  expect(isReachable({ x: 2000, y: 100, ...size }, [screen])).toBe(false)
  expect(isReachable({ x: 100, y: -400, ...size }, [screen])).toBe(false)
  expect(isReachable({ x: 1900, y: 100, ...size }, [screen])).toBe(false)
})
