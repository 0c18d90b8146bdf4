// @vitest-environment jsdom
import { act, fireEvent, screen, waitFor, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import { CloudError } from '../../../node-runtime/contract/errors.ts'
import { App } from '../../app/app.tsx'
import { createFakeRuntime } from '../../test/fake-runtime.ts'
import type { FakeRuntime } from '../../test/fake-runtime.ts'
import { CLOUD_KEY, INVITATION, OTHER_KEY, PHRASE } from '../../test/samples.ts'
import { renderInShell } from '../../test/window.tsx'

const LINK = 'dharma:invite/yb3nd'
const WORDS = 'apple river stone cloud seven'
const LOOKING = { name: 'Looking for the machines of your cloud.' }

const findField = (): Promise<HTMLTextAreaElement> =>
  screen.findByRole<HTMLTextAreaElement>('textbox', { name: 'Link, five words, or key' })
const put = async (value: string): Promise<void> => {
  fireEvent.change(await findField(), { target: { value } })
}
const press = (name: string): void => void fireEvent.click(screen.getByRole('button', { name }))
const findOffer = (): Promise<HTMLElement> =>
  screen.findByRole('region', { name: 'The invitation' })

test('a link shows by itself where it leads, and one click joins', async () => {
  const { fake } = renderInShell(<App />)
  await put(` ${LINK} `)
  const offer = within(await findOffer())
  offer.getByRole('heading', { name: 'Chess club' })
  offer.getByText('Grace invites you')
  offer.getByText('in 2 h')
  expect(fake.asked).toEqual([LINK])
  expect(fake.calls).toEqual([])
  fireEvent.click(offer.getByRole('button', { name: 'Join' }))
  await screen.findByRole('heading', LOOKING)
  expect(fake.calls).toEqual([['cloud.join', { cloud: LINK, expected: INVITATION.cloud }]])
  const field = await findField()
  expect(field.value).toBe('')
  expect(screen.queryByRole('region', { name: 'The invitation' })).toBeNull()
})

test('words are asked about when they are sent, not while they are written', async () => {
  const { fake } = renderInShell(<App />)
  await put(WORDS.toUpperCase().replaceAll(' ', '-'))
  screen.getByRole('button', { name: 'Continue' })
  expect(fake.asked).toEqual([])
  fireEvent.keyDown(await findField(), { key: 'Enter' })
  await findOffer()
  expect(fake.asked).toEqual([WORDS])
  await put(`${WORDS} s`)
  expect(screen.queryByRole('region', { name: 'The invitation' })).toBeNull()
})

test('while the other machine is asked, that is said, and can be given up', async () => {
  const fake = createFakeRuntime()
  fake.offer = new Promise(() => undefined)
  renderInShell(<App />, fake)
  await put(LINK)
  await screen.findByText('Asking the machine that gave the invitation')
  press('Cancel')
  expect(screen.queryByText('Asking the machine that gave the invitation')).toBeNull()
  const field = await findField()
  expect(field.value).toBe('')
  expect(document.activeElement).toBe(field)
})

test('an invitation that does not hold says why; nothing is to be tried again', async () => {
  const fake = createFakeRuntime()
  fake.offer = new CloudError('INVITATION_INVALID', 'This invitation has expired.')
  renderInShell(<App />, fake)
  await put(LINK)
  const alert = await screen.findByRole('alert')
  within(alert).getByText('No way in by this invitation')
  within(alert).getByText('This invitation has expired.')
  expect(within(alert).queryByRole('button', { name: 'Try again' })).toBeNull()
  fireEvent.click(within(alert).getByRole('button', { name: 'Clear' }))
  expect(screen.queryByRole('alert')).toBeNull()
})

test('one that expires while it is looked at says so, and may still be tried', async () => {
  const fake = createFakeRuntime()
  fake.offer = { ...INVITATION, expiresMs: Date.now() - 9_000_000 }
  renderInShell(<App />, fake)
  await put(LINK)
  const offer = within(await findOffer())
  offer.getByText(/^This invitation has expired, by the clock of this computer\./)
  offer.getByText('2 h ago')
  offer.getByRole('button', { name: 'Join' })
})

test('a machine that does not answer can be asked again', async () => {
  const fake = createFakeRuntime()
  fake.offer = new CloudError('PEER_UNREACHABLE', 'The machine does not answer.')
  renderInShell(<App />, fake)
  await put(LINK)
  const alert = await screen.findByRole('alert')
  within(alert).getByText(/ask who invited you to leave that machine on, and try again\./)
  fake.offer = INVITATION
  fireEvent.click(within(alert).getByRole('button', { name: 'Try again' }))
  await findOffer()
  expect(fake.asked).toEqual([LINK, LINK])
})

test('an invitation into the present cloud says so', async () => {
  const fake = createFakeRuntime()
  fake.offer = {
    ...INVITATION,
    cloud: CLOUD_KEY,
    name: '',
    inviter: { ...INVITATION.inviter, name: '' },
  }
  renderInShell(<App />, fake)
  await put(LINK)
  const offer = within(await findOffer())
  offer.getByText(/^This machine is in that cloud already\./)
  offer.getByRole('heading', { name: 'A cloud without a name' })
  offer.getByText('Somebody without a name invites you')
})

/** Refuses, as where the phrase was forgotten. */
function withoutPhrase(): FakeRuntime {
  const fake = createFakeRuntime()
  fake.identity.value = { ...fake.identity.value, phraseKept: false }
  return fake
}

test('where the recovery phrase was forgotten, it is asked for, and used once', async () => {
  const fake = withoutPhrase()
  renderInShell(<App />, fake)
  await put(LINK)
  const offer = within(await findOffer())
  expect(offer.queryByLabelText('Your recovery phrase')).toBeNull()
  fireEvent.click(offer.getByRole('button', { name: 'Join' }))
  const phrase = await offer.findByLabelText('Your recovery phrase')
  expect(screen.queryByRole('alert')).toBeNull()
  fireEvent.change(phrase, { target: { value: 'one two' } })
  fireEvent.click(offer.getByRole('button', { name: 'Join' }))
  await offer.findByText('These are the words of another person.')
  fireEvent.change(phrase, { target: { value: PHRASE.replaceAll(' ', '\n') } })
  fireEvent.click(offer.getByRole('button', { name: 'Join' }))
  await screen.findByRole('heading', LOOKING)
  expect(fake.calls.at(-1)).toEqual([
    'cloud.join',
    { cloud: LINK, expected: INVITATION.cloud, phrase: PHRASE },
  ])
})

test('a link from outside stands first on Home, with where it leads, and has the focus', async () => {
  const { fake, host, shell } = renderInShell(<App />, createFakeRuntime(), undefined, {
    isNew: true,
  })
  await screen.findByRole('heading', { name: 'What would you like to do?' })
  act(() => {
    shell.tabs.go('cloud://settings')
    host.emit({ type: 'openRequested', url: LINK, fromTab: null })
  })
  await findOffer()
  const headings = screen
    .getAllByRole('heading', { level: 2 })
    .map(({ textContent }) => textContent)
  expect(headings[0]).toBe('Join a cloud')
  expect(headings).not.toContain('Join another cloud')
  const field = await findField()
  expect(field.value).toBe(LINK)
  expect(document.activeElement).toBe(field)
  press('Join')
  await screen.findByRole('heading', LOOKING)
  expect(fake.calls).toEqual([['cloud.join', { cloud: LINK, expected: INVITATION.cloud }]])
  expect(screen.queryByRole('heading', { name: 'Join a cloud' })).toBeNull()
  expect(localStorage.getItem('dharma.preferences')).not.toContain('invite')
  expect(sessionStorage.getItem('dharma.tabs') ?? '').not.toContain('invite')
})

test('the address bar takes a link, and keeps it nowhere', async () => {
  renderInShell(<App />)
  const bar = screen.getByRole('combobox', { name: 'Address' })
  fireEvent.change(bar, { target: { value: LINK } })
  fireEvent.keyDown(bar, { key: 'Enter' })
  await findOffer()
  const kept = ['dharma.history', 'dharma.preferences'].map((key) => localStorage.getItem(key))
  expect(kept.join()).not.toContain('yb3nd')
})

const isNew = { isNew: true }
const findQuestion = (): Promise<HTMLElement> =>
  screen.findByRole('region', { name: 'What would you like to do?' })
const noQuestion = (): Promise<void> =>
  waitFor(() =>
    expect(screen.queryByRole('region', { name: 'What would you like to do?' })).toBeNull(),
  )

test('a new folder is asked once: who just browses is not asked again', async () => {
  const fake = createFakeRuntime()
  const first = renderInShell(<App />, fake, undefined, isNew)
  const shown: string[] = []
  const observer = new MutationObserver(() => {
    for (const { textContent } of screen.queryAllByRole('heading', { level: 2 })) {
      shown.push(textContent)
    }
  })
  observer.observe(document.body, { childList: true, subtree: true })
  const question = within(await findQuestion())
  observer.disconnect()
  // Not even for a moment.
  expect(shown).not.toContain('Invite others')
  fireEvent.click(question.getByRole('button', { name: /^Just browse/ }))
  await noQuestion()
  await waitFor(() =>
    expect(document.activeElement).toBe(screen.getByRole('combobox', { name: 'Address' })),
  )
  first.unmount()
  renderInShell(<App />, fake, undefined, isNew)
  // Shown once it is known whether there is a question.
  await screen.findByRole('heading', { name: 'Invite others' })
  await screen.findByText('Install your first system')
  expect(screen.queryByRole('region', { name: 'What would you like to do?' })).toBeNull()
})

test('who wants to join gets the field', async () => {
  renderInShell(<App />, createFakeRuntime(), undefined, isNew)
  fireEvent.click(
    within(await findQuestion()).getByRole('button', { name: /^Join by link or code/ }),
  )
  await noQuestion()
  await screen.findByRole('heading', { name: 'Join a cloud' })
  expect(document.activeElement).toBe(await findField())
})

test('who starts a cloud says who may come in; given up, the question is still there', async () => {
  const { fake } = renderInShell(<App />, createFakeRuntime(), undefined, isNew)
  const start = async (): Promise<HTMLElement> => {
    fireEvent.click(within(await findQuestion()).getByRole('button', { name: /^Start a cloud/ }))
    return screen.findByRole('dialog', { name: 'Start a cloud' })
  }
  fireEvent.click(within(await start()).getByRole('button', { name: 'Cancel' }))
  const dialog = within(await start())
  fireEvent.change(dialog.getByRole('textbox', { name: 'Name' }), { target: { value: ' Ours ' } })
  expect(dialog.getByRole<HTMLInputElement>('radio', { name: /^Open/ }).checked).toBe(true)
  fireEvent.click(dialog.getByRole('radio', { name: /^By invitation/ }))
  fireEvent.click(dialog.getByRole('button', { name: 'Start' }))
  await noQuestion()
  expect(fake.calls).toEqual([['cloud.create', { name: 'Ours', admission: 'invitation' }]])
  await screen.findByText('The cloud has begun, and this machine is in it. Invite others.')
})

test('nobody is asked who has systems, other machines, or was in another cloud', async () => {
  const fake = createFakeRuntime()
  fake.earlier = [{ cloud: OTHER_KEY, originated: false }]
  renderInShell(<App />, fake, undefined, isNew)
  await screen.findByRole('heading', { name: 'Earlier clouds' })
  await noQuestion()
})
