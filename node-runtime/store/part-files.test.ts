import { mkdtemp, readdir, rm, unlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { PartFiles } from './part-files.ts'

const [A, B, C] = ['a', 'b', 'c'].map((letter) => letter.repeat(64)) as [string, string, string]
const bytes = (text: string): Uint8Array => Buffer.from(text)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-parts-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('keeps what was put over a restart, and nothing of a write that broke off', async () => {
  const files = await PartFiles.open(folder)
  await files.put(A, bytes('first'))
  await writeFile(join(folder, `${B}.new`), 'half')
  const again = await PartFiles.open(folder)
  expect(await again.get(A)).toEqual(Buffer.from('first'))
  expect(await again.get(B)).toBeNull()
  expect(await readdir(folder)).toEqual([A])
})

test('gives up what was not used for longest when there is no room', async () => {
  const files = await PartFiles.open(folder, 10)
  await files.put(A, bytes('1234'))
  await files.put(B, bytes('1234'))
  await files.get(A)
  await files.put(C, bytes('1234'))
  expect(await files.get(B)).toBeNull()
  expect(await files.get(A)).not.toBeNull()
  expect(await readdir(folder)).toHaveLength(2)
})

test('remembers over a restart what was used last', async () => {
  const files = await PartFiles.open(folder, 10)
  await files.put(A, bytes('1234'))
  await files.put(B, bytes('1234'))
  await utimes(join(folder, A), 2, 2)
  await utimes(join(folder, B), 1, 1)
  const again = await PartFiles.open(folder, 10)
  await again.put(C, bytes('1234'))
  expect(await again.get(B)).toBeNull()
  expect(await again.get(A)).not.toBeNull()
})

test('a file that somebody removed is not here', async () => {
  const files = await PartFiles.open(folder)
  await files.put(A, bytes('1234'))
  await unlink(join(folder, A))
  expect(await files.get(A)).toBeNull()
  await files.put(A, bytes('1234'))
  expect(await files.get(A)).not.toBeNull()
})

test('two who put the same at once both have it on the disk', async () => {
  const files = await PartFiles.open(folder, 10)
  await Promise.all([files.put(A, bytes('1234')), files.put(A, bytes('1234'))])
  await files.put(B, bytes('1234'))
  // Counted once, so that both have room.
  expect(await files.get(A)).toEqual(Buffer.from('1234'))
  expect(await readdir(folder)).toHaveLength(2)
})
