import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { manifestSchema } from '../../node-runtime/contract/manifest.ts'
import { stripTypes } from '../../node-runtime/sandbox/strip-types.ts'

const EXTENSIONS = fileURLToPath(new URL('..', import.meta.url))

/** What a served module may import: the host's two modules, and files of its own system. */
const IMPORT = /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?\s*['"]([^'"]+)['"]/g
const HOST_MODULES = ['/.dharma/sdk.js', '/.dharma/lit.js']

describe.each(['event-games', 'notes'])('the system in %s', (folder) => {
  const root = path.join(EXTENSIONS, folder)
  const modules = async (): Promise<string[]> =>
    (await readdir(root, { recursive: true })).filter((file) => /(?<!\.test)\.ts$/.test(file))

  test('has a manifest that a machine accepts', async () => {
    const manifest: unknown = JSON.parse(await readFile(path.join(root, 'dharma.json'), 'utf8'))
    expect(manifestSchema.safeParse(manifest).error).toBeUndefined()
  })

  test('can be served as it is: types strip, and every import is there', async () => {
    const files = await modules()
    expect(files.length).toBeGreaterThan(0)
    for (const file of files) {
      const code = await stripTypes(await readFile(path.join(root, file), 'utf8'), file)
      for (const [, target = ''] of code.matchAll(IMPORT)) {
        if (HOST_MODULES.includes(target)) continue
        expect(files, `${file} imports ${target}`).toContain(path.join(path.dirname(file), target))
      }
    }
  })
})
