import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import * as z from 'zod'
import { silentLog } from '../testing/silent-log.ts'
import { SmallLevel } from './small-level.ts'

let parent: string
let folder: string
const open: SmallLevel<string>[] = []

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'dharma-small-'))
  folder = join(parent, 'list')
})

afterEach(async () => {
  vi.restoreAllMocks()
  for (const level of open.splice(0)) await level.close()
  await rm(parent, { recursive: true, force: true })
})

async function openList(
  check?: (level: ClassicLevel<string, string>) => Promise<void>,
): Promise<SmallLevel<string>> {
  const level = await SmallLevel.open<string>(folder, 'utf8', silentLog, check)
  open.push(level)
  return level
}

/** A list with one entry, closed. */
async function makeList(): Promise<void> {
  const list = await SmallLevel.open<string>(folder, 'utf8', silentLog)
  await list.write((level) => level.put('move', 'e4'))
  await list.close()
}

const moveIn = (list: SmallLevel<string>): Promise<string | undefined> =>
  list.read((level) => level.get('move'))

/** What the engine of a LevelDB does when it opens. */
interface Engine {
  _open(options: unknown): Promise<void>
}

it.each([
  ['LEVEL_IO_ERROR', 'IO error: CURRENT: Too many open files', 'DISK_FAILED'],
  ['LEVEL_IO_ERROR', 'IO error: CURRENT: Permission denied', 'DISK_FAILED'],
  ['LEVEL_IO_ERROR', 'IO error: 000003.log: Input/output error', 'DISK_FAILED'],
  ['LEVEL_LOCKED', 'IO error: lock: already held by process', 'DISK_FAILED'],
  ['LEVEL_IO_ERROR', 'IO error: 000003.log: No space left on device', 'DISK_FULL'],
])('a list that does not open is left as it is: %s, %s', async (code, words, told) => {
  await makeList()
  const engine = ClassicLevel.prototype as unknown as Engine
  vi.spyOn(engine, '_open').mockRejectedValueOnce(Object.assign(new Error(words), { code }))
  await expect(openList()).rejects.toMatchObject({ code: told })
  expect(await moveIn(await openList())).toBe('e4')
  expect(await readdir(parent)).toEqual(['list'])
})

it.each(['CURRENT', 'MANIFEST-000002'])(
  'a list whose %s is damaged begins anew, and is put aside',
  async (name) => {
    await makeList()
    await writeFile(join(folder, name), 'no such thing')
    expect(await moveIn(await openList())).toBeUndefined()
    expect(await readdir(parent)).toEqual(['list', 'list.aside-1'])
    expect(await readdir(join(parent, 'list.aside-1'))).toContain(name)
  },
)

it('a list of which a part is gone begins anew', async () => {
  await makeList()
  for (const name of await readdir(folder)) {
    if (name.startsWith('MANIFEST')) await rm(join(folder, name))
  }
  expect(await moveIn(await openList())).toBeUndefined()
})

it('a list that holds what can not be its own begins anew', async () => {
  await makeList()
  const list = await openList(async (level) => {
    for await (const value of level.values()) z.literal('d4').parse(value)
  })
  expect(await moveIn(list)).toBeUndefined()
})

it('where there is no place for a list, that is told', async () => {
  await writeFile(folder, 'a file')
  await expect(openList()).rejects.toMatchObject({ code: 'DISK_FAILED' })
})

it('what can not be read is told', async () => {
  await makeList()
  const list = await openList()
  const failed = list.read(() => Promise.reject(new Error('IO error: Input/output error')))
  await expect(failed).rejects.toMatchObject({ code: 'DISK_FAILED' })
  expect(await moveIn(list)).toBe('e4')
})
