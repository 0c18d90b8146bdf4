// @vitest-environment jsdom
import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { implement } from '@orpc/server'
import { afterEach, expect, test, vi } from 'vitest'
import { tabsContract } from '../../electron/contract/tabs.ts'
import type { TabsEvent } from '../../electron/contract/tabs.ts'
import { events } from '../../node-runtime/flow/streams.ts'
import { createServer, openAccess } from '../../node-runtime/rpc/server.ts'
import type { AnyPort } from '../../node-runtime/rpc/port.ts'
import { createFakeRuntime } from '../test/fake-runtime.ts'
import type { FakeRuntime } from '../test/fake-runtime.ts'
import { createElectronHost } from './electron-host.ts'
import type { ShellHost } from './shell-host.ts'

/** What the preload script says to the page. */
function say(data: object, ports: MessagePort[], source: unknown): void {
  const event = new MessageEvent('message', { data })
  Object.defineProperties(event, { source: { value: source }, ports: { value: ports } })
  window.dispatchEvent(event)
}

/** The main process and its preload script: answers `dharma:ready`, with the tabs' port if wanted. */
function startMain(fake: FakeRuntime) {
  const asked: string[] = []
  const listeners = new Set<(event: TabsEvent) => void>()
  const os = implement(tabsContract)
  const note = (name: string) => (input: object) => {
    asked.push(`${name} ${Object.values(input).join(' ')}`)
    return {}
  }
  const serveTabs = createServer<object>(
    {
      open: os.open.handler(({ input }) => note('open')(input)),
      setTheme: os.setTheme.handler(({ input }) => note('theme')(input)),
      dim: os.dim.handler(({ input }) => note('dim')(input)),
      watch: os.watch.handler(({ signal }) =>
        events<TabsEvent>((emit) => {
          listeners.add(emit)
          return () => listeners.delete(emit)
        }, signal),
      ),
    },
    { access: openAccess, onInternalError: (error) => console.error(error) },
  )
  const runtimePorts: MessagePort[] = []
  const give = (ports: MessagePort[], source: unknown): void =>
    say({ type: 'dharma:ports' }, ports, source)
  const onReady = (event: MessageEvent<unknown>): void => {
    const { type, tabs: wantsTabs } = event.data as { type?: unknown; tabs?: unknown }
    if (type !== 'dharma:ready') return
    const runtime = new MessageChannel()
    runtimePorts.push(runtime.port2)
    fake.serve(runtime.port2 as unknown as AnyPort)
    runtime.port2.start()
    if (wantsTabs !== true) return give([runtime.port1], window)
    const tabs = new MessageChannel()
    serveTabs(tabs.port2 as unknown as AnyPort, {})
    tabs.port2.start()
    tabPorts.push(tabs.port2)
    // A frame or another window cannot hand the shell a port of its own making.
    give([new MessageChannel().port1, new MessageChannel().port1], null)
    give([runtime.port1, tabs.port1], window)
  }
  const tabPorts: MessagePort[] = []
  window.addEventListener('message', onReady)
  return {
    asked,
    runtimePorts,
    tabPorts,
    emit: (event: TabsEvent) => listeners.forEach((listener) => listener(event)),
    watchers: () => listeners.size,
    stop() {
      window.removeEventListener('message', onReady)
      for (const port of [...runtimePorts, ...tabPorts]) port.close()
    },
  }
}

let host: ShellHost | null = null
let main: ReturnType<typeof startMain> | null = null
afterEach(() => {
  host?.connection.close()
  host?.tabs.dispose()
  main?.stop()
})

test('the shell gets its ports, and another of the runtime when that has died', async () => {
  main = startMain(createFakeRuntime())
  host = createElectronHost()
  const { state } = host.connection
  await vi.waitFor(() => expect(state.getState().phase).toBe('connected'))
  await expect(state.getState().client.cloud.status({})).resolves.toMatchObject({ state: 'alone' })

  main.runtimePorts[0]?.close()
  await vi.waitFor(() => expect(state.getState().phase).toBe('lost'))
  await vi.waitFor(() => expect(state.getState().phase).toBe('connected'))
  expect(main.runtimePorts).toHaveLength(2)
  expect(main.tabPorts).toHaveLength(1)
  await expect(state.getState().client.cloud.status({})).resolves.toMatchObject({ state: 'alone' })
})

test('what is asked of tabs before the port has come is not lost, and events arrive', async () => {
  host = createElectronHost()
  const received: TabsEvent[] = []
  host.tabs.subscribe((event) => received.push(event))
  const opened = host.tabs.open('v1', 'https://example.org/')
  main = startMain(createFakeRuntime())
  await opened
  expect(main.asked).toEqual(['open v1 https://example.org/'])
  await vi.waitFor(() => expect(main?.watchers()).toBe(1))
  main.emit({ type: 'shortcut', shortcut: 'new-tab' })
  await vi.waitFor(() => expect(received).toEqual([{ type: 'shortcut', shortcut: 'new-tab' }]))
})

test('ports that came while nobody listened are asked for again, the tabs’ port too', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    host = createElectronHost()
    // The runtime becomes ready only after the page has given up waiting, and between its tries.
    await vi.advanceTimersByTimeAsync(15_100)
    const lost = new MessageChannel()
    say({ type: 'dharma:ports' }, [lost.port1, new MessageChannel().port1], window)
    main = startMain(createFakeRuntime())
    await vi.advanceTimersByTimeAsync(1_000)
  } finally {
    vi.useRealTimers()
  }
  const { state } = host.connection
  await vi.waitFor(() => expect(state.getState().phase).toBe('connected'))
  expect(main.tabPorts).toHaveLength(1)
  const opened = host.tabs.open('v1', 'https://example.org/')
  await vi.waitFor(() => expect(main?.asked).toEqual(['open v1 https://example.org/']))
  await opened
})

test('a failure of the main process is said at once, and a runtime that is there again is used', async () => {
  host = createElectronHost()
  const { state } = host.connection
  const error = { code: 'DATA_DAMAGED', message: 'The index can’t be read.', details: {} }
  say({ type: 'dharma:failed', error }, [], null)
  expect(state.getState().phase).toBe('connecting')
  for (let times = 0; times < 8; times++) {
    say({ type: 'dharma:failed', error }, [], window)
    await vi.waitFor(() => expect(state.getState().retryAtMs).not.toBeNull())
    expect(state.getState().failure).toMatchObject({ code: 'DATA_DAMAGED' })
    if (times < 7) host.connection.retry()
  }
  // It would wait for seconds now.
  expect(state.getState().retryAtMs).toBeGreaterThan(Date.now() + 4_000)
  main = startMain(createFakeRuntime())
  say({ type: 'dharma:runtime-ready' }, [], window)
  await vi.waitFor(() => expect(state.getState().phase).toBe('connected'))
})
