// The steps of the main story, the same in every kind of window.
import { expect } from '@playwright/test'
import * as z from 'zod'
import { recordSchema } from '../../node-runtime/contract/db.ts'
import { resultValueSchema } from '../../node-runtime/contract/sessions.ts'
import { goTo, openPage } from './app-window.ts'
import type { AppWindow, TabView } from './app-window.ts'
import type { Daemon } from './machines.ts'

/** Red (the first player) stacks column 4 and wins with the seventh move. */
export const MOVES = [4, 1, 4, 2, 4, 3, 4] as const

export async function expectMachines(window: AppWindow, count: number): Promise<void> {
  await openPage(window, 'Machines')
  const table = window.shell.getByRole('table', { name: 'Machines' })
  await expect(table.getByText('Online', { exact: true })).toHaveCount(count - 1, {
    timeout: 30_000,
  })
  await expect(table.getByText('This machine', { exact: true })).toBeVisible()
  await expect(table.getByText(/\d ms/)).toHaveCount(count - 1)
}

/** Pastes the repository's address, reads the preview, installs. */
export async function installEventGames(
  window: AppWindow,
  url: string,
  commit: string,
): Promise<void> {
  const { shell } = window
  await openPage(window, 'Systems')
  await shell.getByLabel('Repository address').fill(url)
  await shell.getByRole('button', { name: 'Preview' }).click()
  const prompt = shell.getByRole('dialog', { name: 'Install a system' })
  await expect(prompt.getByText('Event Games', { exact: true })).toBeVisible()
  await expect(prompt.getByText(/Ada Example/)).toBeVisible()
  await expect(prompt.getByText(commit.slice(0, 7)).first()).toBeVisible()
  await expect(prompt.getByText('Play and watch sessions')).toBeVisible()
}

export async function confirmInstall({ shell }: AppWindow): Promise<void> {
  await shell.getByRole('button', { name: 'Install', exact: true }).click()
  const done = shell.getByRole('dialog', { name: 'Event Games is installed' })
  await done.getByRole('button', { name: 'Open' }).click()
}

export async function openAnnouncement(view: TabView): Promise<void> {
  await view.getByRole('link', { name: 'Announce an event' }).first().click()
}

export async function announceGame(view: TabView, title: string, name: string): Promise<void> {
  await view.getByLabel('Title').fill(title)
  await view.getByLabel('Single game').check()
  await view.getByLabel('Your name').fill(name)
  await view.getByRole('button', { name: 'Announce' }).click()
  await expect(view.getByRole('heading', { level: 1, name: title })).toBeVisible()
}

export async function joinGame(view: TabView, title: string, name: string): Promise<void> {
  await view.getByRole('link', { name: title }).click({ timeout: 30_000 })
  await view.getByLabel('Your name').fill(name)
  await view.getByRole('button', { name: 'Join', exact: true }).click()
}

/** Both sit down at the board. Which of them begins is drawn from the event's seed. */
export async function sitDown(views: readonly TabView[]): Promise<void> {
  for (const view of views) {
    const play = view.getByRole('button', { name: /^(Play|Continue) against/ })
    await play.first().click({ timeout: 30_000 })
    await expect(view.getByRole('list', { name: 'Players' })).toBeVisible({ timeout: 30_000 })
  }
}

/** The view of the player whose turn it is. */
export async function whoseTurn(views: readonly TabView[]): Promise<TabView> {
  let mover: TabView | undefined
  await expect(async () => {
    for (const view of views) {
      const enabled = view
        .getByRole('group', { name: 'Columns' })
        .locator('button[aria-disabled="false"]')
      if ((await enabled.count()) > 0) mover = view
    }
    expect(mover).toBeDefined()
  }).toPass({ timeout: 30_000 })
  if (mover === undefined) throw new Error('nobody is to move')
  return mover
}

export async function move(view: TabView, column: number): Promise<void> {
  await view.getByRole('button', { name: new RegExp(`^Column ${column}\\b`) }).click()
}

/** How many discs lie on the board that this view shows. */
export async function expectMoves(view: TabView, count: number): Promise<void> {
  await expect(view.getByRole('list', { name: 'Moves' }).getByRole('listitem')).toHaveCount(count, {
    timeout: 30_000,
  })
}

const querySchema = z.object({
  records: z.array(recordSchema),
  completeness: z.object({ complete: z.boolean(), machinesLinked: z.number() }),
})

/**
 * A machine that took no part finds the event, the result and the moves, and checks them.
 * @param system  the key of the system, which this machine has not installed
 */
export async function expectHistory(
  daemon: Daemon,
  system: string,
  { title, moves }: { title: string; moves: number },
): Promise<void> {
  const query = async (collection: string) =>
    querySchema.parse(await daemon.call('db.query', { system, collection }))
  const events = await query('events')
  expect(events.records.map(({ value }) => (value as { title: string }).title)).toContain(title)
  // A link that was lost meanwhile is compared again first; when all others are gone, there is none to compare.
  let results = await query('results')
  await expect
    .poll(
      async () => {
        results = await query('results')
        const { complete, machinesLinked } = results.completeness
        return complete || machinesLinked === 0
      },
      { timeout: 60_000 },
    )
    .toBe(true)
  const [record] = results.records
  if (record === undefined) throw new Error('no result was found')
  const result = resultValueSchema.parse(record.value)
  expect(result.descriptor.seats).toContain(record.author)
  expect(result.plies).toBe(moves)
  expect(result.outcome.scores).toEqual([1, 0])
}

const REPLAY_LINK = /replay|won|beat/i

export async function openResults(window: AppWindow): Promise<void> {
  const view = await window.system('event-games')
  await view.getByRole('link', { name: 'Results' }).click()
  await expect(view.getByRole('link', { name: REPLAY_LINK }).first()).toBeVisible()
}

/** From the list of results: plays the game through again. */
export async function replayGame(window: AppWindow, moves: number): Promise<void> {
  const view = await window.system('event-games')
  await view.getByRole('link', { name: REPLAY_LINK }).first().click()
  await expect(view.getByText('Signed by both players, checked on this machine')).toBeVisible({
    timeout: 30_000,
  })
  await view.getByRole('button', { name: 'First position' }).click()
  await expect(view.getByText(`0 / ${moves}`)).toBeVisible()
  for (let ply = 1; ply <= moves; ply++) {
    await view.getByRole('button', { name: 'Next move' }).click()
    await expect(view.getByText(`${ply} / ${moves}`)).toBeVisible()
  }
}

/** A web page in a tab: address bar, links, back, forward, reload; and a built-in page beside it. */
export async function browseTheWeb(window: AppWindow, origin: string): Promise<void> {
  const { shell } = window
  const bar = shell.getByRole('combobox', { name: 'Address' })
  await shell.getByRole('button', { name: 'New tab' }).click()
  await goTo(window, `${origin}/`)
  const first = await window.web(`${origin}/`)
  await expect(first.getByRole('heading', { name: 'Welcome' })).toBeVisible()
  await goTo(window, `${origin}/second`)
  const second = await window.web(`${origin}/second`)
  await expect(second.getByRole('heading', { name: 'Second page' })).toBeVisible()
  await expect(bar).toHaveValue(`${origin}/second`)
  await shell.getByRole('button', { name: 'Back', exact: true }).click()
  const back = await window.web(`${origin}/`)
  await expect(back.getByRole('heading', { name: 'Welcome' })).toBeVisible()
  await shell.getByRole('button', { name: 'Forward' }).click()
  const forward = await window.web(`${origin}/second`)
  await expect(forward.getByRole('heading', { name: 'Second page' })).toBeVisible()
  const visits = Number(await forward.locator('#visits').textContent())
  await shell.getByRole('button', { name: 'Reload' }).click()
  await expect(async () => {
    const again = await window.web(`${origin}/second`)
    expect(Number(await again.locator('#visits').textContent())).toBeGreaterThan(visits)
  }).toPass()
  await shell.getByRole('button', { name: 'New tab' }).click()
  await goTo(window, 'cloud://machines')
  await expect(shell.getByRole('heading', { level: 1, name: 'Machines' })).toBeVisible()
}
