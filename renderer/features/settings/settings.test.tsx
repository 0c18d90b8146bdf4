// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import { App } from '../../app/app.tsx'
import { OTHER_KEY, PHRASE } from '../../test/fake-runtime.ts'
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

test('a phrase that is none is refused at its field; another one asks first, with whose it is', async () => {
  const { fake } = await renderSettings()
  const restore = (phrase: string): void => {
    fireEvent.change(screen.getByRole('textbox', { name: 'Recovery phrase to restore' }), {
      target: { value: phrase },
    })
    fireEvent.click(screen.getByRole('button', { name: 'Restore' }))
  }
  restore('one two three')
  await screen.findByText('A recovery phrase has 24 words; this has 3.')
  expect(screen.queryByRole('dialog')).toBeNull()
  expect(screen.queryByRole('alert')).toBeNull()

  restore(PHRASE.toUpperCase().replaceAll(' ', '\n'))
  const dialog = await screen.findByRole('dialog', { name: 'Become the person of this phrase?' })
  expect(within(dialog).getByLabelText('Key of that person').textContent).toBe(OTHER_KEY)
  expect(fake.calls).toEqual([])
  fireEvent.click(within(dialog).getByRole('button', { name: 'Restore' }))
  await screen.findByText('This machine now belongs to the person of that phrase.')
  expect(fake.calls).toEqual([['identity.restore', { phrase: PHRASE }]])
})

test('the own phrase changes nothing, and asks nothing', async () => {
  const { fake } = await renderSettings()
  fake.identity.set({ ...fake.identity.value, person: OTHER_KEY, name: 'Grace' })
  await screen.findByDisplayValue('Grace')
  fireEvent.change(screen.getByRole('textbox', { name: 'Recovery phrase to restore' }), {
    target: { value: PHRASE },
  })
  fireEvent.click(screen.getByRole('button', { name: 'Restore' }))
  await screen.findByText('This machine belongs to that person already.')
  expect(screen.queryByRole('dialog')).toBeNull()
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
