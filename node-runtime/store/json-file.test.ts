import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { readJsonFile, writeJsonFile } from './json-file.ts'

const schema = z.object({ round: z.number(), padding: z.string().optional() })

let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-json-'))
  path = join(folder, 'identity.json')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

describe('a file of settings', () => {
  it('is null before it is written, and what was written after', async () => {
    expect(await readJsonFile(path, schema)).toBeNull()
    await writeJsonFile(path, { round: 1 })
    expect(await readJsonFile(path, schema)).toEqual({ round: 1 })
  })

  it('is whole and the newest one when many write it at once', async () => {
    for (let round = 0; round < 40; round++) {
      const writers = Array.from({ length: 4 }, (_, number) =>
        writeJsonFile(path, { round: round * 4 + number, padding: 'x'.repeat(number * 5_000) }),
      )
      await Promise.all(writers)
      expect((await readJsonFile(path, schema))?.round).toBe(round * 4 + 3)
    }
    expect((await readdir(folder)).sort()).toEqual(['identity.json', 'identity.json.bak'])
  })

  it.each(['', '{"round": 2', '{"round": "two"}', '\u0000\u0000'])(
    'is the one before when it is damaged: %j',
    async (garbage) => {
      await writeJsonFile(path, { round: 1 })
      await writeJsonFile(path, { round: 2 })
      await writeFile(path, garbage)
      const words: string[] = []
      const read = () => readJsonFile(path, schema, { onFallback: (said) => words.push(said) })
      expect(await read()).toEqual({ round: 1 })
      expect(words).toHaveLength(1)
      expect(await read()).toEqual({ round: 1 })
      expect(words).toHaveLength(1)
      expect(await readFile(`${path}.damaged`, 'utf8')).toBe(garbage)
    },
  )

  it('does not keep a damaged one as the one before', async () => {
    await writeJsonFile(path, { round: 1 })
    await writeJsonFile(path, { round: 2 })
    await writeFile(path, 'garbage')
    await writeJsonFile(path, { round: 3 })
    await writeFile(path, 'garbage')
    expect(await readJsonFile(path, schema)).toEqual({ round: 1 })
  })

  it('is said to be damaged when the one before is, too', async () => {
    await writeJsonFile(path, { round: 1 })
    await writeJsonFile(path, { round: 2 })
    await writeFile(path, 'garbage')
    await writeFile(`${path}.bak`, 'garbage')
    await expect(readJsonFile(path, schema)).rejects.toMatchObject({ code: 'DATA_DAMAGED' })
  })

  it('can be moved away to begin anew', async () => {
    await writeJsonFile(path, { round: 1 })
    await writeJsonFile(path, { round: 2 })
    await rm(path)
    expect(await readJsonFile(path, schema)).toBeNull()
  })
})
