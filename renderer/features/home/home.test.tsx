// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import { App } from '../../app/app.tsx'
import { createFakeRuntime } from '../../test/fake-runtime.ts'
import { CLOUD_KEY, OTHER_KEY, PHRASE } from '../../test/samples.ts'
import { renderInShell } from '../../test/window.tsx'

async function fillKey(key: string): Promise<void> {
  fireEvent.change(await screen.findByRole('textbox', { name: 'Link, five words, or key' }), {
    target: { value: key },
  })
  fireEvent.click(screen.getByRole('button', { name: 'Continue' }))
}

test('joining another cloud asks first, and then Home says what it does', async () => {
  const { fake } = renderInShell(<App />)
  await fillKey(` ${OTHER_KEY} `)
  expect(fake.calls).toEqual([])
  const dialog = await screen.findByRole('dialog', { name: 'Join this cloud?' })
  fireEvent.click(within(dialog).getByRole('button', { name: 'Join' }))
  await screen.findByRole('heading', { name: 'Looking for the machines of your cloud.' })
  expect(fake.calls).toEqual([['cloud.join', { cloud: OTHER_KEY }]])
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
})

test.each([
  ['hello world', 'The code of an invitation has 5 words; this has 2.'],
  [
    'hello!',
    'A link begins with dharma:invite/, a code has 5 words, and a key has 52 letters and digits. This is none of them.',
  ],
  [`${OTHER_KEY}n`, 'A cloud key has 52 letters and digits; this has 53. Copy it whole.'],
  [OTHER_KEY.slice(1), 'A cloud key has 52 letters and digits; this has 51. Copy it whole.'],
])('%s is refused at its field, before anything is asked', async (key, words) => {
  const { fake } = renderInShell(<App />)
  await fillKey(key)
  screen.getByText(words)
  expect(screen.queryByRole('dialog')).toBeNull()
  expect(fake.calls).toEqual([])
})

test('the question shows all of the key and its picture, as Home does, so that they can be compared', async () => {
  renderInShell(<App />)
  // Pasted as Home shows it, in groups.
  await fillKey((OTHER_KEY.match(/.{1,4}/g) ?? []).join(' '))
  const dialog = await screen.findByRole('dialog', { name: 'Join this cloud?' })
  const key = within(dialog).getByLabelText('Cloud key to join')
  expect(key.textContent).toBe(OTHER_KEY)
  expect(key.querySelectorAll('span')).toHaveLength(13)
  expect(key.parentElement?.querySelector('.key-picture')).not.toBeNull()
  const own = await screen.findByLabelText('Cloud key of this cloud')
  expect(own.textContent).toBe(CLOUD_KEY)
})

test('a machine without the recovery phrase asks for it to join, and for once', async () => {
  const fake = createFakeRuntime()
  fake.identity.set({ ...fake.identity.value, phraseKept: false })
  renderInShell(<App />, fake)
  await fillKey(OTHER_KEY)
  const dialog = await screen.findByRole('dialog', { name: 'Join this cloud?' })
  const join = within(dialog).getByRole('button', { name: 'Join' })
  expect(within(dialog).queryByRole('textbox')).toBeNull()
  fireEvent.click(join)
  const field = await within(dialog).findByRole('textbox', { name: 'Your recovery phrase' })
  fireEvent.change(field, { target: { value: PHRASE } })
  fireEvent.click(join)
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  expect(fake.calls).toEqual([
    ['cloud.join', { cloud: OTHER_KEY }],
    ['cloud.join', { cloud: OTHER_KEY, phrase: PHRASE }],
  ])
})

test('Enter in the field of the key asks, since a key has one line', async () => {
  renderInShell(<App />)
  const field = await screen.findByRole('textbox', { name: 'Link, five words, or key' })
  fireEvent.change(field, { target: { value: OTHER_KEY } })
  fireEvent.keyDown(field, { key: 'Enter' })
  await screen.findByRole('dialog', { name: 'Join this cloud?' })
})

test('Home says once how many machines there are, beside the state of the cloud', async () => {
  const { fake } = renderInShell(<App />)
  const show = (machinesKnown: number, machinesOnline: number): void =>
    fake.cloud.set({
      ...fake.cloud.value,
      status: { ...fake.cloud.value.status, state: 'joined', machinesKnown, machinesOnline },
    })
  show(4, 4)
  await screen.findByRole('heading', { level: 1, name: 'You are in a cloud of 4 machines.' })
  screen.getByText(/^All of them are online\./)
  expect(screen.getByRole('main').textContent?.match(/4/g)).toHaveLength(1)
  show(4, 3)
  await screen.findByText(/^3 of them are online\./)
  show(2, 2)
  await screen.findByText(/^Both are online\./)
})

test('the own cloud and an empty field are told without asking', async () => {
  renderInShell(<App />)
  await fillKey(CLOUD_KEY)
  screen.getByText('This machine is in that cloud already.')
  await fillKey('')
  screen.getByText('Paste a link, a key or five words first.')
  expect(screen.queryByRole('dialog')).toBeNull()
})

test('from a cloud where nobody answers, there is a way back to the earlier one', async () => {
  const { fake } = renderInShell(<App />)
  await fillKey(OTHER_KEY)
  const join = await screen.findByRole('dialog', { name: 'Join this cloud?' })
  fireEvent.click(within(join).getByRole('button', { name: 'Join' }))
  await screen.findByText(/A mistyped key looks just like an empty cloud/)
  const earlier = await screen.findByRole('region', { name: 'Earlier clouds' })
  within(earlier).getByText('Started by this machine')
  fireEvent.click(within(earlier).getByRole('button', { name: /^Go back to/ }))
  const back = await screen.findByRole('dialog', { name: 'Go back to this cloud?' })
  fireEvent.click(within(back).getByRole('button', { name: 'Go back' }))
  await waitFor(() => expect(fake.calls.at(-1)).toEqual(['cloud.join', { cloud: CLOUD_KEY }]))
})

test('what the machine has to say of itself stands on Home, in its words', async () => {
  const { fake } = renderInShell(<App />)
  await screen.findByRole('heading', { level: 1, name: 'This machine started a new cloud.' })
  expect(screen.queryByRole('list', { name: 'About this machine' })).toBeNull()
  const message = 'This data folder is a copy of another one.'
  fake.cloud.set({
    ...fake.cloud.value,
    status: { ...fake.cloud.value.status, notices: [{ code: 'FOLDER_COPIED', message }] },
  })
  const list = await screen.findByRole('list', { name: 'About this machine' })
  expect(list.textContent).toBe(message)
})
