// @vitest-environment jsdom
import { act, fireEvent, screen, waitFor, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import { CloudError } from '../../node-runtime/contract/errors.ts'
import { createFakeRuntime } from '../test/fake-runtime.ts'
import { OTHER_KEY, PREVIEW, installedFrom, machine, status } from '../test/samples.ts'
import { openTestPort, renderInShell } from '../test/window.tsx'
import { App } from './app.tsx'

const address = (): HTMLInputElement => screen.getByRole('combobox', { name: 'Address' })

function goTo(text: string): void {
  fireEvent.focus(address())
  fireEvent.change(address(), { target: { value: text } })
  fireEvent.keyDown(address(), { key: 'Enter' })
}

test('a fresh machine is told that it started a cloud, and what to do next', async () => {
  renderInShell(<App />)
  await screen.findByRole('heading', { level: 1, name: 'This machine started a new cloud.' })
  screen.getByText(
    'It works as it is, and goes on looking for others. Invite some, or join another cloud.',
  )
  screen.getByRole('button', { name: 'Cloud: Alone' })
  expect(document.title).toBe('Home – Dharma')
})

test('the state of the cloud opens Connection', async () => {
  renderInShell(<App />)
  const state = await screen.findByRole('button', { name: 'Cloud: Alone' })
  expect(state.getAttribute('aria-current')).toBeNull()
  state.focus()
  fireEvent.click(state)
  await screen.findByRole('heading', { level: 1, name: 'Connection' })
  expect(address().value).toBe('cloud://connection')
  expect(state.getAttribute('aria-current')).toBe('page')
  expect(document.activeElement).toBe(state)
})

test('the cloud state follows the runtime', async () => {
  const { fake } = renderInShell(<App />)
  const state = await screen.findByRole('button', { name: 'Cloud: Alone' })
  const dot = (): string => state.querySelector('.dot')!.className
  expect(dot()).toBe('dot dot-alone')
  fake.cloud.set({ status: status({ state: 'looking' }), machines: [machine({ self: true })] })
  await screen.findByRole('button', { name: 'Cloud: Looking' })
  expect(dot()).toBe('dot dot-looking')
  fake.cloud.set({
    status: status({ state: 'joined', machinesKnown: 2, machinesOnline: 2, connections: 1 }),
    machines: [machine({ self: true }), machine({ machine: OTHER_KEY, latencyMs: 4 })],
  })
  await screen.findByRole('button', { name: 'Cloud: 2 machines' })
  expect(dot()).toBe('dot dot-joined')
  screen.getByRole('heading', { level: 1, name: 'You are in a cloud of 2 machines.' })
})

test('tabs: new, type an address, back, forward, close', async () => {
  const { host } = renderInShell(<App />)
  fireEvent.click(screen.getByRole('button', { name: 'New tab' }))
  expect(screen.getAllByRole('tab')).toHaveLength(2)
  goTo('example.org')
  await waitFor(() => expect(host.asked.some((asked) => asked.startsWith('show '))).toBe(true))
  expect(address().value).toBe('https://example.org/')
  screen.getByRole('tab', { name: 'example.org', selected: true })

  fireEvent.click(screen.getByRole('button', { name: 'Back' }))
  expect(address().value).toBe('cloud://home')
  fireEvent.click(screen.getByRole('button', { name: 'Forward' }))
  expect(address().value).toBe('https://example.org/')

  fireEvent.keyDown(window, { key: 'w', ctrlKey: true })
  expect(screen.getAllByRole('tab')).toHaveLength(1)
  expect(host.asked.some((asked) => asked.startsWith('close '))).toBe(true)
})

test('the rail, the address bar and the palette all reach the built-in pages', async () => {
  renderInShell(<App />)
  fireEvent.click(screen.getByRole('link', { name: 'Machines' }))
  await screen.findByRole('heading', { level: 1, name: 'Machines' })
  expect(screen.getByRole('link', { name: 'Machines' }).getAttribute('aria-current')).toBe('page')

  goTo('cloud://settings')
  await screen.findByRole('heading', { level: 1, name: 'Settings' })

  fireEvent.keyDown(window, { key: 'k', ctrlKey: true })
  const palette = await screen.findByRole('dialog', { name: 'Command palette' })
  fireEvent.click(within(palette).getByRole('option', { name: 'Systems' }))
  await screen.findByRole('heading', { level: 1, name: 'Systems' })
})

test('the native view is hidden while something lies over it', async () => {
  const { host } = renderInShell(<App />)
  goTo('https://example.org/')
  await waitFor(() => expect(host.asked.at(-1)).toMatch(/^show (?!none)/))
  fireEvent.keyDown(window, { key: 'k', ctrlKey: true })
  await waitFor(() => expect(host.asked.at(-1)).toBe('show none'))
  fireEvent.keyDown(window, { key: 'k', ctrlKey: true })
  await waitFor(() => expect(host.asked.at(-1)).toMatch(/^show (?!none)/))
})

test('a page that did not load says why, and can be tried again', async () => {
  const { host } = renderInShell(<App />)
  goTo('https://nowhere.example/')
  const opened = host.asked.find((asked) => asked.startsWith('open ')) ?? ''
  const [, view = ''] = opened.split(' ')
  host.change(view, {
    failure: { code: 'ERR_NAME_NOT_RESOLVED', message: 'There is no such host.' },
  })
  await screen.findByRole('heading', { level: 1, name: 'This page did not load.' })
  screen.getByText('There is no such host.')
  fireEvent.click(screen.getByRole('button', { name: 'Try again' }))
  expect(host.asked).toContain(`reload ${view}`)
})

test('the page of a system that is not installed leads to where it can be, and back', async () => {
  const { fake } = renderInShell(<App />)
  goTo('cloud://org.example.notes/')
  await screen.findByRole('heading', { level: 1, name: 'This system is not installed.' })
  screen.getByText(/paste it on the Systems page/)
  expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull()
  fireEvent.click(screen.getByRole('button', { name: 'Go to Systems' }))
  await screen.findByRole('heading', { level: 1, name: 'Systems' })
  const notes = { ...PREVIEW, id: 'org.example.notes', host: 'org.example.notes', name: 'Notes' }
  fireEvent.click(screen.getByRole('button', { name: 'Back' }))
  await screen.findByRole('heading', { level: 1, name: 'This system is not installed.' })
  fake.systems.set({ systems: [installedFrom(notes, [])] })
  await screen.findByRole('heading', { level: 1, name: 'Notes is installed now.' })
  fireEvent.click(screen.getByRole('button', { name: 'Open' }))
  await waitFor(() =>
    expect(screen.queryByRole('heading', { name: 'Notes is installed now.' })).toBeNull(),
  )
})

test('the window’s own buttons are darkened while something darkens the rest', async () => {
  const { host } = renderInShell(<App />)
  const dims = (): string[] => host.asked.filter((asked) => asked.startsWith('dim '))
  goTo('https://example.org/')
  fireEvent.keyDown(window, { key: 'k', ctrlKey: true })
  await waitFor(() => expect(dims()).toEqual(['dim true']))
  fireEvent.keyDown(window, { key: 'k', ctrlKey: true })
  await waitFor(() => expect(dims()).toEqual(['dim true', 'dim false']))
})

test('a path of this computer is offered for installing, as its address', async () => {
  renderInShell(<App />)
  const bar = screen.getByRole('combobox', { name: 'Address' })
  fireEvent.change(bar, { target: { value: '/home/ada/my notes' } })
  await screen.findByText('file:///home/ada/my%20notes')
})

test('a view that could not be opened says why, and is opened anew when tried again', async () => {
  const { host } = renderInShell(<App />)
  host.failNext = new CloudError('UNAVAILABLE', 'The main process is busy.')
  goTo('https://example.org/')
  await screen.findByRole('heading', { level: 1, name: 'This page did not load.' })
  screen.getByText('The main process is busy.')
  screen.getByText('Not loaded')
  screen.getByRole('button', { name: 'Reload' })
  fireEvent.click(screen.getByRole('button', { name: 'Try again' }))
  await waitFor(() =>
    expect(screen.queryByRole('heading', { name: 'This page did not load.' })).toBeNull(),
  )
  expect(host.asked.filter((asked) => asked.startsWith('open '))).toHaveLength(2)
})

test('text that is no address and finds nothing says so, and goes nowhere', async () => {
  renderInShell(<App />)
  goTo('what is this')
  await screen.findByText('This is no address, and nothing here goes by that name.')
})

test('a lost connection is said, with its reason, and gone when it is back', async () => {
  const fake = createFakeRuntime()
  let refused = true
  renderInShell(<App />, fake, async () => {
    if (refused) throw new CloudError('UNAVAILABLE', 'Dharma does not answer on this machine.')
    return openTestPort(fake)
  })
  const banner = await screen.findByRole('alert')
  expect(banner.textContent).toContain('Connection to this machine lost, retrying.')
  expect(banner.textContent).toContain('Dharma does not answer on this machine.')
  const state = screen.getByRole('button', { name: 'Cloud: No connection' })
  expect(state.querySelector('.dot')?.className).toBe('dot dot-lost')
  refused = false
  fireEvent.click(within(banner).getByRole('button', { name: 'Try now' }))
  await waitFor(() => expect(screen.queryByRole('alert')).toBeNull())
})

test('a page that the machine does not know is told what to do, and tries nothing', async () => {
  renderInShell(<App />, createFakeRuntime(), async () => {
    throw new CloudError('UNAUTHENTICATED', 'Open the address that "dharma up" printed.')
  })
  const banner = await screen.findByRole('alert')
  expect(banner.textContent).toBe(
    'This page has no access to the machine. Open the address that "dharma up" printed.',
  )
  expect(within(banner).queryByRole('button')).toBeNull()
})

test('the theme is the host’s: the window shows what it says, and only asks for another', async () => {
  localStorage.setItem('dharma.preferences', '{"theme":"light"}')
  const { host } = renderInShell(<App />)
  goTo('cloud://settings')
  const radio = (name: string): Promise<HTMLInputElement> => screen.findByRole('radio', { name })
  expect((await radio('As the computer has it')).checked).toBe(true)
  expect(host.asked.filter((asked) => asked.startsWith('theme'))).toEqual([])
  fireEvent.click(await radio('Dark'))
  expect(document.documentElement.dataset.theme).toBe('dark')
  expect(host.asked).toContain('theme dark')
  act(() => host.emit({ type: 'themeChanged', theme: 'light' }))
  expect(document.documentElement.dataset.theme).toBe('light')
  expect((await radio('Light')).checked).toBe(true)
})

test('a theme that the host could not take is not shown, and the reason is said', async () => {
  const { host } = renderInShell(<App />)
  host.setTheme = async () => {
    throw new CloudError('UNAVAILABLE', 'The window does not answer.')
  }
  goTo('cloud://settings')
  fireEvent.click(await screen.findByRole('radio', { name: 'Dark' }))
  await screen.findByText('The window does not answer.')
  expect(document.documentElement.dataset.theme).toBeUndefined()
})

test('a new tab has the focus in the address bar, whatever was typed in the one before', async () => {
  renderInShell(<App />)
  goTo('cloud://settings')
  fireEvent.change(address(), { target: { value: 'half an addr' } })
  fireEvent.keyDown(window, { key: 't', ctrlKey: true })
  await waitFor(() => expect(document.activeElement).toBe(address()))
  expect(address().value).toBe('cloud://home')
})

test('systems are loaded anew when the machine is back, web pages are not', async () => {
  const fake = createFakeRuntime()
  fake.systems.set({ systems: [installedFrom({ ...PREVIEW, id: 'org.example.notes' }, [])] })
  const ports: ReturnType<typeof openTestPort>[] = []
  const { host } = renderInShell(<App />, fake, async () => {
    const port = openTestPort(fake)
    ports.push(port)
    return port
  })
  await screen.findByRole('button', { name: 'Cloud: Alone' })
  goTo('cloud://org.example.notes/')
  await waitFor(() => expect(host.asked.join()).toContain('open '))
  fireEvent.click(screen.getByRole('button', { name: 'New tab' }))
  goTo('https://example.org/')
  ports[0]?.far.close()
  await waitFor(() => expect(ports).toHaveLength(2))
  const [system = ''] = host.asked.filter((asked) => asked.startsWith('open '))
  await waitFor(() =>
    expect(host.asked.filter((asked) => asked.startsWith('reload '))).toEqual([
      `reload ${system.split(' ')[1]}`,
    ]),
  )
})

test('after an update, pages of the old version are loaded anew, the one in front when asked', async () => {
  const fake = createFakeRuntime()
  const system = installedFrom(PREVIEW, ['db'])
  fake.systems.value = { systems: [system] }
  const { host, shell } = renderInShell(<App />, fake)
  const at = `cloud://${system.id}/`
  await screen.findByRole('heading', { level: 1 })
  goTo(at)
  await waitFor(() => expect(Object.keys(shell.tabs.store.getState().views)).toHaveLength(1))
  const [hidden] = Object.keys(shell.tabs.store.getState().views)
  shell.tabs.open(at)
  await waitFor(() => expect(Object.keys(shell.tabs.store.getState().views)).toHaveLength(2))
  const front = Object.keys(shell.tabs.store.getState().views).find((view) => view !== hidden)
  await waitFor(() => expect(host.asked.at(-1)).toBe(`show ${front}`))
  fake.systems.set({ systems: [{ ...system, version: '0.2.0', commit: 'f'.repeat(40) }] })
  const banner = await screen.findByText(/0\.2\.0 is installed/)
  const reloads = () => host.asked.filter((asked) => asked.startsWith('reload'))
  expect(reloads()).toEqual([`reload ${hidden}`])
  const reload = within(banner.closest('[role=status]') as HTMLElement)
  fireEvent.click(reload.getByRole('button', { name: 'Reload' }))
  expect(reloads()).toEqual([`reload ${hidden}`, `reload ${front}`])
  host.change(front as string, { loading: true })
  await waitFor(() => expect(screen.queryByText(/0\.2\.0 is installed/)).toBeNull())
})
