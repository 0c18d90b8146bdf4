// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { expect, test, vi } from 'vitest'
import { CloudError } from '../../../node-runtime/contract/errors.ts'
import { App } from '../../app/app.tsx'
import { createFakeRuntime } from '../../test/fake-runtime.ts'
import type { FakeRuntime } from '../../test/fake-runtime.ts'
import { OTHER_KEY } from '../../test/samples.ts'
import { renderInShell } from '../../test/window.tsx'

async function openSettings(changes: Partial<FakeRuntime['info']>) {
  const fake = createFakeRuntime()
  fake.info = { ...fake.info, ...changes }
  renderInShell(<App />, fake)
  fireEvent.click(screen.getByRole('link', { name: 'Settings' }))
  const section = await screen.findByRole('region', { name: 'This cloud' })
  await within(section).findByText('Who comes in')
  return { fake, section: within(section) }
}

test('what the cloud is called, who comes in, and whose it is', async () => {
  const { fake, section } = await openSettings({
    name: null,
    admission: 'invitation',
    owner: false,
  })
  section.getByText('Not known yet')
  section.getByText('Whom somebody of it invites comes in.')
  section.getByText('Another machine')
  expect(section.queryByRole('button', { name: 'Make a release' })).toBeNull()
  // The first machine that is met has told.
  fake.info = { ...fake.info, name: 'Ours' }
  fake.cloud.set({ ...fake.cloud.value, status: { ...fake.cloud.value.status, machinesKnown: 2 } })
  await section.findByText('Ours')
})

test('the owner makes a release; its file is copied, and never shown', async () => {
  const writeText = vi.fn(async (_text: string) => undefined)
  Object.defineProperty(navigator, 'clipboard', { value: { writeText }, configurable: true })
  try {
    const { fake, section } = await openSettings({ admission: 'release' })
    const put = (name: string, value: string): void =>
      void fireEvent.change(section.getByLabelText(name), { target: { value } })
    const make = section.getByRole<HTMLButtonElement>('button', { name: 'Make a release' })
    expect(make.disabled).toBe(true)
    put('Name of the release', ' 1.2 ')
    put('Days that it holds', '0.5')
    fireEvent.click(make)
    section.getByText('A whole number from 1 to 10000, or nothing.')
    put('Days that it holds', '')
    fireEvent.click(make)
    const dialog = within(await screen.findByRole('dialog', { name: 'The release' }))
    expect(fake.calls).toEqual([['cloud.release', { name: '1.2', expiresMs: null }]])
    expect(dialog.getByLabelText('Key of the release').textContent).toBe(OTHER_KEY)
    fireEvent.click(dialog.getByRole('button', { name: 'Copy the file' }))
    await dialog.findByRole('button', { name: 'Copied' })
    const text = writeText.mock.calls[0]?.[0] ?? ''
    expect(JSON.parse(text)).toMatchObject({ releaseFile: 1, secretKey: 'a'.repeat(128) })
    expect(document.body.textContent).not.toContain('aaaaaaaa')
  } finally {
    Reflect.deleteProperty(navigator, 'clipboard')
  }
})

test('a release is taken back after a yes, and then stands among those', async () => {
  const { fake, section } = await openSettings({ admission: 'release' })
  const field = section.getByLabelText('Key of the release')
  fireEvent.change(field, { target: { value: 'nonsense' } })
  fireEvent.click(section.getByRole('button', { name: 'Take back' }))
  section.getByText('This is not the key of a release. Copy it whole.')
  fireEvent.change(field, { target: { value: OTHER_KEY } })
  fireEvent.click(section.getByRole('button', { name: 'Take back' }))
  const dialog = within(await screen.findByRole('dialog', { name: 'Take this release back?' }))
  expect(fake.calls).toEqual([])
  fake.refusal = new CloudError('NOT_OWNER', 'This machine has no key of the cloud.')
  fireEvent.click(dialog.getByRole('button', { name: 'Take back' }))
  await dialog.findByText('This machine has no key of the cloud.')
  fake.refusal = null
  fireEvent.click(dialog.getByRole('button', { name: 'Take back' }))
  const list = await section.findByRole('list', { name: 'Releases that were taken back' })
  expect(within(list).getAllByRole('listitem')).toHaveLength(1)
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
})
