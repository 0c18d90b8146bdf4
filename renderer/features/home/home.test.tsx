// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import { App } from '../../app/app.tsx'
import { CLOUD_KEY, OTHER_KEY } from '../../test/fake-runtime.ts'
import { renderInShell } from '../../test/window.tsx'

async function fillKey(key: string): Promise<void> {
  fireEvent.change(await screen.findByRole('textbox', { name: 'Cloud key' }), {
    target: { value: key },
  })
  fireEvent.click(screen.getByRole('button', { name: 'Join cloud' }))
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

test('a key that is none is refused in words, and nothing changes', async () => {
  renderInShell(<App />)
  await fillKey('not-a-key')
  const dialog = await screen.findByRole('dialog', { name: 'Join this cloud?' })
  fireEvent.click(within(dialog).getByRole('button', { name: 'Join' }))
  const alert = await within(dialog).findByRole('alert')
  expect(alert.textContent).toContain('CLOUD_KEY_INVALID')
  screen.getByRole('heading', { level: 1, name: 'This machine started a new cloud.' })
})

test('the own cloud and an empty field are told without asking', async () => {
  renderInShell(<App />)
  await fillKey(CLOUD_KEY)
  screen.getByText('This machine is in that cloud already.')
  await fillKey('')
  screen.getByText('Paste the key of a cloud first.')
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
