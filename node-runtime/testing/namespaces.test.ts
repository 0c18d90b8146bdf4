import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { expect, it, vi } from 'vitest'
import { Namespaces, namespacesFault } from './namespaces.ts'

const fault = await namespacesFault()
if (fault !== null) console.warn(`Networks of tests are not tested here: ${fault}.`)

const namesOf = (maker: number): string[] =>
  execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith(`dh${maker}-`))

/** Has it ended? Whoever began it may not have asked yet. */
function isOver(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.startsWith('Z') === true
  } catch {
    // There is none any more.
    return true
  }
}

/** A process that has made a computer in which something runs, and which process that is. */
async function makeElsewhere() {
  const script =
    `import { Namespaces } from ${JSON.stringify(import.meta.resolve('./namespaces.ts'))};` +
    `import { spawn } from 'node:child_process'; const world = new Namespaces();` +
    `await world.makeComputer('left'); const [program, ...words] = world.on('left');` +
    `const running = spawn(program, [...words, 'sh', '-c', 'echo; exec sleep 1000'], { detached: true });` +
    `running.stdout.once('data', () => { process.stdout.write(String(running.pid)) }); setInterval(() => {}, 1000)`
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [inside] = (await once(child.stdout, 'data')) as [Buffer]
  return { maker: child, inside: Number(inside.toString()) }
}

async function makeOther(): Promise<void> {
  const other = new Namespaces()
  await other.makeComputer('other')
  await other.close()
}

it.skipIf(fault !== null)(
  'what a test made of networks goes with it when it is interrupted, and at the next one when it was killed',
  async () => {
    const signals = ['SIGINT', 'SIGKILL'] as const
    const made = await Promise.all(signals.map(makeElsewhere))
    try {
      for (const [at, signal] of signals.entries()) {
        const { maker, inside } = made[at]!
        const pid = maker.pid ?? 0
        expect(namesOf(pid)).toHaveLength(1)
        await makeOther()
        // What belongs to a process that lives is left alone.
        expect(namesOf(pid)).toHaveLength(1)
        expect(isOver(inside)).toBe(false)
        const exit = once(maker, 'exit')
        maker.kill(signal)
        expect(await exit).toEqual([null, signal])
        if (signal === 'SIGKILL') {
          expect(namesOf(pid)).toHaveLength(1)
          await makeOther()
        }
        expect(namesOf(pid)).toEqual([])
        await vi.waitUntil(() => isOver(inside), { timeout: 20_000 })
      }
    } finally {
      for (const { maker } of made) maker.kill('SIGINT')
    }
  },
  60_000,
)
