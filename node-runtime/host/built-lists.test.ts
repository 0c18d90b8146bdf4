import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { BuiltLists } from '../contract/lists.ts'
import { Runtime } from '../machine/runtime.ts'
import { keyOf } from '../testing/entries.ts'
import { silentLog } from '../testing/silent-log.ts'
import { builtLists } from './built-lists.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-built-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const built = (cloud: string): BuiltLists => ({
  listsFile: 1,
  cloud,
  lists: [
    {
      url: 'https://host.invalid/list.git',
      keeps: true,
      access: { username: 'ada', secret: 'hush' },
    },
  ],
})

it('what a build carries is read; a build without it has none', async () => {
  const path = join(folder, 'lists.json')
  expect(await builtLists(path)).toBeUndefined()
  await writeFile(path, JSON.stringify(built(keyOf('cloud'))))
  expect(await builtLists(path)).toEqual(built(keyOf('cloud')))
})

it.each([
  ['no JSON', 'hush'],
  ['something else', '{"secret":"hush"}'],
  ['too long', JSON.stringify({ ...built(keyOf('cloud')), more: 'x'.repeat(65_536) })],
])('a file that is %s is refused, and nothing of it repeated', async (_, text) => {
  const path = join(folder, 'lists.json')
  await writeFile(path, text)
  const reading = builtLists(path)
  await expect(reading).rejects.toMatchObject({ code: 'LISTS_FILE_INVALID' })
  await expect(reading).rejects.not.toThrow(/hush/)
})

it('a machine of that cloud keeps the list, one of another does not hear of it', async () => {
  const dataDir = join(folder, 'data')
  const start = (builtOf?: BuiltLists): Promise<Runtime> =>
    Runtime.start({
      dataDir,
      kind: 'headless',
      sdkDir: folder,
      log: silentLog,
      ways: [],
      host: '127.0.0.1',
      bootstrap: [],
      ...(builtOf === undefined ? {} : { builtLists: builtOf }),
    })
  const first = await start(built(keyOf('another cloud')))
  const { cloud } = first
  expect(first.connection.lists).toEqual([])
  await first.close()
  const again = await start(built(cloud))
  expect(again.connection.lists).toMatchObject([
    { url: 'https://host.invalid/list.git', keeps: true, hasAccess: true },
  ])
  await again.close()
})
