// `npm test`: sets up, builds, and runs every check and test; the last line sums them up.
import { spawnSync } from 'node:child_process'
import { mkdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { ROOT } from './paths.mjs'
import { setUp } from './setup.mjs'

const REPORTS = path.join(ROOT, 'out', 'test')
const bin = (name) => path.join(ROOT, 'node_modules', '.bin', name)

const totals = { passed: 0, failed: 0, skipped: 0 }
const failures = []

function count(stage, { passed, failed, skipped }) {
  totals.passed += passed
  totals.failed += failed
  totals.skipped += skipped
  if (failed > 0) failures.push(`${stage} (${failed})`)
}

function run(command, args, env = {}) {
  const options = { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } }
  return spawnSync(command, args, { ...options, shell: process.platform === 'win32' }).status === 0
}

/** Runs one stage; if it breaks instead of failing, that is one failure more. */
async function stage(name, work) {
  const startMs = performance.now()
  console.log(`\n── ${name} ──`)
  try {
    count(name, await work())
  } catch (error) {
    console.error(error.message)
    count(name, { passed: 0, failed: 1, skipped: 0 })
  }
  console.log(`── ${name}: ${((performance.now() - startMs) / 1000).toFixed(1)} s ──`)
}

const check = (ok) => ({ passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 })

async function vitest() {
  const report = path.join(REPORTS, 'vitest.json')
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const ok = run(bin('vitest'), args, { NODE_ENV: 'test' })
  const result = JSON.parse(await readFile(report, 'utf8'))
  // A file that does not even load has no tests to count.
  const broken = result.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length
  const failed = result.numFailedTests + broken
  return {
    passed: result.numPassedTests,
    // An error outside of any test fails the run, too.
    failed: ok ? failed : Math.max(failed, 1),
    skipped: result.numPendingTests + result.numTodoTests,
  }
}

async function playwright() {
  const report = path.join(REPORTS, 'playwright.json')
  const args = ['test', '--reporter=list,json']
  const display = process.platform === 'linux' && !process.env.DISPLAY
  const [command, ...rest] = display
    ? ['xvfb-run', '-a', '-s', '-screen 0 1600x1000x24', bin('playwright')]
    : [bin('playwright')]
  const ok = run(command, [...rest, ...args], { PLAYWRIGHT_JSON_OUTPUT_FILE: report })
  const { stats, errors } = JSON.parse(await readFile(report, 'utf8'))
  const failed = stats.unexpected + errors.length
  return {
    passed: stats.expected + stats.flaky,
    failed: ok ? failed : Math.max(failed, 1),
    skipped: stats.skipped,
  }
}

await rm(REPORTS, { recursive: true, force: true })
await mkdir(REPORTS, { recursive: true })
await stage('set-up', () => {
  setUp({ tests: true, say: (line) => console.log(line) })
  return { passed: 0, failed: 0, skipped: 0 }
})
// In a process of its own: Vite's build leaves NODE_ENV=production behind.
await stage('build', () => check(run(process.execPath, [path.join('build', 'build.mjs')])))
await stage('format', () => check(run(bin('prettier'), ['--check', '--log-level=warn', '.'])))
await stage('lint', () => check(run(bin('oxlint'), ['--type-aware'])))
await stage('types', () => check(run(bin('tsc'), ['-p', '.'])))
await stage('vitest', vitest)
await stage('playwright', playwright)

if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}`)
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exitCode = totals.failed > 0 ? 1 : 0
