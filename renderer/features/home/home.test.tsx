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
