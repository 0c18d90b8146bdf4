// @vitest-environment jsdom
import { fireEvent, screen, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import { createFakeRuntime } from '../../test/fake-runtime.ts'
import { lookUpList } from '../../test/samples.ts'
import { App } from '../../app/app.tsx'
import { renderInShell } from '../../test/window.tsx'

test('each way is shown, with what came of it and how long it took', async () => {
  const fake = createFakeRuntime()
  renderInShell(<App />, fake)
  fireEvent.click(screen.getByRole('link', { name: 'Connection' }))
  await screen.findByRole('heading', { level: 1, name: 'Connection' })
  await screen.findByText(
    'This machine began its cloud, and is alone in it. It works as the whole cloud, and goes on looking for others.',
  )
  expect(
    screen.getAllByRole('heading', { level: 3 }).map(({ textContent }) => textContent),
  ).toEqual(['From memory', 'Local network', 'Lists', 'DHT'])
  screen.getByText('No node of the DHT answered.')
  screen.getByText(/in 1.5 s/)
  screen.getByText('NO_NODE')
  const wayOf = (title: string): string =>
    screen.getByRole('heading', { level: 3, name: title }).closest('li')!.textContent
  expect(wayOf('DHT')).toContain('Failed in 1.5 s')
  expect(wayOf('Lists')).toMatch(/Off$/)
  screen.getByText('The router does not answer.')
  fake.connection.set({
    ...fake.connection.value,
    state: 'joined',
    links: { direct: 2, relayed: 1 },
  })
  await screen.findByText('This machine is linked with others of its cloud.')
  screen.getByText(/^2 direct, 1 through .* no direct way has come yet/)
  fake.connection.set({ ...fake.connection.value, nat: 'symmetric' })
  await screen.findByText(/router gives each of the others another port/)
  const clock = { state: 'behind' as const, skewMs: -90_000, machines: 3, tickSkewMs: null }
  const message = 'The clock of this computer is 2 min behind. Set it.'
  fake.connection.set({ ...fake.connection.value, clock: { ...clock, message } })
  const fact = await screen.findByText(message)
  expect(fact.className).toBe('fact-wrong')
  fake.connection.set({ ...fake.connection.value, relaying: 2, addresses: ['192.0.2.7:4000'] })
  await screen.findByText(/may go through this machine; 2 do now\.$/)
  screen.getByText('192.0.2.7:4000')
  const ways = fake.connection.value.ways.map((way) => ({ ...way, state: 'waiting' as const }))
  fake.connection.set({ ...fake.connection.value, ways })
  await screen.findByText('Add a list')
  expect(wayOf('Lists')).toMatch(/None$/)
})

test('all of it is there for programs, and is copied as a whole', async () => {
  const fake = createFakeRuntime()
  const copied: string[] = []
  Object.defineProperty(navigator, 'clipboard', {
    configurable: true,
    value: { writeText: async (text: string) => void copied.push(text) },
  })
  renderInShell(<App />, fake)
  fireEvent.click(screen.getByRole('link', { name: 'Connection' }))
  const text = await screen.findByText('All of this for somebody who helps')
  const details = within(text.closest('details')!)
  fireEvent.click(details.getByText('Copy it'))
  await details.findByText('Copied')
  expect(copied.map((each) => JSON.parse(each) as unknown)).toEqual([fake.connection.value])
})

test('who is not let in is told why, and what to do', async () => {
  const fake = createFakeRuntime()
  renderInShell(<App />, fake)
  fireEvent.click(screen.getByRole('link', { name: 'Connection' }))
  await screen.findByRole('heading', { level: 1, name: 'Connection' })
  expect(screen.queryByRole('alert')).toBeNull()
  const admission = {
    kind: 'invitation',
    state: 'missing',
    fault: 'INVITATION_MISSING',
    hearsay: false,
    message: 'This cloud is by invitation.',
  } as const
  fake.connection.set({ ...fake.connection.value, admission })
  const alert = await screen.findByRole('alert')
  within(alert).getByText('This cloud is by invitation.')
  fireEvent.click(within(alert).getByRole('button', { name: 'Join with an invitation' }))
  await screen.findByRole('heading', { level: 2, name: 'Join a cloud' })
})

test('what one machine alone says of it is shown as its word, and leads nowhere', async () => {
  const fake = createFakeRuntime()
  renderInShell(<App />, fake)
  fireEvent.click(screen.getByRole('link', { name: 'Connection' }))
  await screen.findByRole('heading', { level: 1, name: 'Connection' })
  const admission = {
    kind: 'invitation',
    state: 'refused',
    fault: 'INVITATION_INVALID',
    hearsay: true,
    message: 'One machine turned this one away.',
  } as const
  fake.connection.set({ ...fake.connection.value, admission })
  const note = await screen.findByRole('note', { name: 'Said by one machine' })
  within(note).getByText('One machine turned this one away.')
  expect(within(note).queryByRole('button')).toBeNull()
  expect(screen.queryByRole('alert')).toBeNull()
})

test('lists are shown with how fresh they are, and with what failed', async () => {
  const fake = createFakeRuntime()
  renderInShell(<App />, fake)
  fireEvent.click(screen.getByRole('link', { name: 'Connection' }))
  await screen.findByRole('heading', { level: 1, name: 'Connection' })
  expect(screen.queryByRole('heading', { name: 'Look-up lists' })).toBeNull()
  const lists = [
    lookUpList('https://host.example/list.git'),
    lookUpList('file:///srv/list', {
      state: 'failed',
      readMs: null,
      entries: 0,
      newestMs: null,
      newestAgeMs: null,
      message: 'The list that lies there is of another cloud.',
    }),
  ]
  fake.connection.set({ ...fake.connection.value, lists })
  await screen.findByRole('heading', { name: 'Look-up lists' })
  const [first, second] = lists.map(({ url }) => screen.getByText(url).closest('li')!)
  expect(first?.textContent).toContain('3 machines, the newest signed 2 h ago. Read 1 min ago.')
  expect(second?.textContent).not.toContain('machines')
  within(second!).getByText('The list that lies there is of another cloud.')
})
