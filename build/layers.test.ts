// Plants one breach of each floor's rules in a copy of the layout and sees the linter report it.
import { execFile } from 'node:child_process'
import { copyFile, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
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
  ['node-runtime/contract/planted.ts', '../rpc/client.ts'],
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
  ['node-runtime/core/planted.ts', '../flow/serial-queue.ts'],
  ['node-runtime/core/planted.ts', '../ports/log.ts'],
  ['node-runtime/core/planted.ts', 'fast-check'],
  ['node-runtime/ports/planted.ts', '../core/keys.ts'],
  ['node-runtime/flow/planted.ts', '../core/keys.ts'],
  ['node-runtime/swarm/planted.ts', '../store/json-file.ts'],
  ['node-runtime/store/planted.ts', '../swarm/swarm.ts'],
  ['node-runtime/sandbox/planted.ts', '../store/json-file.ts'],
  ['node-runtime/sandbox/planted.ts', 'hypercore'],
  ['node-runtime/services/db/planted.ts', '../../machine/runtime.ts'],
  ['node-runtime/machine/planted.ts', '../host/host.ts'],
  ['node-runtime/machine/planted.ts', 'corestore'],
  ['node-runtime/host/planted.ts', '../daemon/up.ts'],
  ['node-runtime/simulator/planted.ts', '../store/json-file.ts'],
  ['node-runtime/simulator/planted.ts', '../swarm/swarm.ts'],
  ['electron/main/planted.ts', '../../node-runtime/host/host.ts'],
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
  ['node-runtime/core/allowed.ts', 'canonicalize'],
  ['node-runtime/flow/allowed.ts', '../contract/errors.ts'],
  ['node-runtime/store/allowed.ts', 'hypercore'],
  ['node-runtime/simulator/allowed.ts', '../core/step.ts'],
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

/** What makes a core impure, one a file. */
const IMPURITIES: readonly (readonly [what: string, source: string])[] = [
  ['an async function', 'export async function it(): Promise<void> {}\n'],
  ['an async arrow', 'export const it = async () => 1\n'],
  ['a promise', 'export const it = (): unknown => Promise.resolve(1)\n'],
  ['the time of day', 'export const it = (): number => Date.now()\n'],
  ['a new date', 'export const it = (): unknown => new Date()\n'],
  ['the monotonic clock', 'export const it = (): number => performance.now()\n'],
  ['chance', 'export const it = (): number => Math.random()\n'],
  ['random bytes', 'export const it = (): unknown => globalThis.crypto.randomUUID()\n'],
  ['a timer', 'export const it = (): unknown => setTimeout(() => {}, 1)\n'],
  ['the process', 'export const it = (): unknown => process.env\n'],
  ['a module loaded on demand', "export const it = (): unknown => import('./keys.ts')\n"],
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

const FLOORS = 'house(floors)'
const PURE = 'house(pure-core)'
let impure: string[]

beforeAll(async () => {
  copy = await mkdtemp(path.join(os.tmpdir(), 'dharma-layers-'))
  await copyFile(path.join(ROOT, '.oxlintrc.json'), path.join(copy, '.oxlintrc.json'))
  await symlink(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'))
  await cp(path.join(ROOT, 'build', 'lint'), path.join(copy, 'build', 'lint'), { recursive: true })
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
  impure = await Promise.all(
    IMPURITIES.map(async ([, source], number) => {
      const file = `node-runtime/core/impure-${number}.ts`
      await writeFile(path.join(copy, file), source)
      return file
    }),
  )
  await writeFile(
    path.join(copy, 'node-runtime/core/pure.ts'),
    'export const it = (clock: { Date: number }, nowMs: number) => Math.max(clock.Date, nowMs)\n',
  )
  findings = await lint()
})

afterAll(() => rm(copy, { recursive: true, force: true }))

function found(file: string): string[] {
  return findings.filter(({ filename }) => filename === file).map(({ code }) => code)
}

test.each(BREACHES.map((breach, number) => [...breach, number] as const))(
  '%s may not import %s',
  (_file, _imported, number) => {
    expect(found(breaches[number] as string)).toContain(FLOORS)
  },
)

test.each(ALLOWED.map((entry, number) => [...entry, number] as const))(
  '%s may import %s',
  (_file, _imported, number) => {
    expect(found(allowed[number] as string)).not.toContain(FLOORS)
  },
)

test.each(IMPURITIES.map(([what], number) => [what, number] as const))(
  '%s makes a core impure',
  (_what, number) => {
    expect(found(impure[number] as string)).toContain(PURE)
  },
)

test('a core that is handed what it needs is pure', () => {
  expect(found('node-runtime/core/pure.ts')).toEqual([])
})

test('a cycle of imports is found', () => {
  expect(found('renderer/app/one.ts')).toContain('import(no-cycle)')
})

test('the type that switches types off is found', () => {
  expect(found('renderer/app/any.ts')).toContain('typescript(no-explicit-any)')
})
