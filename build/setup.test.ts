// What a person meets first in a clean clone: a tree of sources without packages.
import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '..')
const SETS_UP = /setUp\(/

let clone: string
beforeEach(async () => {
  clone = await mkdtemp(path.join(os.tmpdir(), 'dharma-clone-'))
})
afterEach(() => rm(clone, { recursive: true }))

/** The sources as a clone has them, as far as they are read before any package is there. */
async function makeClone(): Promise<void> {
  await cp(path.join(ROOT, 'build'), path.join(clone, 'build'), { recursive: true })
  await mkdir(path.join(clone, 'node-runtime'))
  for (const file of ['package.json', 'package-lock.json']) {
    await cp(path.join(ROOT, file), path.join(clone, file))
  }
}

/** A package manager that reaches no registry. */
async function makeBrokenNpm(): Promise<string> {
  const bin = path.join(clone, 'bin')
  await mkdir(bin)
  const npm = path.join(bin, 'npm')
  await writeFile(npm, '#!/bin/sh\necho "asked: $1"\necho "no registry" >&2\nexit 1\n')
  await chmod(npm, 0o755)
  return bin
}

interface Ending {
  code: number
  stdout: string
  stderr: string
}

async function runIn(folder: string, script: string, binFolder: string): Promise<Ending> {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: `${binFolder}${path.delimiter}${process.env['PATH'] ?? ''}`,
  }
  delete env['DHARMA_SKIP_BUILD']
  try {
    const options = { cwd: folder, env }
    const output = await promisify(execFile)(process.execPath, [script, 'calls'], options)
    return { code: 0, ...output }
  } catch (error) {
    return error as Ending
  }
}

test.skipIf(process.platform === 'win32').each(['dharma.mjs', 'start.mjs', 'setup.mjs'])(
  '%s in a clean clone installs the packages first, and says in a sentence if that fails',
  async (script) => {
    await makeClone()
    const { code, stdout, stderr } = await runIn(
      clone,
      path.join('build', script),
      await makeBrokenNpm(),
    )
    expect(code).toBe(1)
    expect(stdout + stderr).toContain('asked: ci')
    expect(stderr).toContain('no registry')
    expect(stderr).toContain('The packages could not be installed')
    expect(stderr).not.toMatch(/ERR_MODULE_NOT_FOUND|^\s+at /m)
    // Programs read the results of commands there.
    if (script === 'dharma.mjs') expect(stdout).toBe('')
  },
)

test('every script of package.json sets up before it needs a package', async () => {
  const { scripts } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  for (const [name, command] of Object.entries(scripts)) {
    if (command.startsWith('node build/setup.mjs')) continue
    const program = /^node (build\/[a-z-]+\.mjs)$/.exec(command)?.[1]
    const source = program === undefined ? '' : await readFile(path.join(ROOT, program), 'utf8')
    expect([name, SETS_UP.test(source)]).toEqual([name, true])
  }
})
