// Plants one breach of each layer's rules in a copy of the layout and sees the linter report it.
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '..')
const OXLINT = path.join(ROOT, 'node_modules', '.bin', 'oxlint')

/** Where the import is planted, and what is imported. */
const BREACHES: readonly (readonly [file: string, imported: string])[] = [
  ['node-runtime/contract/planted.ts', 'node:fs'],
  ['node-runtime/contract/planted.ts', 'hypercore'],
  ['node-runtime/contract/planted.ts', '../core/keys.ts'],
  ['node-runtime/rpc/planted.ts', '../services/db/database.ts'],
  ['node-runtime/rpc/planted.ts', 'node:fs'],
  ['node-runtime/core/planted.ts', 'node:fs'],
  ['node-runtime/core/planted.ts', 'corestore'],
  ['node-runtime/core/planted.ts', '../store/json-file.ts'],
  ['node-runtime/store/planted.ts', '../services/db/database.ts'],
  ['node-runtime/store/planted.ts', 'electron'],
  ['node-runtime/swarm/planted.ts', '../daemon/up.ts'],
  ['node-runtime/services/db/planted.ts', 'hypercore'],
  ['node-runtime/services/db/planted.ts', 'hyperswarm'],
  ['node-runtime/services/db/planted.ts', 'protomux'],
  ['node-runtime/services/db/planted.ts', 'electron'],
  ['node-runtime/services/db/planted.ts', '../../daemon/up.ts'],
  ['node-runtime/daemon/planted.ts', 'electron'],
  ['node-runtime/daemon/planted.ts', 'corestore'],
  ['node-runtime/daemon/planted.ts', '../../renderer/main.tsx'],
  ['node-runtime/planted.ts', 'electron'],
  ['electron/main/planted.ts', '../../node-runtime/services/db/database.ts'],
  ['electron/main/planted.ts', '../../node-runtime/store/record-store.ts'],
  ['electron/main/planted.ts', '../../node-runtime/machine/runtime.ts'],
  ['electron/main/planted.ts', '../../renderer/main.tsx'],
  ['electron/preload/planted.ts', '../../node-runtime/host/host.ts'],
  ['electron/runtime-process/planted.ts', '../../node-runtime/services/db/database.ts'],
  ['renderer/features/home/planted.ts', 'node:fs'],
  ['renderer/features/home/planted.ts', 'electron'],
  ['renderer/features/home/planted.ts', 'hyperswarm'],
  ['renderer/features/home/planted.ts', '../../../node-runtime/services/db/database.ts'],
  ['renderer/features/home/planted.ts', '../../../electron/main/tabs.ts'],
  ['renderer/client/planted.ts', '../../node-runtime/rpc/server.ts'],
  ['renderer/ui/planted.ts', '../stores/tabs.ts'],
  ['renderer/ui/planted.ts', '../../node-runtime/rpc/client.ts'],
  ['renderer/stores/planted.ts', 'react'],
  ['renderer/stores/planted.ts', '../features/home/home-page.tsx'],
  ['extensions/event-games/planted.ts', 'node:fs'],
  ['extensions/event-games/planted.ts', 'lit'],
  ['extensions/event-games/planted.ts', '../sdk/index.ts'],
  ['extensions/event-games/planted.ts', '../../node-runtime/contract/index.ts'],
  ['extensions/sdk/planted.ts', 'node:fs'],
  ['extensions/sdk/planted.ts', '../../node-runtime/services/db/database.ts'],
  ['extensions/sdk/planted.ts', '../../renderer/ui/button.tsx'],
]

/** What each layer needs, which the rules must let through. */
const ALLOWED: readonly (readonly [file: string, imported: string])[] = [
  ['node-runtime/contract/allowed.ts', 'zod'],
  ['node-runtime/contract/allowed.ts', './values.ts'],
  ['node-runtime/rpc/allowed.ts', '../contract/index.ts'],
  ['node-runtime/core/allowed.ts', '../contract/values.ts'],
  ['node-runtime/store/allowed.ts', 'hypercore'],
  ['node-runtime/swarm/allowed.ts', 'hyperswarm'],
  ['node-runtime/services/db/allowed.ts', '../../store/record-store.ts'],
  ['node-runtime/daemon/allowed.ts', '../machine/runtime.ts'],
  ['electron/main/allowed.ts', '../../node-runtime/contract/index.ts'],
  ['electron/runtime-process/allowed.ts', '../../node-runtime/machine/runtime.ts'],
  ['renderer/features/home/allowed.ts', '../../ui/button.tsx'],
  ['renderer/client/allowed.ts', '../../node-runtime/rpc/client.ts'],
  ['renderer/stores/allowed.ts', '../client/connection.ts'],
  ['extensions/event-games/allowed.ts', '/.dharma/sdk.js'],
  ['extensions/event-games/rules/allowed.ts', './chess.ts'],
  ['extensions/sdk/allowed.ts', '../../node-runtime/rpc/client.ts'],
]

interface Finding {
  code: string
  filename: string
}

let copy: string

/** Each import gets a file of its own, named after its number. */
async function plant(list: typeof BREACHES): Promise<string[]> {
  return Promise.all(
    list.map(async ([file, imported], number) => {
      const named = file.replace(/\.ts$/, `-${number}.ts`)
      await mkdir(path.join(copy, path.dirname(named)), { recursive: true })
      await writeFile(path.join(copy, named), `import it from '${imported}'\nexport { it }\n`)
      return named
    }),
  )
}

function lint(): Promise<Finding[]> {
  return new Promise((resolve, reject) => {
    execFile(OXLINT, ['-f', 'json'], { cwd: copy, maxBuffer: 10_000_000 }, (_error, stdout) => {
      try {
        resolve((JSON.parse(stdout) as { diagnostics: Finding[] }).diagnostics)
      } catch (error) {
        reject(error as Error)
      }
    })
  })
}

let findings: Finding[]
let breaches: string[]
let allowed: string[]

const CODE = 'eslint(no-restricted-imports)'

beforeAll(async () => {
  copy = await mkdtemp(path.join(os.tmpdir(), 'dharma-layers-'))
  await copyFile(path.join(ROOT, '.oxlintrc.json'), path.join(copy, '.oxlintrc.json'))
  await symlink(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'))
  breaches = await plant(BREACHES)
  allowed = await plant(ALLOWED)
  await mkdir(path.join(copy, 'renderer/app'), { recursive: true })
  await writeFile(
    path.join(copy, 'renderer/app/one.ts'),
    "import { two } from './two.ts'\nexport const one = (): number => two()\n",
  )
  await writeFile(
    path.join(copy, 'renderer/app/two.ts'),
    "import { one } from './one.ts'\nexport const two = (): number => one()\n",
  )
  await writeFile(path.join(copy, 'renderer/app/any.ts'), 'export const it = (x: any) => x\n')
  findings = await lint()
})

afterAll(() => rm(copy, { recursive: true, force: true }))

function found(file: string): string[] {
  return findings.filter(({ filename }) => filename === file).map(({ code }) => code)
}

test.each(BREACHES.map((breach, number) => [...breach, number] as const))(
  '%s may not import %s',
  (_file, _imported, number) => {
    expect(found(breaches[number] as string)).toContain(CODE)
  },
)

test.each(ALLOWED.map((entry, number) => [...entry, number] as const))(
  '%s may import %s',
  (_file, _imported, number) => {
    expect(found(allowed[number] as string)).not.toContain(CODE)
  },
)

test('a cycle of imports is found', () => {
  expect(found('renderer/app/one.ts')).toContain('import(no-cycle)')
})

test('the type that switches types off is found', () => {
  expect(found('renderer/app/any.ts')).toContain('typescript(no-explicit-any)')
})
