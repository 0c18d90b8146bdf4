import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { Namespaces, namespacesFault } from './namespaces.ts'

const fault = await namespacesFault()
if (fault !== null) console.warn(`Networks of tests are not tested here: ${fault}.`)

const namesOf = (maker: number): string[] =>
  execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith(`dh${maker}-`))

/** A process that has made a computer in which something runs. */
async function makeElsewhere() {
  const script =
    `import { Namespaces } from ${JSON.stringify(import.meta.resolve('./namespaces.ts'))};` +
    `import { spawn } from 'node:child_process'; const world = new Namespaces();` +
    `await world.makeComputer('left'); const [program, ...words] = world.on('left');` +
    `spawn(program, [...words, 'sleep', '1000'], { stdio: 'ignore', detached: true }).once('spawn', () =>` +
    ` { process.stdout.write('made') }); setInterval(() => {}, 1000)`
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await once(child.stdout, 'data')
  return child
}

it.skipIf(fault !== null)(
  'what a test made of networks goes with it when it is interrupted, and at the next one when it was killed',
  async () => {
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const maker = await makeElsewhere()
      const pid = maker.pid ?? 0
      expect(namesOf(pid)).toHaveLength(1)
      const exit = once(maker, 'exit')
      maker.kill(signal)
      expect(await exit).toEqual([null, signal])
      if (signal === 'SIGKILL') {
        expect(namesOf(pid)).toHaveLength(1)
        const next = new Namespaces()
        await next.makeComputer('next')
        await next.close()
      }
      expect(namesOf(pid)).toEqual([])
    }
  },
  60_000,
)
