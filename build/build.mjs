// Bundles everything into dist/: `node build/build.mjs [--if-needed]`.
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import path from 'node:path'
import { DIST, ROOT, readPackage, sha } from './paths.mjs'

/** What the bundles are made of; a change in any of it makes dist/ old. */
const SOURCES = ['build', 'electron', 'extensions/sdk', 'node-runtime', 'renderer']
const SOURCE_FILES = ['package.json', 'package-lock.json', 'tsconfig.json']
const STAMP = 'sources.sha256'

/** Programs on Node and in Electron's processes: packages of `dependencies` stay outside. */
const NODE_ENTRIES = {
  'node-runtime/dharma.js': 'node-runtime/daemon/dharma.ts',
  'electron/main.js': 'electron/main/main.ts',
  'electron/runtime-process.js': 'electron/runtime-process/index.ts',
}
/** Sandboxed preloads, which can be CommonJS only. */
const PRELOAD_ENTRIES = {
  'electron/preload-shell.cjs': 'electron/preload/shell.ts',
  'electron/preload-system.cjs': 'electron/preload/system.ts',
}
/** What the host gives to the pages of systems. */
const SDK_ENTRIES = {
  'sdk/sdk.js': 'extensions/sdk/index.ts',
  'sdk/lit.js': 'extensions/sdk/lit.ts',
}
const SDK_THEME = ['renderer/ui/tokens.css', 'extensions/sdk/theme.css']

/** Chromium of the oldest Electron that runs the pages. */
const BROWSER_TARGET = 'chrome130'

async function filesUnder(folder) {
  const entries = await readdir(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
}

/** One hash over the names and contents of all sources. */
export async function hashSources() {
  const folders = await Promise.all(SOURCES.map((folder) => filesUnder(folder)))
  const files = [...folders.flat(), ...SOURCE_FILES.map((file) => path.join(ROOT, file))].sort()
  const hashes = await Promise.all(
    files.map(
      async (file) => `${path.relative(ROOT, file)} ${sha('sha256', await readFile(file))}`,
    ),
  )
  const { DHARMA_RELEASE, DHARMA_LISTS } = process.env
  if (DHARMA_RELEASE !== undefined) hashes.push(sha('sha256', await readFile(DHARMA_RELEASE)))
  if (DHARMA_LISTS !== undefined) hashes.push(sha('sha256', await readFile(DHARMA_LISTS)))
  return sha('sha256', hashes.join('\n'))
}

async function isCurrent(hash) {
  const stamp = await readFile(path.join(DIST, STAMP), 'utf8').catch(() => null)
  return stamp === hash
}

/** The names of packages that stay outside a bundle, with all their paths. */
function outside(packages) {
  return (id) =>
    id.startsWith('node:') ||
    builtinModules.includes(id) ||
    packages.some((name) => id === name || id.startsWith(`${name}/`))
}

/** These load parts of themselves when they are needed; everything else is one file. */
const IN_PARTS = ['node-runtime/dharma.js', 'electron/runtime-process.js']

function outputOf(file, out) {
  if (!IN_PARTS.includes(file)) return { file: path.join(out, file), codeSplitting: false }
  const dir = path.join(out, path.dirname(file))
  return { dir, entryFileNames: path.basename(file), chunkFileNames: '[name]-[hash].js' }
}

async function bundle(entries, out, { platform, format, external }) {
  const { build } = await import('rolldown')
  await allDone(
    Object.entries(entries).map(([file, source]) =>
      build({
        input: path.join(ROOT, source),
        cwd: ROOT,
        platform,
        external,
        logLevel: 'warn',
        // A package that nothing is taken from is not loaded either.
        treeshake: { moduleSideEffects: 'no-external' },
        transform: platform === 'browser' ? { target: BROWSER_TARGET } : { target: 'node20' },
        output: {
          ...outputOf(file, out),
          format,
          minify: platform === 'browser',
          sourcemap: platform === 'node' ? 'inline' : false,
        },
      }),
    ),
  )
}

async function bundleRenderer(out) {
  const [{ build }, { default: react }] = await Promise.all([
    import('vite'),
    import('@vitejs/plugin-react'),
  ])
  await build({
    root: path.join(ROOT, 'renderer'),
    base: '/',
    configFile: false,
    logLevel: 'warn',
    plugins: [react()],
    build: {
      outDir: path.join(out, 'renderer'),
      emptyOutDir: true,
      target: BROWSER_TARGET,
      // The shell's content security policy has no room for scripts in the page.
      modulePreload: false,
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 2_000,
    },
  })
}

/** Like Promise.all, but nothing is still at work when it fails. */
async function allDone(works) {
  const results = await Promise.allSettled(works)
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

async function writeTheme(out) {
  const parts = SDK_THEME.map((file) => readFile(path.join(ROOT, file), 'utf8'))
  await writeFile(path.join(out, 'sdk', 'theme.css'), (await Promise.all(parts)).join('\n'))
}

/**
 * What lets the machines of this build into their owner's cloud (`dharma cloud release`), if there is one. It is
 * secret: whoever has the build has it, so it is for builds that the owner gives to those who may come in.
 */
function bakeRelease(out) {
  return bake(process.env.DHARMA_RELEASE, 'releaseFile', path.join(out, 'release.json'))
}

/**
 * Look-up lists with who may write to them (`dharma list bake`). Whoever has the build can write there: it is for
 * builds that the owner keeps.
 */
function bakeLists(out) {
  return bake(process.env.DHARMA_LISTS, 'listsFile', path.join(out, 'lists.json'))
}

/** Nothing of what is secret in the file is said, whatever is wrong with it. */
async function bake(from, mark, to) {
  if (from === undefined) return
  const file = await readFile(from, 'utf8')
  let version
  try {
    version = JSON.parse(file)[mark]
  } catch {
    // No JSON, so no such file.
  }
  if (version !== 1) throw new Error(`${from} is not a file with "${mark}": 1`)
  await writeFile(to, file, { mode: 0o600 })
}

/** Replaces dist/ in one step, so that whoever starts now sees the old or the new, never a mix. */
async function publish(draft) {
  const old = `${draft}.old`
  if (existsSync(DIST)) await rename(DIST, old)
  await rename(draft, DIST)
  await rm(old, { recursive: true, force: true })
}

/**
 * Builds dist/. With `ifNeeded`, only if a source has changed since the last time.
 * @returns {Promise<boolean>} whether it was built
 */
export async function buildAll({ ifNeeded = false } = {}) {
  const hash = await hashSources()
  if (ifNeeded && (await isCurrent(hash))) return false
  const { dependencies } = await readPackage()
  const external = outside(['electron', ...Object.keys(dependencies)])
  const draft = path.join(ROOT, 'out', `dist-${process.pid}`)
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { recursive: true })
  try {
    await allDone([
      bundle(NODE_ENTRIES, draft, { platform: 'node', format: 'esm', external }),
      bundle(PRELOAD_ENTRIES, draft, {
        platform: 'browser',
        format: 'cjs',
        external: ['electron'],
      }),
      bundle(SDK_ENTRIES, draft, { platform: 'browser', format: 'esm', external: [] }),
      bundleRenderer(draft),
    ])
    await writeTheme(draft)
    await bakeRelease(draft)
    await bakeLists(draft)
    await writeFile(path.join(draft, STAMP), hash)
    await publish(draft)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return true
}

if (process.argv[1] === import.meta.filename) {
  const startMs = performance.now()
  const built = await buildAll({ ifNeeded: process.argv.includes('--if-needed') })
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  console.log(built ? `Built dist/ in ${seconds} s.` : 'dist/ is up to date.')
}
