import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hasStamp, isCopiedFolder, stampFolder } from './folder-stamp.ts'

let folder: string
let data: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-stamp-'))
  data = join(folder, 'data')
  await mkdir(data)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a copy is told from the folder, until it is marked itself', async () => {
  expect([await hasStamp(data), await isCopiedFolder(data)]).toEqual([false, false])
  await stampFolder(data)
  const copy = join(folder, 'copy')
  await cp(data, copy, { recursive: true, preserveTimestamps: true })
  expect([await isCopiedFolder(data), await isCopiedFolder(copy)]).toEqual([false, true])
  await stampFolder(copy)
  expect([await isCopiedFolder(data), await isCopiedFolder(copy)]).toEqual([false, false])
})

test('a folder that was moved is the same, and a damaged mark says nothing', async () => {
  await stampFolder(data)
  const moved = join(folder, 'moved')
  await rename(data, moved)
  expect(await isCopiedFolder(moved)).toBe(false)
  await writeFile(join(moved, 'folder-stamp.json'), 'garbage')
  expect([await hasStamp(moved), await isCopiedFolder(moved)]).toEqual([false, false])
})
