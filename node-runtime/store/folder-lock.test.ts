import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockFolder } from './folder-lock.ts'
import { readRuntimeFile, RUNTIME_FILE } from './runtime-file.ts'

const NOBODY = 65_534

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-lock-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** As a user who is not root: root may read and write everything. */
async function asUser<T>(work: () => Promise<T>): Promise<T> {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(NOBODY)
  try {
    return await work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

test('a folder is one process’s, until that gives it back', async () => {
  const unlock = await lockFolder(folder)
  await unlock()
  await (
    await lockFolder(folder)
  )()
})

test.skipIf(process.platform === 'win32')(
  'a folder that this user may not write to, or not read, is said to be unusable',
  async () => {
    await writeFile(join(folder, RUNTIME_FILE), '{}', { mode: 0o000 })
    await chmod(folder, 0o555)
    const denied = { code: 'FOLDER_UNUSABLE', message: expect.stringContaining('no permission') }
    await asUser(async () => {
      await expect(lockFolder(folder)).rejects.toMatchObject(denied)
      await expect(readRuntimeFile(folder)).rejects.toMatchObject(denied)
    })
    await chmod(folder, 0o700)
  },
)
