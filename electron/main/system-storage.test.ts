import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SystemStorage } from './system-storage.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'dharma-storage-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const NOTES = { key: 'notes' }
const GAMES = { key: 'games' }

/** What was done, in order. `fail` makes clearing fail. */
function start() {
  const done: string[] = []
  const state = { fail: false }
  const storage = new SystemStorage({
    folder,
    evict: (system) => done.push(`evict ${system}`),
    clear: async (system) => {
      if (state.fail) throw new Error('the disk')
      done.push(`clear ${system}`)
    },
  })
  return { storage, done, state }
}

test('a system that stays keeps its storage, also over a restart', async () => {
  const first = start()
  await first.storage.update([NOTES])
  await first.storage.update([NOTES, GAMES])
  const second = start()
  await second.storage.update([GAMES, NOTES])
  expect([...first.done, ...second.done]).toEqual([])
})

test('with a system that is uninstalled its pages end, and then its storage goes', async () => {
  const { storage, done } = start()
  await storage.update([NOTES, GAMES])
  await storage.update([GAMES])
  expect(done).toEqual(['evict notes', 'clear notes'])
})

test('what went while the window was closed goes at the next start', async () => {
  await start().storage.update([NOTES])
  const { storage, done } = start()
  await storage.update([])
  expect(done).toContain('clear notes')
})

test('what could not be deleted is tried again with the next list', async () => {
  const { storage, state, done } = start()
  await storage.update([NOTES])
  state.fail = true
  await expect(storage.update([])).rejects.toThrow('the disk')
  state.fail = false
  await storage.update([])
  expect(done).toEqual(['evict notes', 'evict notes', 'clear notes'])
})
