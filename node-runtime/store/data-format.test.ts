import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { claimDataFormat } from './data-format.ts'

let data: string

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'dharma-format-'))
})

afterEach(() => rm(data, { recursive: true, force: true }))

const formatFile = (): string => join(data, 'format.json')

it('a data folder without a format gets this version’s, and keeps it', async () => {
  await claimDataFormat(data)
  await claimDataFormat(data)
  expect(JSON.parse(await readFile(formatFile(), 'utf8'))).toEqual({ format: 2 })
})

it('a data folder of a newer version is refused and left as it is', async () => {
  await writeFile(formatFile(), '{"format": 3, "more": true}')
  await expect(claimDataFormat(data)).rejects.toMatchObject({ code: 'DATA_TOO_NEW' })
  expect(await readFile(formatFile(), 'utf8')).toBe('{"format": 3, "more": true}')
})
