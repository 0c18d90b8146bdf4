// `npm start`: sets up, builds, and opens the window. Without Electron's own release, the daemon
// with the same pages in the system's browser. What follows `--` is passed on.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { DIST, ROOT } from './paths.mjs'
import { setUp } from './setup.mjs'

const say = (line) => console.log(line)

function follow(child) {
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 0 : 1)
  })
}

async function openWindow(dist, args) {
  const { electronExecutable } = await import('./electron-runtime.mjs')
  const switches = []
  if (process.platform === 'linux' && process.getuid() === 0) {
    say('Started as root: Chromium can run so only without its sandbox. Better start as a user.')
    switches.push('--no-sandbox')
  }
  const executable = await electronExecutable(dist)
  follow(spawn(executable, [...switches, ROOT, ...args], { stdio: 'inherit' }))
}

function openInBrowser(url) {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '', url]
        : ['xdg-open', url]
  const opener = spawn(command, args, { stdio: 'ignore', detached: true })
  opener.on('error', () => {})
  opener.unref()
}

function startDaemon(args) {
  const program = path.join(DIST, 'node-runtime', 'dharma.js')
  const child = spawn(process.execPath, [program, 'up', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  follow(child)
  let output = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', function read(chunk) {
    output += chunk
    const end = output.indexOf('\n')
    if (end < 0) return
    child.stdout.off('data', read)
    child.stdout.resume()
    const { url } = JSON.parse(output.slice(0, end))
    say(`Dharma is running. Open it here: ${url}`)
    openInBrowser(url)
  })
}

try {
  setUp({ say })
  const [{ buildAll }, { electronRelease }] = await Promise.all([
    import('./build.mjs'),
    import('./electron-runtime.mjs'),
  ])
  await buildAll({ ifNeeded: true })
  const args = process.argv.slice(2)
  const dist = await electronRelease(say)
  if (dist === null) {
    say('So there is no window of its own: using your browser.')
    startDaemon(args)
  } else {
    await openWindow(dist, args)
  }
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
