// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import { App } from '../../app/app.tsx'
import { PHRASE } from '../../test/fake-runtime.ts'
import { renderInShell } from '../../test/window.tsx'

async function renderSettings() {
  const view = renderInShell(<App />)
  fireEvent.click(screen.getByRole('link', { name: 'Settings' }))
  await screen.findByRole('textbox', { name: 'Your name' })
  return view
}

test('the recovery phrase is hidden until asked for, and gone when hidden again', async () => {
  await renderSettings()
  expect(screen.queryByText('word1')).toBeNull()
  fireEvent.click(screen.getByRole('button', { name: 'Show the recovery phrase' }))
  const words = await screen.findByRole('list', { name: 'Recovery phrase' })
  expect(within(words).getAllByRole('listitem')).toHaveLength(24)
  fireEvent.click(screen.getByRole('button', { name: 'Hide' }))
  expect(screen.queryByText('word1')).toBeNull()
})

test('names are saved by the runtime and shown as it has them', async () => {
  const { fake } = await renderSettings()
  fireEvent.change(screen.getByRole('textbox', { name: 'Your name' }), {
    target: { value: ' Grace ' },
  })
  fireEvent.click(screen.getByRole('button', { name: 'Save your name' }))
  await waitFor(() =>
    expect(screen.getByRole<HTMLInputElement>('textbox', { name: 'Your name' }).value).toBe(
      'Grace',
    ),
  )
  fireEvent.change(screen.getByRole('textbox', { name: 'Name of this machine' }), {
    target: { value: 'Attic' },
  })
  fireEvent.click(screen.getByRole('button', { name: 'Save name of this machine' }))
  await waitFor(() =>
    expect(fake.calls).toEqual([
      ['identity.rename', { name: 'Grace' }],
      ['cloud.renameMachine', { name: 'Attic' }],
    ]),
  )
})

test('restoring asks first; a wrong phrase is refused in words', async () => {
  const { fake } = await renderSettings()
  const restore = async (phrase: string): Promise<HTMLElement> => {
    fireEvent.change(screen.getByRole('textbox', { name: 'Recovery phrase to restore' }), {
      target: { value: phrase },
    })
    fireEvent.click(screen.getByRole('button', { name: 'Restore' }))
    const dialog = await screen.findByRole('dialog')
    fireEvent.click(within(dialog).getByRole('button', { name: 'Restore' }))
    return dialog
  }
  const dialog = await restore('one two three')
  expect((await within(dialog).findByRole('alert')).textContent).toContain('24 words')
  fireEvent.click(within(dialog).getByRole('button', { name: 'Cancel' }))

  await restore(PHRASE.toUpperCase().replaceAll(' ', '\n'))
  await screen.findByText('This machine now belongs to the person of that phrase.')
  expect(fake.calls.at(-1)).toEqual(['identity.restore', { phrase: PHRASE }])
})

test('a name that was changed elsewhere, as by the command line, is shown', async () => {
  const { fake } = await renderSettings()
  fake.identity.set({ ...fake.identity.value, name: 'Grace' })
  await waitFor(() =>
    expect(screen.getByRole<HTMLInputElement>('textbox', { name: 'Your name' }).value).toBe(
      'Grace',
    ),
  )
})
