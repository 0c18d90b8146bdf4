import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { MachineSettings } from './machine-settings.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settings-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

it('the router is asked for a port unless the person has set otherwise, which is kept', async () => {
  const settings = await MachineSettings.open(folder, () => {})
  expect(settings.portMapping).toBe(true)
  await settings.set({ portMapping: false })
  expect(settings.portMapping).toBe(false)
  expect((await MachineSettings.open(folder, () => {})).portMapping).toBe(false)
})

it('a damaged file gives the one before, and says so', async () => {
  const settings = await MachineSettings.open(folder, () => {})
  await settings.set({ portMapping: false })
  await settings.set({ portMapping: true })
  await writeFile(join(folder, 'settings.json'), '{"portMapping":')
  const said: string[] = []
  const again = await MachineSettings.open(folder, (words) => said.push(words))
  expect(again.portMapping).toBe(false)
  expect(said).toHaveLength(1)
})
