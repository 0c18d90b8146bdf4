// `npm run mutate [-- PART …]`: breaks the code that guards, one place at a time, and sees whether a
// test goes red. See docs/testing.md.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { MUTATION_PARTS } from './mutation-parts.mjs'
import { ROOT } from './paths.mjs'

const asked = process.argv.slice(2)
const unknown = asked.find((part) => !Object.hasOwn(MUTATION_PARTS, part))
if (unknown !== undefined) {
  console.error(
    `There is no part "${unknown}"; there are: ${Object.keys(MUTATION_PARTS).join(', ')}`,
  )
  process.exit(1)
}

const STRYKER = path.join(ROOT, 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js')

for (const part of asked.length === 0 ? Object.keys(MUTATION_PARTS) : asked) {
  const { status } = spawnSync(process.execPath, [STRYKER, 'run'], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, NODE_ENV: 'test', DHARMA_MUTATION_PART: part },
  })
  if (status !== 0) process.exitCode = 1
}
