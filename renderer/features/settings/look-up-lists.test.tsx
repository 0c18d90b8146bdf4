// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import { CloudError } from '../../../node-runtime/contract/errors.ts'
import { App } from '../../app/app.tsx'
import { createFakeRuntime } from '../../test/fake-runtime.ts'
import type { FakeRuntime } from '../../test/fake-runtime.ts'
import { lookUpList } from '../../test/samples.ts'
import { renderInShell } from '../../test/window.tsx'

const URL_OF_LIST = 'https://host.example/list.git'

async function openSettings(fake: FakeRuntime = createFakeRuntime()): Promise<FakeRuntime> {
  renderInShell(<App />, fake)
  fireEvent.click(screen.getByRole('link', { name: 'Settings' }))
  await screen.findByRole('textbox', { name: 'Address of a list' })
  return fake
}

const put = (label: string, value: string): void => {
  fireEvent.change(screen.getByLabelText(label), { target: { value } })
}
const press = (name: string): void => {
  fireEvent.click(screen.getByRole('button', { name }))
}

test('without a list it says what to do; one is added by its address', async () => {
  const fake = await openSettings()
  await screen.findByRole('heading', { name: 'No list yet' })
  press('Add list')
  await screen.findByText('Put in the address of a list first.')
  put('Address of a list', 'nonsense')
  press('Add list')
  await screen.findByText('This is no address.')
  expect(screen.queryByRole('alert')).toBeNull()
  put('Address of a list', ` ${URL_OF_LIST} `)
  press('Add list')
  const lists = await screen.findByRole('list', { name: 'Look-up lists' })
  expect(within(lists).getByRole('listitem').textContent).toContain('3 machines')
  expect(screen.queryByRole('heading', { name: 'No list yet' })).toBeNull()
  expect(fake.calls.at(-1)).toEqual(['cloud.addList', { url: URL_OF_LIST }])
  expect(screen.getByLabelText<HTMLInputElement>('Address of a list').value).toBe('')
})

test('who began the cloud begins a list, with the token that writing there takes', async () => {
  const fake = await openSettings()
  put('Address of a list', URL_OF_LIST)
  fireEvent.click(screen.getByRole('checkbox', { name: /^I have a name and a token/ }))
  put('Name', 'ada')
  put('Password or token', 'hush')
  fireEvent.click(await screen.findByRole('button', { name: 'Begin a new list there' }))
  await screen.findByText('The list was begun, and is kept up to date.')
  const access = { username: 'ada', secret: 'hush' }
  expect(fake.calls).toEqual([['cloud.createList', { url: URL_OF_LIST, access }]])
  expect(screen.getByLabelText<HTMLInputElement>('Password or token').value).toBe('')
  const { status } = fake.cloud.value
  fake.cloud.set({ ...fake.cloud.value, status: { ...status, originated: false } })
  await waitFor(() =>
    expect(screen.queryByRole('button', { name: 'Begin a new list there' })).toBeNull(),
  )
})

test('a list is kept, written now, and removed; what fails is said at it', async () => {
  const fake = createFakeRuntime()
  const lists = [lookUpList(URL_OF_LIST), lookUpList('https://host.example/a/', { kind: 'files' })]
  fake.connection.set({ ...fake.connection.value, lists })
  await openSettings(fake)
  const shown = within(await screen.findByRole('list', { name: 'Look-up lists' }))
  // Files of a web server are written by nobody.
  expect(shown.getAllByRole('switch')).toHaveLength(1)
  fireEvent.click(screen.getByRole('switch', { name: 'Keep it up to date from this machine' }))
  await waitFor(() => expect(shown.getByRole<HTMLInputElement>('switch').checked).toBe(true))
  press(`Write now to ${URL_OF_LIST}`)
  await screen.findByText('The list was written: 3 machines.')
  fake.refusal = new CloudError('LIST_DENIED', 'The server wants a name.')
  press(`Write now to ${URL_OF_LIST}`)
  const alert = await screen.findByRole('alert')
  expect(alert.textContent).toContain('The server wants a name.')
  press(`Remove ${URL_OF_LIST}`)
  await waitFor(() => expect(screen.queryByText(URL_OF_LIST)).toBeNull())
  expect(fake.calls.map(([name]) => name)).toEqual([
    'cloud.addList',
    'cloud.pushList',
    'cloud.pushList',
    'cloud.removeList',
  ])
})
