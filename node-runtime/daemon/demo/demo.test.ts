import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundleCommand, nextLine } from '../testing/command.ts'
import type { Command } from '../testing/command.ts'

const TIMEOUT_MS = 120_000

let command: Command
let temporary: string
beforeAll(async () => {
  command = await bundleCommand()
  temporary = await mkdtemp(join(tmpdir(), 'dharma-demo-test-'))
})
afterAll(async () => {
  await command.killAll()
  await command.remove()
  await rm(temporary, { recursive: true, force: true })
})

test(
  'the demo plays a tournament to its end, and leaves nothing behind',
  async () => {
    const demo = command.start(['demo', '--no-open', '--speed', '40'], { TMPDIR: temporary })
    const lines: string[] = []
    while (!lines.at(-1)?.includes('is played')) lines.push(await nextLine(demo))
    const text = lines.join('\n')
    expect(text).toMatch(
      /Open http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+&open=cloud%3A%2F%2Fevent-games%2F/,
    )
    expect(text).toContain('"Harbour Cup" begins with 4 players.')
    // Each of the four played each: whoever made the table saw all six results.
    expect(text.match(/after \d+ moves/g)).toHaveLength(6)
    expect(text).toMatch(/First is (Mika|Noor|Tomasz|Ines)\./)
    expect(await readdir(temporary)).toHaveLength(1)

    demo.child.kill('SIGINT')
    expect(await demo.ended).toBe(0)
    expect(await readdir(temporary)).toEqual([])
    expect(demo.stderr()).toBe('')
  },
  TIMEOUT_MS,
)

test.each(['more machines', 'Installing', 'sit down'])(
  'the demo that is stopped at "%s" leaves nothing behind and complains of nothing',
  async (moment) => {
    const demo = command.start(['demo', '--no-open', '--speed', '40'], { TMPDIR: temporary })
    while (!(await nextLine(demo)).includes(moment)) continue
    // To this process alone; from a terminal all would get it.
    demo.child.kill('SIGINT')
    expect(await demo.ended).toBe(0)
    expect(await readdir(temporary)).toEqual([])
    expect(demo.stderr()).toBe('')
  },
  TIMEOUT_MS,
)
