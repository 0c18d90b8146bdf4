// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { describe, expect, test } from 'vitest'
import { CloudError } from '../../../node-runtime/contract/errors.ts'
import type { SystemPreview } from '../../../node-runtime/contract/systems.ts'
import { App } from '../../app/app.tsx'
import { createFakeRuntime } from '../../test/fake-runtime.ts'
import {
  COMMIT,
  OTHER_KEY,
  PERSON_KEY,
  PREVIEW,
  REPOSITORY,
  installedFrom,
} from '../../test/samples.ts'
import { openTestPort, renderInShell } from '../../test/window.tsx'
import type { TestWindow } from '../../test/window.tsx'

async function openPrompt(
  fake = createFakeRuntime(),
): Promise<TestWindow & { prompt: HTMLElement }> {
  const view = renderInShell(<App />, fake)
  fireEvent.click(screen.getByRole('link', { name: 'Systems' }))
  fireEvent.change(await screen.findByRole('textbox', { name: 'Repository address' }), {
    target: { value: REPOSITORY },
  })
  fireEvent.click(screen.getByRole('button', { name: 'Preview' }))
  return { ...view, prompt: await screen.findByRole('dialog', { name: 'Install a system' }) }
}

test('preview, permissions, install, open', async () => {
  const { prompt, fake, host } = await openPrompt()
  await within(prompt).findByRole('heading', { name: 'Event Games' })
  within(prompt).getByText('Ada Byron <ada@example.org>')
  within(prompt).getByRole('button', { name: `Copy commit ${COMMIT.slice(0, 10)}` })
  const sessions = within(prompt).getByRole('checkbox', { name: 'Play and watch sessions' })
  expect((sessions as HTMLInputElement).checked).toBe(true)
  fireEvent.click(sessions)

  const install = within(prompt).getByRole<HTMLButtonElement>('button', { name: 'Install' })
  await waitFor(() => expect(install.disabled).toBe(false))
  fireEvent.click(install)
  const done = await screen.findByRole('dialog', { name: 'Event Games is installed' })
  expect(fake.calls).toEqual([
    ['systems.install', { url: REPOSITORY, commit: COMMIT, grant: ['db'] }],
  ])
  fireEvent.click(within(done).getByRole('button', { name: 'Open' }))
  await waitFor(() => expect(host.asked.join()).toContain(`cloud://${PREVIEW.key}/`))
  expect(screen.queryByRole('dialog')).toBeNull()
})

test('another author’s system with the same id is said to be a second one, not an update', async () => {
  const fake = createFakeRuntime()
  const { id, name, version, author } = PREVIEW
  const url = 'https://example.org/first.git'
  const own = { id, key: OTHER_KEY, publisher: null, host: id, name, version, url, author }
  const first = { ...own, sameAddress: false, continued: false }
  fake.preview = { ...PREVIEW, host: `${id}--sy`, namesakes: [first] }
  const { prompt } = await openPrompt(fake)
  await within(prompt).findByText(
    `Another system with the name ${id} from another author is installed: ${name}, from ${url}. This one will be a second system beside it, and gets none of its data and permissions. Its address will be cloud://${id}--sy/; the name ${id} alone will mean neither of the two any more.`,
  )
  within(prompt).getByRole('button', { name: 'Install' })
  within(prompt).getByText('By nobody: it is known by its address alone')
})

test('where two keys claim to be the publisher’s, the person can believe the other one', async () => {
  const fake = createFakeRuntime()
  fake.preview = new CloudError('SYSTEM_KEYS_FORKED', 'Somebody has stolen that key.', {
    publisher: PERSON_KEY,
    knownSuccessor: OTHER_KEY,
    otherSuccessor: PREVIEW.key,
  })
  const { prompt } = await openPrompt(fake)
  await within(prompt).findByText('Two keys claim to be the publisher’s')
  const textOf = (label: string): string | null => within(prompt).getByLabelText(label).textContent
  expect(textOf('Key that is believed here')).toBe(OTHER_KEY)
  expect(textOf('Key in this repository')).toBe(PREVIEW.key)
  const forget = within(prompt).getByRole<HTMLButtonElement>('button', {
    name: 'Forget the other key, and look again',
  })
  expect(forget.disabled).toBe(true)
  fireEvent.click(within(prompt).getByRole('checkbox', { name: /^I have asked the publisher/ }))
  fireEvent.click(forget)
  await within(prompt).findByRole('heading', { name: 'Event Games' })
  expect(fake.calls).toEqual([['systems.forgetPublisher', { publisher: PERSON_KEY }]])
})

describe('a system that is signed, where an unsigned copy from its address is installed', () => {
  const { id, name, version, author, url } = PREVIEW
  const copy = { id, key: OTHER_KEY, publisher: null, host: id, name, version, url, author }
  const signed = { ...PREVIEW, publisher: PERSON_KEY, host: `${id}--sy` }
  const label = 'Remove the unsigned one once this is installed'

  async function openWith(
    namesake: Partial<SystemPreview['namesakes'][number]>,
    preview: SystemPreview = signed,
  ) {
    const fake = createFakeRuntime()
    fake.systems.set({ systems: [installedFrom({ ...PREVIEW, key: OTHER_KEY }, [])] })
    const found = { ...copy, sameAddress: true, continued: false, ...namesake }
    fake.preview = { ...preview, namesakes: [found] }
    const { prompt } = await openPrompt(fake)
    await within(prompt).findByRole('heading', { name: 'Event Games' })
    const install = within(prompt).getByRole<HTMLButtonElement>('button', { name: 'Install' })
    await waitFor(() => expect(install.disabled).toBe(false))
    return { fake, prompt, install }
  }

  test('says why there will be two, and how the author can bring the records over', async () => {
    const { fake, prompt, install } = await openWith({})
    within(prompt).getByText(
      `The ${name} that you have from this address is not signed; this one is. That makes two systems of them. This one will be a second system beside it, and gets none of its data and permissions. Its address will be cloud://${id}--sy/; the name ${id} alone will mean neither of the two any more.`,
    )
    within(prompt).getByText(/^Records of the unsigned one stay under it\./)
    within(prompt).getByRole('button', { name: /^Copy key of the unsigned one/ })
    expect(within(prompt).queryByText(/another author/)).toBeNull()
    fireEvent.click(install)
    await screen.findByRole('dialog', { name: 'Event Games is installed' })
    expect(fake.calls.map(([call]) => call)).toEqual(['systems.install'])
  })

  test('removes that one afterwards, if the person wants it', async () => {
    const { fake, prompt, install } = await openWith({})
    fireEvent.click(within(prompt).getByRole('checkbox', { name: label }))
    fireEvent.click(install)
    await screen.findByRole('dialog', { name: 'Event Games is installed' })
    expect(fake.calls.slice(1)).toEqual([
      ['systems.uninstall', { system: OTHER_KEY, deleteData: false }],
    ])
    expect(fake.systems.value.systems.map(({ key }) => key)).toEqual([PREVIEW.key])
  })

  test('says that removing it brings the records over, where this one continues it', async () => {
    const { prompt } = await openWith({ continued: true })
    within(prompt).getByText(/^This version continues the unsigned one: it finds the records/)
    within(prompt).getByRole('checkbox', { name: label })
    expect(within(prompt).queryByText(/^Records of the unsigned one stay/)).toBeNull()
  })

  test.each([
    ['is not signed', null],
    ['is signed by somebody else', OTHER_KEY],
  ])('the other way round is a warning: what is installed is signed, this %s', async (now, by) => {
    const { prompt } = await openWith({ publisher: PERSON_KEY }, { ...signed, publisher: by })
    within(prompt).getByText(new RegExp(`and this ${now}: the address may be in other hands`))
    expect(within(prompt).queryByRole('checkbox', { name: label })).toBeNull()
  })
})

test('an update says what changes, and leaves new permissions to the person', async () => {
  const fake = createFakeRuntime()
  const { key, url } = PREVIEW
  fake.preview = {
    ...PREVIEW,
    publisher: OTHER_KEY,
    version: '0.2.0',
    installed: { key, url, version: '0.1.0', commit: 'f'.repeat(40), granted: ['db'] },
    changes: {
      older: false,
      permissions: ['sessions'],
      collections: [
        { collection: 'events', change: 'changed' },
        { collection: 'fresh', change: 'added' },
        { collection: 'gone', change: 'removed' },
        { collection: 'results', change: 'changed' },
      ],
    },
  }
  const { prompt } = await openPrompt(fake)
  await within(prompt).findByText('0.1.0 → 0.2.0: an update by the same publisher. Its data stays.')
  within(prompt).getByText(
    'This version changes the form of 2 collections; records that do not fit are not shown: events, results.',
  )
  within(prompt).getByText('It no longer has this collection, whose records are not shown: gone.')
  const ticked = (name: string): boolean =>
    within(prompt).getByRole<HTMLInputElement>('checkbox', { name }).checked
  expect(ticked('Keep records in the cloud')).toBe(true)
  expect(ticked('Play and watch sessions (new in this version)')).toBe(false)

  const update = within(prompt).getByRole<HTMLButtonElement>('button', { name: 'Update' })
  await waitFor(() => expect(update.disabled).toBe(false))
  fireEvent.click(update)
  await screen.findByRole('dialog', { name: 'Event Games is installed' })
  expect(fake.calls).toEqual([['systems.install', { url, commit: COMMIT, grant: ['db'] }]])
})

test('what was not granted before is not ticked by an update, and an older version is no update', async () => {
  const fake = createFakeRuntime()
  const { key, url } = PREVIEW
  fake.preview = {
    ...PREVIEW,
    installed: { key, url, version: '0.2.0', commit: 'f'.repeat(40), granted: [] },
    changes: { older: true, permissions: [], collections: [] },
  }
  const { prompt } = await openPrompt(fake)
  await within(prompt).findByText(
    '0.2.0 → 0.1.0: this is an older version than the installed one. Its data stays.',
  )
  within(prompt).getByRole('button', { name: 'Go back' })
  for (const box of within(prompt).getAllByRole<HTMLInputElement>('checkbox')) {
    expect(box.checked).toBe(false)
  }
})

test('the prompt takes no yes in the first moment', async () => {
  const { prompt, fake } = await openPrompt()
  const install = await within(prompt).findByRole<HTMLButtonElement>('button', { name: 'Install' })
  expect(install.disabled).toBe(true)
  fireEvent.click(install)
  await waitFor(() => expect(install.disabled).toBe(false))
  expect(fake.calls).toEqual([])
})

test('what cannot be previewed is said by its code, with what can be done', async () => {
  const fake = createFakeRuntime()
  fake.preview = new CloudError('MANIFEST_MISSING', 'There is no dharma.json at the root.')
  const { prompt } = await openPrompt(fake)
  const alert = await within(prompt).findByRole('alert')
  expect(alert.textContent).toContain('This repository is not a system')
  expect(alert.textContent).toContain('There is no dharma.json at the root.')
  expect(alert.textContent).toContain('MANIFEST_MISSING')
  expect(within(prompt).queryByRole('button', { name: 'Install' })).toBeNull()

  fake.preview = PREVIEW
  fireEvent.click(within(prompt).getByRole('button', { name: 'Try again' }))
  await within(prompt).findByRole('button', { name: 'Install' })
})

test('a permission is taken back with its switch, and uninstalling says what happens to the data', async () => {
  const fake = createFakeRuntime()
  fake.systems.set({ systems: [installedFrom(PREVIEW, ['db', 'sessions'])] })
  renderInShell(<App />, fake)
  fireEvent.click(screen.getByRole('link', { name: 'Systems' }))
  const card = await screen.findByRole('article', { name: 'Event Games' })
  fireEvent.click(within(card).getByRole('switch', { name: 'Keep records in the cloud' }))
  await waitFor(() =>
    expect(fake.calls).toEqual([
      ['systems.setGrant', { system: PREVIEW.key, grant: ['sessions'] }],
    ]),
  )

  fireEvent.click(within(card).getByRole('button', { name: 'Uninstall' }))
  const dialog = await screen.findByRole('dialog', { name: 'Uninstall Event Games?' })
  expect(dialog.textContent).toContain('Its records stay in the cloud')
  fireEvent.click(
    within(dialog).getByRole('checkbox', { name: 'Also delete what I wrote with it' }),
  )
  fireEvent.click(within(dialog).getByRole('button', { name: 'Uninstall' }))
  await screen.findByText('Nothing is installed yet')
  expect(fake.calls.at(-1)).toEqual([
    'systems.uninstall',
    { system: PREVIEW.key, deleteData: true },
  ])
})

test('a preview asked for before the machine answers waits for it', async () => {
  const fake = createFakeRuntime()
  let start = (): void => undefined
  const started = new Promise<void>((resolve) => (start = resolve))
  renderInShell(<App />, fake, async () => {
    await started
    return openTestPort(fake)
  })
  const address = screen.getByRole('combobox', { name: 'Address' })
  fireEvent.change(address, { target: { value: REPOSITORY } })
  fireEvent.keyDown(address, { key: 'Enter' })
  const prompt = await screen.findByRole('dialog', { name: 'Install a system' })
  within(prompt).getByText('Waiting for this machine')
  start()
  await within(prompt).findByRole('heading', { name: 'Event Games' })
  expect(within(prompt).queryByRole('alert')).toBeNull()
})

test('an address that is none is not tried again, and is corrected where that is said', async () => {
  const fake = createFakeRuntime()
  fake.preview = new CloudError('REPO_URL_INVALID', 'Write it like github.com/owner/name.')
  const { prompt } = await openPrompt(fake)
  const alert = await within(prompt).findByRole('alert')
  // What to write instead is said once.
  expect(alert.textContent).toBe(
    'This is not the address of a repositoryWrite it like github.com/owner/name.REPO_URL_INVALID',
  )
  expect(within(prompt).queryByRole('button', { name: 'Try again' })).toBeNull()
  fireEvent.click(within(prompt).getByRole('button', { name: 'Preview' }))
  within(prompt).getByText('This is the address that did not do. Change it first.')
  const field = within(prompt).getByRole<HTMLInputElement>('textbox', {
    name: 'Repository address',
  })
  expect(field.value).toBe(REPOSITORY)
  fake.preview = { ...PREVIEW, icon: 'data:image/svg+xml;base64,PHN2Zy8+' }
  fireEvent.change(field, { target: { value: ' /srv/notes ' } })
  fireEvent.click(within(prompt).getByRole('button', { name: 'Preview' }))
  const next = await screen.findByRole('dialog', { name: 'Install a system' })
  await within(next).findByRole('heading', { name: 'Event Games' })
  expect(fake.previewed).toEqual([REPOSITORY, 'file:///srv/notes'])
  expect(next.querySelector('img')?.getAttribute('src')).toBe(fake.preview.icon)
})

test('a folder that is not there is no matter of the internet', async () => {
  const fake = createFakeRuntime()
  const message = 'The repository can’t be reached: there is no such folder.'
  fake.preview = new CloudError('REPO_UNREACHABLE', message, { url: 'file:///tmp/nothing' })
  const { prompt } = await openPrompt(fake)
  const alert = await within(prompt).findByRole('alert')
  expect(alert.textContent).toContain('There is no repository in that folder')
  expect(alert.textContent).not.toContain('internet')
})
