// A machine with a player, on a computer behind a router of its own: as `peers/game-player.ts` plays there.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import * as z from 'zod'
import type { NatWorld } from '../../node-runtime/testing/nat-world.ts'
import type { PlayerReport } from './peers/game-player.ts'

const DHARMA = path.resolve(import.meta.dirname, '../../dist/node-runtime/dharma.js')
const PLAYER = path.join(import.meta.dirname, 'peers/game-player.ts')
/** Between a move that a player sees and its own. */
export const PACE_MS = 100
/** Far beyond anything measured here. */
const LIMIT_MS = 120_000

const readySchema = z.object({ event: z.literal('ready'), cloud: z.string() })

export interface PlacedMachine {
  cloud: string
  person: string
  /** Begins a game; `seen` hears of all that the machine shows, and when: ms, monotonic, of this process. */
  play(game: { seats: readonly string[]; seed: string }): void
  seen: (listen: (report: PlayerReport, atMs: number) => void) => void
  close(): Promise<void>
}

/** Starts it on the computer of that site; without `cloud` it originates one. */
export async function placeMachine(
  world: NatWorld,
  site: string,
  cloud?: string,
): Promise<PlacedMachine> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'dharma-bench-'))
  const to = ['--bootstrap', world.bootstrap.join(',')]
  const daemon = world.run(site, [
    ...[process.execPath, DHARMA, 'up', '--json', '--data', dataDir, ...to],
    ...(cloud === undefined ? [] : ['--cloud', cloud]),
  ])
  const ready = readySchema.parse(JSON.parse(await firstLine(daemon.stdout!)))
  const player = world.run(site, [
    process.execPath,
    '--import',
    'tsx',
    ...[PLAYER, dataDir, String(PACE_MS)],
  ])
  const listeners = new Set<(report: PlayerReport, atMs: number) => void>()
  const person = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no player at ${site}`)), LIMIT_MS)
    listeners.add((report) => {
      if (report.type !== 'ready') return
      clearTimeout(timer)
      resolve(report.person)
    })
  })
  createInterface({ input: player.stdout! }).on('line', (line) => {
    const atMs = performance.now()
    const report = JSON.parse(line) as PlayerReport
    for (const listen of listeners) listen(report, atMs)
  })
  return {
    cloud: ready.cloud,
    person: await person,
    play: (game) => void player.stdin!.write(`${JSON.stringify(game)}\n`),
    seen: (listen) => void listeners.add(listen),
    close: async () => {
      for (const child of [player, daemon]) {
        const exit = once(child, 'exit')
        child.kill('SIGKILL')
        await exit
      }
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function firstLine(output: Readable): Promise<string> {
  const lines = createInterface({ input: output })
  const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(LIMIT_MS) })) as [string]
  return line
}
