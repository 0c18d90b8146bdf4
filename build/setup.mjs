// What has to be there before anything else can run: Node, git, the packages, and for the tests the
// system's libraries. Runs on plain Node, before any package is installed.
//   node build/setup.mjs [--tests]
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from './paths.mjs'

const OLDEST_NODE_MAJOR = 20

/** For Electron under a display of its own: what shows that it is there, and Debian's names for it. */
const SYSTEM_PARTS = [
  { library: 'libgtk-3.so.0', packages: ['libgtk-3-0t64', 'libgtk-3-0'] },
  { library: 'libnss3.so', packages: ['libnss3'] },
  { library: 'libasound.so.2', packages: ['libasound2t64', 'libasound2'] },
  { library: 'libgbm.so.1', packages: ['libgbm1'] },
  { command: 'xvfb-run', packages: ['xvfb'] },
  { command: 'xauth', packages: ['xauth'] },
  { folder: '/usr/share/fonts/truetype', packages: ['fonts-dejavu-core'] },
]

/** For networks of their own, which only root may make. */
const NETWORK_PARTS = [
  { command: 'ip', packages: ['iproute2'] },
  { command: 'nft', packages: ['nftables'] },
]

/** Servers that the tests start by themselves. Where services run, installing one starts it: that is not ours to do. */
const SERVER_PARTS = [
  { command: 'miniupnpd', packages: ['miniupnpd'] },
  { command: 'sshd', packages: ['openssh-server'] },
]
const SERVICES_RUN = existsSync('/run/systemd/system') && !existsSync('/usr/sbin/policy-rc.d')

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

function readJson(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null
}

/** Do the installed packages match the lock? Those for other systems may be absent. */
export function packagesInstalled() {
  const lock = readJson(path.join(ROOT, 'package-lock.json'))
  const installed = readJson(path.join(ROOT, 'node_modules', '.package-lock.json'))
  if (lock === null || installed === null) return false
  return Object.entries(lock.packages).every(([name, wanted]) => {
    if (name === '') return true
    const found = installed.packages[name]
    return found === undefined ? wanted.optional === true : found.version === wanted.version
  })
}

function hasCommand(name) {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0
}

function missingParts() {
  const cache = ['ldconfig', '/sbin/ldconfig']
    .map((command) => spawnSync(command, ['-p'], { encoding: 'utf8' }).stdout)
    .find((output) => output)
  const ofRoot = process.getuid() === 0 ? [...NETWORK_PARTS, ...SERVER_PARTS] : []
  const parts = [...SYSTEM_PARTS, ...ofRoot]
  return parts.filter(({ library, command, folder }) => {
    if (library !== undefined) return cache !== undefined && !cache.includes(`${library} `)
    if (command !== undefined) return !hasCommand(command)
    return !existsSync(folder) || readdirSync(folder).length === 0
  })
}

/** The first of a part's names that this Debian has. */
function packageFor({ packages }) {
  return packages.find((name) =>
    /Candidate: (?!\(none\))/.test(
      spawnSync('apt-cache', ['policy', name], { encoding: 'utf8' }).stdout ?? '',
    ),
  )
}

/** Installs the system's parts for the tests where that is ours to do, else names them. */
function ensureSystemParts(say) {
  if (process.platform !== 'linux') return
  let missing = missingParts()
  if (missing.length === 0) return
  if (hasCommand('apt-get') && process.getuid() === 0) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const options = { stdio: ['ignore', 'ignore', 'inherit'], env }
    spawnSync('apt-get', ['update', '-qq'], options)
    // One that is unknown there would keep the others out.
    const names = missing
      .filter((part) => !SERVICES_RUN || !SERVER_PARTS.includes(part))
      .map((part) => packageFor(part))
      .filter((name) => name !== undefined)
    if (names.length > 0) {
      say(`Installing ${names.join(', ')} …`)
      spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], options)
      missing = missingParts()
    }
  }
  if (missing.length > 0) {
    const names = missing.map(({ packages }) => packages.at(-1)).join(' ')
    say(`Missing for the tests. On Debian: sudo apt-get install ${names}`)
  }
}

/**
 * Also where NODE_ENV=production would leave out what builds and tests. npm's warnings are left out: that
 * some packages ask for a newer Node than the one on which our tests run them, and that it skipped scripts
 * of packages which need none.
 */
function installPackages() {
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const { status, error } = spawnSync(npm, args, {
    cwd: ROOT,
    // stdout is for the results of the command that sets up.
    stdio: ['ignore', process.stderr.fd, 'inherit'],
    shell: process.platform === 'win32',
  })
  if (status === 0) return
  const reason = error === undefined ? 'What npm says is above' : error.message
  throw new Error(
    `The packages could not be installed (npm ci). ${reason}. It needs a package registry: see that npm reaches one, then start again.`,
  )
}

/**
 * Makes the source tree runnable, or throws with words that say what the person can do.
 * @param {{ tests?: boolean, say?: (line: string) => void }} options
 */
export function setUp({ tests = false, say = (line) => console.error(line) } = {}) {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE_MAJOR) {
    throw new Error(`Dharma needs Node ${OLDEST_NODE_MAJOR} or newer; this is ${process.version}.`)
  }
  if (spawnSync('git', ['--version']).status !== 0) {
    throw new Error('Dharma needs git, and it was not found. Install it and start again.')
  }
  if (!packagesInstalled()) {
    say('Installing the packages (npm ci) …')
    installPackages()
  }
  if (tests) ensureSystemParts(say)
}

if (process.argv[1] === import.meta.filename) {
  try {
    setUp({ tests: process.argv.includes('--tests') })
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
