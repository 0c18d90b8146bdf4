// How fluid the Machines page is with a thousand machines, in the desktop window, against a page of the same window
// that shows a few words: the 95th percentile of the time from frame to frame while a person does something.
import type { Page } from '@playwright/test'
import type { ElectronMachine } from '../support/electron-app.ts'
import { openCrowdWindow } from './crowd-window.ts'
import { findElectron } from './desktop-start.ts'
import { compare, percentile } from './report.ts'
import type { Measure, Row } from './report.ts'

const ROUNDS = 5
/** Of a pointer, a wheel or keys, in one round. */
const STEPS = 60

/** In the page: begins to note when frames come. As text, since what the compiler adds is not there. */
const BEGIN = `
  window.frameTimes = []
  window.noteFrame = (nowMs) => {
    window.frameTimes.push(nowMs)
    window.nextFrame = requestAnimationFrame(window.noteFrame)
  }
  window.nextFrame = requestAnimationFrame(window.noteFrame)
`
const END = 'cancelAnimationFrame(window.nextFrame); window.frameTimes'

/** Times from frame to frame while `work` goes on, ms. */
async function recordFrames(page: Page, work: () => Promise<void>): Promise<number[]> {
  await page.evaluate(BEGIN)
  await work()
  const frames = await page.evaluate<number[]>(END)
  return frames.slice(1).map((atMs, index) => atMs - (frames[index] ?? atMs))
}

async function openPage({ shell }: ElectronMachine, name: string): Promise<void> {
  await shell.getByRole('navigation', { name: 'Main' }).getByRole('link', { name }).click()
  await shell.getByRole('heading', { level: 1, name }).waitFor()
}

type Work = (page: Page) => Promise<void>

/** A pointer that goes around the middle of something. */
function circle(at: (page: Page) => Promise<{ x: number; y: number }>, radiusPx: number): Work {
  return async (page) => {
    const { x, y } = await at(page)
    for (let step = 0; step < STEPS; step++) {
      const angle = (step / STEPS) * 2 * Math.PI
      await page.mouse.move(x + radiusPx * Math.cos(angle), y + radiusPx * Math.sin(angle))
    }
  }
}

const mapOf = (page: Page) => page.getByRole('slider', { name: 'Map of the machines' })

async function middleOfMap(page: Page): Promise<{ x: number; y: number }> {
  const box = await mapOf(page).boundingBox()
  if (box === null) throw new Error('the map is not seen')
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
}

const WORKS: readonly [name: string, Work][] = [
  ['pointing along the ring', circle(middleOfMap, 175)],
  [
    'zooming in and out',
    async (page) => {
      await mapOf(page).focus()
      for (let step = 0; step < STEPS; step++) {
        await page.keyboard.press(step % 12 < 6 ? '+' : '-')
      }
      await page.keyboard.press('0')
    },
  ],
  [
    'moving the map, enlarged',
    async (page) => {
      await mapOf(page).focus()
      for (let step = 0; step < 4; step++) await page.keyboard.press('+')
      const { x, y } = await middleOfMap(page)
      await page.mouse.move(x + 90, y)
      await page.mouse.down()
      await circle(middleOfMap, 90)(page)
      await page.mouse.up()
      await page.keyboard.press('0')
    },
  ],
  [
    'scrolling the table',
    async (page) => {
      const table = page.getByRole('region', { name: 'Machines', exact: true })
      await table.hover()
      for (let step = 0; step < STEPS; step++) await page.mouse.wheel(0, step < 30 ? 400 : -400)
    },
  ],
  [
    'typing into the search',
    async (page) => {
      const search = page.getByRole('searchbox', { name: 'Filter machines' })
      for (const text of ['machine 7', 'offline', 'relay head', '']) {
        await search.fill('')
        await search.pressSequentially(text)
      }
    },
  ],
]

export const machinesMap: Measure = {
  name: 'machines',
  title: 'Machines page with 1,000 machines: frame to frame, 95th percentile',
  async run(say) {
    await findElectron()
    const window = await openCrowdWindow()
    const { shell } = window
    try {
      await openPage(window, 'Connection')
      const still: number[] = []
      const wander = circle(async () => ({ x: 600, y: 400 }), 175)
      for (let round = 0; round < ROUNDS; round++) {
        still.push(percentile(await recordFrames(shell, () => wander(shell)), 0.95))
      }
      await openPage(window, 'Machines')
      const rows: Row[] = []
      for (const [name, work] of WORKS) {
        say(`Machines page, ${name}`)
        const samples: number[] = []
        for (let round = 0; round < ROUNDS; round++) {
          samples.push(percentile(await recordFrames(shell, () => work(shell)), 0.95))
        }
        rows.push(compare(name, 'ms', samples, 'pointer over a page of words', still))
      }
      return rows
    } finally {
      await window.close()
    }
  },
}
