import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeFolder, placeError } from './folder-place.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-place-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('a folder that a person named', () => {
  it('is made with those that it lies in, for its owner alone', async () => {
    const path = join(folder, 'a', 'b', 'c')
    await makeFolder(path)
    await makeFolder(path)
    for (const made of [path, join(folder, 'a')]) {
      expect((await stat(made)).isDirectory()).toBe(true)
      if (process.platform !== 'win32') expect((await stat(made)).mode & 0o777).toBe(0o700)
    }
  })

  it('is left as it is when it is there, a link to one too', async () => {
    const path = join(folder, 'open')
    await mkdir(path, { mode: 0o755 })
    await symlink(path, join(folder, 'link'))
    await makeFolder(join(folder, 'link'))
    if (process.platform !== 'win32') expect((await stat(path)).mode & 0o777).toBe(0o755)
  })

  it('can be made by several at once', async () => {
    const path = join(folder, 'a', 'b', 'c')
    await Promise.all(Array.from({ length: 20 }, () => makeFolder(path)))
    expect((await stat(path)).isDirectory()).toBe(true)
  })

  it('that is a file, or lies in one, or behind a link to nothing, is said to be unusable', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    await symlink(join(folder, 'nothing'), join(folder, 'link'))
    for (const [path, words] of [
      [file, 'is a file, not a folder'],
      [join(file, 'x'), 'lies in a file'],
      [join(file, 'x', 'y'), 'lies in a file'],
      [join(folder, 'link'), 'Choose'],
    ] as const) {
      await expect(makeFolder(path)).rejects.toMatchObject({
        code: 'FOLDER_UNUSABLE',
        message: expect.stringContaining(words),
        details: { path },
      })
    }
  })

  it.skipIf(process.platform !== 'linux')(
    'is given up where the system says that the folder above is not there, though it is',
    async () => {
      await expect(makeFolder('/proc/nope/a')).rejects.toMatchObject({
        code: 'FOLDER_UNUSABLE',
        message: expect.stringContaining('No folder can be made at /proc/nope/a'),
      })
    },
  )
})

it.each([
  ['EACCES', 'no permission'],
  ['EPERM', 'no permission'],
  ['EROFS', 'read-only'],
  ['EEXIST', 'not a folder'],
  ['ENOTDIR', 'no folder'],
])('%s is said in words, with what can be done', (code, words) => {
  const error = Object.assign(new Error(`${code}: as the system says it`), { code })
  const said = placeError(error, '/data')
  expect(said).toMatchObject({
    code: 'FOLDER_UNUSABLE',
    details: { path: '/data', reason: error.message },
  })
  expect(said?.message).toContain(words)
  expect(said?.message).toMatch(/Choose|choose/)
  expect(said?.message).not.toContain(code)
})

it('says nothing of errors that are none of the place', () => {
  expect(placeError(Object.assign(new Error('EIO'), { code: 'EIO' }), '/data')).toBeNull()
  expect(placeError(new Error('why'), '/data')).toBeNull()
  expect(placeError('why', '/data')).toBeNull()
})
