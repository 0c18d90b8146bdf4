// From a new folder to a cloud of two: one person starts it and invites, the other opens the link and joins
// with one click.
import { expect, test } from '@playwright/test'
import {
  openDaemonWindow,
  openElectronWindow,
  openPage,
  showBothThemes,
} from './support/app-window.ts'
import { LocalCloud } from './support/machines.ts'

const STORY_TIMEOUT_MS = 300_000
/** Machines find each other by the DHT, on a computer that does other things. */
const MEETING_MS = 60_000

let cloud: LocalCloud

test.beforeEach(async () => {
  cloud = await LocalCloud.create()
})
test.afterEach(() => cloud.close())

test('a person comes into another’s cloud from a link, in two clicks', async ({ browser }) => {
  test.setTimeout(STORY_TIMEOUT_MS)
  const ann = await openDaemonWindow(browser, await cloud.startDaemon())
  await expect(ann.shell.getByRole('heading', { name: 'What would you like to do?' })).toBeVisible()
  await showBothThemes(ann, 'home-first')
  await ann.shell.getByRole('button', { name: 'Start a cloud' }).click()
  const start = ann.shell.getByRole('dialog', { name: 'Start a cloud' })
  await start.getByLabel('Name').fill('Chess club')
  await start.getByRole('radio', { name: 'By invitation' }).check()
  await showBothThemes(ann, 'start-cloud')
  await start.getByRole('button', { name: 'Start', exact: true }).click()

  const invite = ann.shell.getByRole('region', { name: 'Invite others' })
  await invite.getByRole('button', { name: 'Make an invitation' }).click()
  await showBothThemes(ann, 'new-invitation')
  await ann.shell.getByRole('button', { name: 'Make it' }).click()
  const made = ann.shell.getByRole('dialog', { name: 'An invitation for one person' })
  const link = await made.getByLabel('Link of the invitation').innerText()
  await showBothThemes(ann, 'invitation')
  await made.getByRole('button', { name: 'Done' }).click()
  await expect(invite.getByText('For one person')).toBeVisible()
  await showBothThemes(ann, 'home-inviting')

  // The first click is on the link, wherever it stands; the system starts the app with it.
  const bob = await openElectronWindow({
    dataDir: await cloud.makeFolder(),
    bootstrap: cloud.bootstrap,
    args: [link],
  })
  const offer = bob.shell.getByRole('region', { name: 'The invitation' })
  await expect(offer.getByRole('heading', { name: 'Chess club' })).toBeVisible({
    timeout: MEETING_MS,
  })
  await showBothThemes(bob, 'home-invited')
  await offer.getByRole('button', { name: 'Join', exact: true }).click()
  const state = bob.shell.getByRole('button', { name: 'Cloud: 2 machines' })
  await expect(state).toBeVisible({ timeout: MEETING_MS })
  await expect(bob.shell.getByText('You were invited by')).toBeVisible()
  await expect(bob.shell.getByRole('region', { name: 'The invitation' })).toBeHidden()
  await showBothThemes(bob, 'home-joined')
  await state.click()
  await expect(bob.shell.getByRole('heading', { level: 1, name: 'Connection' })).toBeVisible()
  await showBothThemes(bob, 'connection')

  await expect(invite.getByText('Earlier invitations (1)')).toBeVisible()
  await openPage(ann, 'Settings')
  await expect(ann.shell.getByRole('region', { name: 'This cloud' })).toContainText('Chess club')

  // The same link in the address of a daemon's page, too late.
  const late = await cloud.startDaemon()
  const invitation = link.slice(link.indexOf('/') + 1)
  const eve = await openDaemonWindow(browser, {
    ...late,
    url: `${late.url}#dharma-invite=${invitation}`,
  })
  const used = eve.shell.getByRole('region', { name: 'The invitation' })
  await expect(used).toBeVisible({ timeout: MEETING_MS })
  await used.getByRole('button', { name: 'Join', exact: true }).click()
  await expect(used.getByRole('alert')).toContainText('used as often as it may be', {
    timeout: MEETING_MS,
  })
  expect(eve.shell.url()).not.toContain(invitation)
  await showBothThemes(eve, 'home-used-up')
  await Promise.all([ann.close(), bob.close(), eve.close()])
})
