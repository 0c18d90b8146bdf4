// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { describe, expect, test } from 'vitest'
import { App } from '../../app/app.tsx'
import { createFakeRuntime } from '../../test/fake-runtime.ts'
import { machine, OTHER_KEY, PHRASE } from '../../test/samples.ts'
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

test('the router is asked for a port until that is switched off, and it is said what came of it', async () => {
  const { fake } = await renderSettings()
  const toggle = await screen.findByRole<HTMLInputElement>('switch', {
    name: 'Ask the router for a port',
  })
  expect(toggle.checked).toBe(true)
  screen.getByText('The router does not answer.')
  fireEvent.click(toggle)
  await waitFor(() => expect(toggle.checked).toBe(false))
  expect(fake.calls).toEqual([['cloud.setPortMapping', { on: false }]])
})

test('who invited whom is shown once the person says so, and not before', async () => {
  const { fake } = await renderSettings()
  const toggle = await screen.findByRole<HTMLInputElement>('switch', {
    name: 'Show who invited me, and whom I invited',
  })
  expect(toggle.checked).toBe(false)
  fireEvent.click(toggle)
  await waitFor(() => expect(toggle.checked).toBe(true))
  expect(fake.calls).toEqual([['cloud.showInvitations', { on: true }]])
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
  // What is lost is named, and goes only with a yes to that: Enter, or a click too many, is none.
  const { name, person } = fake.identity.value
  within(dialog).getByText(new RegExp(`${name}.*${person.slice(0, 6)}…`))
  const button = within(dialog).getByRole<HTMLButtonElement>('button', { name: 'Restore' })
  expect(button.disabled).toBe(true)
  const yes = within(dialog).getByRole('checkbox', { name: new RegExp(`^The phrase of ${name}`) })
  fireEvent.click(yes)
  expect(button.disabled).toBe(false)
  // Whoever goes back has said nothing.
  fireEvent.click(within(dialog).getByRole('button', { name: 'Cancel' }))
  fireEvent.click(screen.getByRole('button', { name: 'Restore' }))
  const again = within(await screen.findByRole('dialog'))
  expect(again.getByRole<HTMLButtonElement>('button', { name: 'Restore' }).disabled).toBe(true)
  fireEvent.click(again.getByRole('checkbox'))
  fireEvent.click(again.getByRole('button', { name: 'Restore' }))
  await screen.findByText('This machine now belongs to the person of that phrase.')
  expect(fake.calls).toEqual([['identity.restore', { phrase: PHRASE, forgetPhrase: true }]])
})

test('where the present phrase is not kept, none is lost: one yes is enough', async () => {
  const { fake } = await renderSettings()
  fake.identity.set({ ...fake.identity.value, phraseKept: false })
  await screen.findByText(/is not on this machine any more/)
  fireEvent.change(screen.getByRole('textbox', { name: 'Recovery phrase to restore' }), {
    target: { value: PHRASE },
  })
  fireEvent.click(screen.getByRole('button', { name: 'Restore' }))
  const dialog = within(await screen.findByRole('dialog'))
  expect(dialog.queryByRole('checkbox')).toBeNull()
  fireEvent.click(dialog.getByRole('button', { name: 'Restore' }))
  await screen.findByText('This machine now belongs to the person of that phrase.')
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

test('the phrase is deleted from the machine for its own words, and is asked for from then on', async () => {
  const { fake } = await renderSettings()
  fireEvent.click(screen.getByRole('button', { name: 'Show the recovery phrase' }))
  const field = await screen.findByRole('textbox', { name: 'I have written it down' })
  const forget = screen.getByRole('button', { name: 'Delete it from this machine' })
  fireEvent.change(field, { target: { value: 'other words' } })
  fireEvent.click(forget)
  await screen.findByText('These are the words of another person.')
  fireEvent.change(field, { target: { value: PHRASE } })
  fireEvent.click(forget)
  await screen.findByText(/^Your recovery phrase is not on this machine any more/)
  expect(fake.calls.map(([, input]) => input)).toEqual([
    { phrase: 'other words' },
    { phrase: PHRASE },
  ])
  expect(screen.queryByRole('button', { name: 'Show the recovery phrase' })).toBeNull()
})

describe('a machine of the person', () => {
  const PHONE = `${OTHER_KEY.slice(0, 51)}y`

  /** Settings of a person with a phone, which may be revoked. */
  async function renderMachines({ phraseKept = true, revoked = false } = {}) {
    const fake = createFakeRuntime()
    // The phrase of these tests is that person's.
    fake.identity.set({ ...fake.identity.value, person: OTHER_KEY, phraseKept })
    const own = { person: OTHER_KEY }
    fake.cloud.set({
      status: fake.cloud.value.status,
      machines: [
        machine({ ...own, self: true }),
        machine({ ...own, machine: PHONE, name: 'Phone', online: false, revoked }),
        machine({ machine: OTHER_KEY, name: 'Of another' }),
      ],
    })
    const view = renderInShell(<App />, fake)
    fireEvent.click(screen.getByRole('link', { name: 'Settings' }))
    await screen.findByRole('list', { name: 'Your machines' })
    return { ...view, fake }
  }
  const fill = (name: string, value: string): void => {
    fireEvent.change(screen.getByRole('textbox', { name }), { target: { value } })
  }

  test('is revoked after a question, with what is to stay', async () => {
    const { fake } = await renderMachines()
    expect(screen.queryByText('Of another')).toBeNull()
    fireEvent.click(screen.getByRole('button', { name: 'Revoke: Phone' }))
    const dialog = await screen.findByRole('dialog', { name: 'Revoke Phone?' })
    expect(within(dialog).queryByRole('textbox')).toBeNull()
    fireEvent.click(within(dialog).getByRole('radio', { name: 'Nothing that it wrote stays' }))
    fireEvent.click(within(dialog).getByRole('button', { name: 'Revoke' }))
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    expect(fake.calls).toEqual([['identity.revoke', { machine: PHONE, keepUntilMs: null }]])
  })

  test('is revoked until a time with the phrase, where it is not kept', async () => {
    const { fake } = await renderMachines({ phraseKept: false })
    fireEvent.click(screen.getByRole('button', { name: 'Revoke: Phone' }))
    const dialog = await screen.findByRole('dialog', { name: 'Revoke Phone?' })
    const revoke = within(dialog).getByRole<HTMLButtonElement>('button', { name: 'Revoke' })
    fireEvent.click(within(dialog).getByRole('radio', { name: /until a time/ }))
    fill('Your recovery phrase', 'one two three')
    expect(revoke.disabled).toBe(true)
    fireEvent.change(within(dialog).getByLabelText('Until'), {
      target: { value: '2026-01-02T03:04' },
    })
    fireEvent.click(revoke)
    await within(dialog).findByText('A recovery phrase has 24 words; this has 3.')
    expect(fake.calls).toEqual([])
    fill('Your recovery phrase', PHRASE)
    fireEvent.click(revoke)
    await waitFor(() => expect(fake.calls).toHaveLength(1))
    const keepUntilMs = new Date('2026-01-02T03:04').getTime()
    expect(fake.calls).toEqual([
      ['identity.revoke', { machine: PHONE, keepUntilMs, phrase: PHRASE }],
    ])
  })

  test('that was revoked is attested anew, with a text that it takes', async () => {
    const { fake } = await renderMachines({ revoked: true })
    fireEvent.click(screen.getByRole('button', { name: 'Attest anew: Phone' }))
    const dialog = await screen.findByRole('dialog', { name: 'Attest this machine?' })
    fireEvent.click(within(dialog).getByRole('button', { name: 'Attest' }))
    const text = await within(dialog).findByRole<HTMLTextAreaElement>('textbox', {
      name: 'Attestation',
    })
    expect(text.value).toBe('eyJh')
    expect(fake.calls).toEqual([['identity.attest', { machine: PHONE }]])
  })

  test('is one more by its key, and takes what was attested for it', async () => {
    const { fake } = await renderMachines({ phraseKept: false })
    fill('One more machine of yours', 'kitchen')
    fireEvent.click(screen.getByRole('button', { name: 'Attest' }))
    await screen.findByText(/^This is not the key of a machine/)
    fill('One more machine of yours', ` ${PHONE} `)
    fireEvent.click(screen.getByRole('button', { name: 'Attest' }))
    const dialog = await screen.findByRole('dialog', { name: 'Attest this machine?' })
    fill('Your recovery phrase', PHRASE)
    fireEvent.click(within(dialog).getByRole('button', { name: 'Attest' }))
    await within(dialog).findByRole('textbox', { name: 'Attestation' })
    const [close] = within(dialog).getAllByRole('button', { name: 'Close' })
    fireEvent.click(close as HTMLElement)

    fill('This machine was attested', '{"no": 1}')
    fireEvent.click(screen.getByRole('button', { name: 'Take it' }))
    await screen.findByText('This is not an attestation. Copy all of it.')
    fill('This machine was attested', 'eyJh')
    fireEvent.click(screen.getByRole('button', { name: 'Take it' }))
    const question = await screen.findByRole('dialog', {
      name: 'Become a machine of that person?',
    })
    fireEvent.click(within(question).getByRole('button', { name: 'Take it' }))
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    expect(fake.calls).toEqual([
      ['identity.attest', { machine: PHONE, phrase: PHRASE }],
      ['identity.accept', { text: 'eyJh', forgetPhrase: false }],
    ])
  })

  test('becomes another person’s only when they say that its phrase may go', async () => {
    const { fake } = await renderMachines()
    fill('This machine was attested', 'dharma person accept eyJh')
    fireEvent.click(screen.getByRole('button', { name: 'Take it' }))
    const question = await screen.findByRole('dialog', { name: 'Become a machine of that person?' })
    const take = within(question).getByRole<HTMLButtonElement>('button', { name: 'Take it' })
    fireEvent.click(take)
    await within(question).findByText('The recovery phrase would be deleted.')
    expect(take.disabled).toBe(true)
    fireEvent.click(within(question).getByRole('checkbox', { name: /^The phrase of Ada may/ }))
    fireEvent.click(take)
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    const text = 'dharma person accept eyJh'
    expect(fake.calls).toEqual([
      ['identity.accept', { text, forgetPhrase: false }],
      ['identity.accept', { text, forgetPhrase: true }],
    ])
  })
})
