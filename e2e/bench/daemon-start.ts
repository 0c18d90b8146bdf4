// How long `dharma up` takes to be ready on a new folder, and on that folder again, against a Node that
// does nothing, and against one that only loads the libraries.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import * as z from 'zod'
import { LocalCloud } from '../support/machines.ts'
import { compare, timeMs } from './report.ts'
import type { Measure } from './report.ts'

const ROUNDS = 7
const ROOT = path.resolve(import.meta.dirname, '../..')

/** What the runtime loads with the first system only. */
const LATER = ['amaro', 'isomorphic-git']

/** A module that imports all that the runtime depends on at its start, and nothing else. */
async function writeImports(): Promise<string> {
  const text = await readFile(path.join(ROOT, 'package.json'), 'utf8')
  const { dependencies } = z
    .object({ dependencies: z.record(z.string(), z.string()) })
    .parse(JSON.parse(text))
  return Object.keys(dependencies)
    .filter((name) => !LATER.includes(name))
    .map((name) => `import ${JSON.stringify(name)};`)
    .join('')
}

/** From the spawn of a Node that runs this module until it has ended, in ms. */
function runNode(source: string): Promise<number> {
  return timeMs(async () => {
    const args = ['--input-type=module', '-e', source]
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error(`node ended with ${String(code)}`)
  })
}

export const daemonStart: Measure = {
  name: 'daemon',
  title: 'Start of a headless machine, from the spawn',
  async run(say) {
    const imports = await writeImports()
    const cloud = await LocalCloud.create()
    const first: number[] = []
    const again: number[] = []
    const bare: number[] = []
    const loaded: number[] = []
    try {
      const start = async (dataDir: string): Promise<number> => {
        const startMs = performance.now()
        const daemon = await cloud.startDaemon({ dataDir })
        const tookMs = performance.now() - startMs
        await daemon.close()
        return tookMs
      }
      // The first one fills the file caches and does not count.
      await start(await cloud.makeFolder())
      for (let round = 1; round <= ROUNDS; round++) {
        say(`headless machine, round ${round} of ${ROUNDS}`)
        const dataDir = await cloud.makeFolder()
        bare.push(await runNode(''))
        loaded.push(await runNode(`${imports}process.exit()`))
        first.push(await start(dataDir))
        again.push(await start(dataDir))
      }
    } finally {
      await cloud.close()
    }
    return [
      compare('first start, to the ready line', 'ms', first, 'bare Node, to its end', bare),
      compare('the same', 'ms', first, 'Node that loads the libraries', loaded),
      compare('started again, to the ready line', 'ms', again, 'bare Node, to its end', bare),
    ]
  },
}
