// The command line for tests: bundled once, run as a shell runs it.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'

const SOURCE = fileURLToPath(new URL('../dharma.ts', import.meta.url))
/** Inside the repository, as deep as the source, for packages and systems to be found. */
const BUNDLES = fileURLToPath(new URL('../../../out', import.meta.url))

export interface Running {
  child: ChildProcess
  lines: Interface
  stderr: () => string
  /** The exit code, or the signal. */
  ended: Promise<number | string>
}

export interface Command {
  /** @param prefix  what runs it, if not this computer's shell */
  start(args: readonly string[], env?: NodeJS.ProcessEnv, prefix?: readonly string[]): Running
  /** Ends with `kill -9` all that still runs. */
  killAll(): Promise<void>
  remove(): Promise<void>
}

/** Bundles the command line. */
export async function bundleCommand(): Promise<Command> {
  const folder = join(BUNDLES, `cli-test-${process.pid}-${Date.now()}`)
  await build({
    input: SOURCE,
    platform: 'node',
    external: /^[^./]/,
    logLevel: 'warn',
    output: { dir: folder, format: 'esm' },
  })
  const running = new Set<ChildProcess>()
  return {
    start(args, env = {}, prefix = []) {
      const [program, ...words] = [...prefix, process.execPath, join(folder, 'dharma.js')]
      const child = spawn(program, [...words, ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, DHARMA_DATA: '', ...env },
      })
      running.add(child)
      let stderr = ''
      child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
      const ended = once(child, 'close').then(([code, signal]) => {
        running.delete(child)
        return (code ?? signal) as number | string
      })
      return { child, lines: createInterface(child.stdout!), stderr: () => stderr, ended }
    },
    async killAll() {
      const exits = [...running].map((child) => once(child, 'exit'))
      for (const child of running) child.kill('SIGKILL')
      await Promise.all(exits)
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

/** The first line on stdout from now on that is as wanted; those before are passed over. */
export async function lineThat(
  running: Running,
  isWanted: (line: string) => boolean,
): Promise<void> {
  const { lines, ended, stderr } = running
  return new Promise((resolve, reject) => {
    const look = (line: string): void => {
      if (!isWanted(line)) return
      lines.off('line', look)
      resolve()
    }
    lines.on('line', look)
    void ended.then((code) => reject(new Error(`ended with ${code}: ${stderr()}`)))
  })
}

/** The next line on stdout. */
export function nextLine({ lines, ended, stderr }: Running): Promise<string> {
  return new Promise((resolve, reject) => {
    lines.once('line', resolve)
    void ended.then((code) => reject(new Error(`ended with ${code}: ${stderr()}`)))
  })
}
