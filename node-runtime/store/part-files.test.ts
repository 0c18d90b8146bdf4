import { mkdtemp, readdir, rm, unlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NOBODY, PartFiles } from './part-files.ts'

const [A, B, C] = ['a', 'b', 'c'].map((letter) => letter.repeat(64)) as [string, string, string]
/** Persons' keys, as far as files are concerned. */
const [ANN, EVE] = ['n'.repeat(52), 'e'.repeat(52)] as [string, string]
/** However small a part is, it counts as four of these. */
const KIB = 1024
const bytes = (text: string): Uint8Array => Buffer.from(text)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-parts-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('keeps what was put over a restart, and nothing of a write that broke off', async () => {
  const files = await PartFiles.open(folder)
  await files.put(A, bytes('first'), ANN)
  await writeFile(join(folder, `${B}.new`), 'half')
  const again = await PartFiles.open(folder)
  expect(await again.get(A)).toEqual(Buffer.from('first'))
  expect(await again.get(B)).toBeNull()
  expect(await readdir(folder)).toEqual([A, `${A}.${ANN}`])
})

test('gives up what was not used for longest when there is no room', async () => {
  const files = await PartFiles.open(folder, 10 * KIB)
  await files.put(A, bytes('1234'), ANN)
  await files.put(B, bytes('1234'), ANN)
  await files.get(A)
  await files.put(C, bytes('1234'), ANN)
  expect(await files.get(B)).toBeNull()
  expect(await files.get(A)).not.toBeNull()
  expect(await readdir(folder)).toHaveLength(4)
})

test('remembers over a restart what was used last', async () => {
  const files = await PartFiles.open(folder, 10 * KIB)
  await files.put(A, bytes('1234'), ANN)
  await files.put(B, bytes('1234'), ANN)
  await utimes(join(folder, A), 2, 2)
  await utimes(join(folder, B), 1, 1)
  const again = await PartFiles.open(folder, 10 * KIB)
  await again.put(C, bytes('1234'), ANN)
  expect(await again.get(B)).toBeNull()
  expect(await again.get(A)).not.toBeNull()
})

test('a file that somebody removed is not here', async () => {
  const files = await PartFiles.open(folder)
  await files.put(A, bytes('1234'), ANN)
  await unlink(join(folder, A))
  expect(await files.get(A)).toBeNull()
  expect(await readdir(folder)).toEqual([])
  await files.put(A, bytes('1234'), ANN)
  expect(await files.get(A)).not.toBeNull()
})

test('two who put the same at once both have it on the disk', async () => {
  const files = await PartFiles.open(folder, 10 * KIB)
  await Promise.all([files.put(A, bytes('1234'), ANN), files.put(A, bytes('1234'), ANN)])
  await files.put(B, bytes('1234'), ANN)
  // Counted once, so that both have room.
  expect(await files.get(A)).toEqual(Buffer.from('1234'))
  expect(await readdir(folder)).toHaveLength(4)
})

test('what one person brings never pushes out another’s, over a restart and whoever else claims it', async () => {
  let files = await PartFiles.open(folder, 12 * KIB)
  await files.put(A, bytes('1234'), ANN)
  await files.claim(A, EVE)
  for (let round = 0; round < 2; round++) {
    for (let number = 0; number < 8; number++) {
      await files.put(`${round}${number}`.repeat(32), bytes('1234'), EVE)
    }
    expect(await files.get(A)).toEqual(Buffer.from('1234'))
    files = await PartFiles.open(folder, 12 * KIB)
  }
  const kept = (await readdir(folder)).filter((name) => !name.includes('.'))
  expect(kept).toEqual(['16'.repeat(32), '17'.repeat(32), A])
})

test('what has two owners stays until both have given it up', async () => {
  const files = await PartFiles.open(folder, 8 * KIB)
  await files.put(A, bytes('1234'), ANN)
  await files.claim(A, EVE)
  await files.put(B, bytes('1234'), EVE)
  await files.put(C, bytes('1234'), EVE)
  expect(await files.get(A)).not.toBeNull()
  expect(await readdir(folder)).not.toContain(`${A}.${EVE}`)
  await files.put('d'.repeat(64), bytes('1234'), ANN)
  expect(await files.get(A)).toBeNull()
})

test('what an earlier version has left is nobody’s, and a claim to nothing is none', async () => {
  await writeFile(join(folder, A), '1234')
  await writeFile(join(folder, `${B}.${ANN}`), '')
  const files = await PartFiles.open(folder)
  expect(await files.get(A)).not.toBeNull()
  expect(await readdir(folder)).toEqual([A, `${A}.${NOBODY}`])
})

test('closes when all is written, and writes nothing after that', async () => {
  const files = await PartFiles.open(folder)
  const putting = files.put(A, bytes('1234'), ANN)
  await files.close()
  expect(await readdir(folder)).toEqual([A, `${A}.${ANN}`])
  await putting
  await expect(files.put(B, bytes('1234'), ANN)).rejects.toMatchObject({ code: 'CANCELLED' })
  await expect(files.claim(A, EVE)).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(await readdir(folder)).toHaveLength(2)
})

test('tiny parts are not more than the quota has room for, over a restart neither', async () => {
  const hashes = Array.from({ length: 200 }, (_, number) => `${number}`.padStart(64, '0'))
  const left = async (): Promise<number> =>
    (await readdir(folder)).filter((name) => !name.includes('.')).length
  let files = await PartFiles.open(folder)
  for (const hash of hashes) await files.put(hash, bytes('x'), EVE)
  expect(await left()).toBe(200)
  files = await PartFiles.open(folder, 400 * KIB)
  await files.put(A, bytes('x'), EVE)
  expect(await left()).toBe(100)
  await files.put(B, bytes('x'), EVE)
  expect(await left()).toBe(100)
})
