// Before any story: dist/ is built, and an Electron and a Chromium are there.
import { execFileSync } from 'node:child_process'
import path from 'node:path'

const BUILD = path.resolve(import.meta.dirname, '../../build')

function run(script: string, ...args: string[]): string {
  const output = execFileSync(process.execPath, [path.join(BUILD, script), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return output.trim()
}

export default function setUp(): void {
  run('build.mjs', '--if-needed')
  // What the tests start must not each look whether there is something to build.
  process.env['DHARMA_SKIP_BUILD'] = '1'
  process.env['ELECTRON_OVERRIDE_DIST_PATH'] ??= run('electron-runtime.mjs')
  process.env['DHARMA_CHROMIUM'] ??= run('chromium.mjs')
}
