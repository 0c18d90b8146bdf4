#!/usr/bin/env node
// The `dharma` command: in a source tree it sets up and builds what has changed, then runs the bundled
// program.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { DIST, ROOT } from './paths.mjs'
import { setUp } from './setup.mjs'

async function prepare() {
  try {
    setUp()
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
  const { buildAll } = await import('./build.mjs')
  await buildAll({ ifNeeded: true })
}

// A script of npm runs in the package's folder; paths are meant from where the person stands.
if (process.env.npm_lifecycle_event === 'dharma' && process.env.INIT_CWD)
  process.chdir(process.env.INIT_CWD)

const isSource = existsSync(path.join(ROOT, 'node-runtime'))
if (isSource && process.env.DHARMA_SKIP_BUILD !== '1') await prepare()
const program = path.join(DIST, 'node-runtime', 'dharma.js')
process.argv[1] = program
await import(pathToFileURL(program).href)
