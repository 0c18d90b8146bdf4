// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import type { AdmissionReport } from '../../../node-runtime/contract/connection.ts'
import { CloudError } from '../../../node-runtime/contract/errors.ts'
import { App } from '../../app/app.tsx'
import { createFakeRuntime } from '../../test/fake-runtime.ts'
import type { FakeRuntime } from '../../test/fake-runtime.ts'
import { CLOUD_KEY, OTHER_KEY, PERSON_KEY, given } from '../../test/samples.ts'
import { renderInShell } from '../../test/window.tsx'

async function openHome(
  kind: AdmissionReport['kind'],
  fake: FakeRuntime = createFakeRuntime(),
  state: AdmissionReport['state'] = 'in',
  hearsay = false,
): Promise<ReturnType<typeof within>> {
  const message = 'How one comes in.'
  const admission = { kind, state, fault: null, hearsay, message }
  fake.connection.value = { ...fake.connection.value, admission }
  renderInShell(<App />, fake)
  const section = await screen.findByRole('region', { name: 'Invite others' })
  await waitFor(() => expect(within(section).queryByText('Asking this machine')).toBeNull())
  return within(section)
}

test('an invitation is made for some and for a time, and shows its link and words', async () => {
  const fake = createFakeRuntime()
  const home = await openHome('invitation', fake)
  await home.findByText('No invitation is open at present.')
  fireEvent.click(home.getByRole('button', { name: 'Make an invitation' }))
  const dialog = within(await screen.findByRole('dialog', { name: 'Make an invitation' }))
  const persons = dialog.getByRole('spinbutton', { name: 'For how many persons' })
  for (const wrong of ['0', '1001', '1.5', '']) {
    fireEvent.change(persons, { target: { value: wrong } })
    fireEvent.click(dialog.getByRole('button', { name: 'Make it' }))
    dialog.getByText('A whole number from 1 to 1000, please.')
  }
  expect(fake.calls).toEqual([])
  fireEvent.change(persons, { target: { value: '3' } })
  fireEvent.click(dialog.getByRole('radio', { name: 'A week' }))
  fireEvent.click(dialog.getByRole('button', { name: 'Make it' }))
  const made = within(await screen.findByRole('dialog', { name: 'An invitation for 3 persons' }))
  expect(fake.calls).toEqual([['cloud.invite', { uses: 3, lastsMs: 604_800_000 }]])
  expect(made.getByLabelText('Link of the invitation').textContent).toBe('dharma:invite/yb3nd')
  expect(made.getByLabelText('Five words of the invitation').textContent).toBe(
    'apple river stone cloud seven',
  )
  made.getByRole('button', { name: 'Copy the link' })
  made.getByRole('button', { name: 'Copy the words' })
  made.getByText('in 7 days')
  fireEvent.click(made.getByRole('button', { name: 'Done' }))
  expect(screen.queryByRole('dialog')).toBeNull()
  const open = within(await home.findByRole('list', { name: 'Open invitations' }))
  open.getByText('For 3 persons')
})

test('why none can be made is said in the dialog', async () => {
  const fake = createFakeRuntime()
  const home = await openHome('open', fake)
  fake.refusal = new CloudError('LIMIT_REACHED', 'Withdraw one first.')
  fireEvent.click(await home.findByRole('button', { name: 'Make an invitation' }))
  fireEvent.click(screen.getByRole('button', { name: 'Make it' }))
  expect((await screen.findByRole('alert')).textContent).toContain('Withdraw one first.')
})

test('open invitations say who came in by them, and are withdrawn; the others are kept apart', async () => {
  const fake = createFakeRuntime()
  fake.invitations.given = [
    given({ uses: 3, used: 1, admitted: [OTHER_KEY] }),
    given({ id: '2', uses: 1, used: 1, state: 'used-up' }),
    given({ id: '3', state: 'expired', expiresMs: Date.now() - 9_000_000 }),
    // Its time has come since it was listed.
    given({ id: '4', expiresMs: Date.now() - 12_600_000 }),
  ]
  const home = await openHome('invitation', fake)
  const open = within(await home.findByRole('list', { name: 'Open invitations' }))
  expect(open.getAllByRole('listitem')).toHaveLength(1)
  open.getByText('For 3 persons, 1 of them came in')
  fireEvent.click(open.getByRole('button', { name: 'Show' }))
  const shown = within(await screen.findByRole('dialog', { name: 'An invitation for 3 persons' }))
  shown.getByRole('button', { name: /^Copy person key/ })
  fireEvent.click(shown.getByRole('button', { name: 'Done' }))
  home.getByText('Earlier invitations (3)')
  const endings = (): string[] =>
    within(home.getByRole('list', { name: 'Earlier invitations', hidden: true }))
      .getAllByRole('listitem', { hidden: true })
      .map((item) => item.querySelector('.muted')!.textContent)
  expect(endings()).toEqual(['Used up', 'Expired 2 h ago', 'Expired 3 h ago'])
  home.getByText('For one person, who came in')
  fireEvent.click(open.getByRole('button', { name: 'Withdraw' }))
  await home.findByText('No invitation is open at present.')
  expect(fake.calls).toEqual([['cloud.withdrawInvitation', { id: '1' }]])
  home.getByText('Earlier invitations (4)')
  expect(endings()).toContain('Withdrawn')
})

test.each([
  ['used-up', 'It was used as often as it may be.'],
  ['withdrawn', 'It was withdrawn.'],
  ['expired', 'It has expired.'],
] as const)('what is %s while it is on show is not given out any more', async (state, words) => {
  const fake = createFakeRuntime()
  fake.invitations.given = [given()]
  const home = await openHome('invitation', fake)
  fireEvent.click(await home.findByRole('button', { name: 'Show' }))
  const shown = within(await screen.findByRole('dialog', { name: 'An invitation for one person' }))
  shown.getByLabelText('Link of the invitation')
  fake.invitations = { ...fake.invitations, given: [given({ state })] }
  fake.cloud.set({ ...fake.cloud.value, status: { ...fake.cloud.value.status, machinesKnown: 2 } })
  const status = await shown.findByRole('status')
  expect(status.textContent).toContain(words)
  expect(shown.queryByLabelText('Link of the invitation')).toBeNull()
  expect(shown.queryByLabelText('Five words of the invitation')).toBeNull()
})

test('who came in meanwhile is counted when their machine is met', async () => {
  const fake = createFakeRuntime()
  fake.invitations.given = [given({ uses: 2 })]
  const home = await openHome('invitation', fake)
  await home.findByText('For 2 persons')
  fake.invitations = { ...fake.invitations, given: [given({ uses: 2, used: 1 })] }
  fake.cloud.set({ ...fake.cloud.value, status: { ...fake.cloud.value.status, machinesKnown: 2 } })
  await home.findByText('For 2 persons, 1 of them came in')
})

test('by whom this person came in is said, up to the owner', async () => {
  const fake = createFakeRuntime()
  fake.invitations.invitedBy = [OTHER_KEY, PERSON_KEY]
  const home = await openHome('invitation', fake)
  await home.findByText('You were invited by')
  expect(
    within(home.getByRole('list', { name: 'Who invited whom, up to the owner' })).getAllByRole(
      'listitem',
    ),
  ).toHaveLength(1)
})

test('who invited whom is there as far as they agree, by inviter, and a long list on demand', async () => {
  const keyOf = (letter: string): string => `${letter.repeat(51)}o`
  const whose = (number: number) => ({
    person: keyOf('ybndrfg8ej'.charAt(number)),
    machine: keyOf('kmcpqxot1u'.charAt(number)),
    name: `Machine ${number}`,
  })
  const fake = createFakeRuntime()
  fake.invitations.shown = [
    { inviter: whose(0), invited: whose(1), atMs: 1 },
    ...Array.from({ length: 5 }, (_, at) => ({
      inviter: whose(at + 1),
      invited: whose(at + 2),
      atMs: 2,
    })),
    { inviter: whose(0), invited: whose(9), atMs: 3 },
  ]
  const home = await openHome('open', fake)
  const list = within(await home.findByRole('list', { name: 'Who invited whom' }))
  const inviters = (): string[] =>
    [...list.getAllByText('invited')].map((word) => word.previousElementSibling!.textContent)
  expect(inviters()).toHaveLength(5)
  const first = list.getAllByRole('list')[0]!
  expect(within(first).getAllByRole('listitem')).toHaveLength(2)
  within(first).getByText('Machine 1')
  within(first).getByText('Machine 9')
  fireEvent.click(home.getByRole('button', { name: 'Show all 6' }))
  expect(inviters()).toHaveLength(6)
})

test('nothing is said of it where nobody agrees', async () => {
  const home = await openHome('open')
  await home.findByText('Give them the cloud’s key instead')
  expect(home.queryByRole('heading', { name: 'Who invited whom' })).toBeNull()
})

test('an open cloud can be joined by its key, too; one by invitation not', async () => {
  const home = await openHome('open')
  expect(home.getByLabelText('Cloud key of this cloud').textContent).toBe(CLOUD_KEY)
  await home.findByRole('button', { name: 'Make an invitation' })
})

test('one by invitation shows no key', async () => {
  const home = await openHome('invitation')
  await home.findByRole('button', { name: 'Make an invitation' })
  expect(home.queryByLabelText('Cloud key of this cloud')).toBeNull()
})

test('into a cloud of before 0.3 the key leads, as ever', async () => {
  const home = await openHome('link')
  expect(home.getByLabelText('Cloud key of this cloud').textContent).toBe(CLOUD_KEY)
  expect(home.queryByRole('button', { name: 'Make an invitation' })).toBeNull()
})

test('into a cloud for releases only builds of its owner come', async () => {
  const home = await openHome('release')
  home.getByText(/^Only builds that this cloud’s owner has made come in/)
  expect(home.queryAllByRole('button')).toEqual([])
})

test('a way of a later version, and not being let in, are said in the machine’s words', async () => {
  const home = await openHome('unknown')
  home.getByText('How one comes in.')
})

test('what one machine alone says keeps nobody from inviting', async () => {
  const home = await openHome('invitation', createFakeRuntime(), 'refused', true)
  await home.findByRole('button', { name: 'Make an invitation' })
  home.getByText(/How one comes in\./)
})

test('who is not let in invites nobody', async () => {
  const home = await openHome('invitation', createFakeRuntime(), 'missing')
  home.getByText(/How one comes in\./)
  home.getByRole('link', { name: 'See the connection' })
  expect(home.queryByRole('button')).toBeNull()
})
