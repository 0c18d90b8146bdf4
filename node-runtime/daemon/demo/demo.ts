// `dharma demo`: a cloud of several machines on this computer, with bots that hold tournaments, and a
// window on it. Everything of it is gone at the end.
import { setMaxListeners } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CloudError } from '../../contract/errors.ts'
import { startTestnet } from '../../swarm/testnet.ts'
import type { Testnet } from '../../swarm/testnet.ts'
import { printText } from '../output.ts'
import { EXTENSIONS_DIR } from '../../host/places.ts'
import { waitForStop } from '../stop-signal.ts'
import { createRepository } from '../system-repository.ts'
import { runBot, SYSTEM } from './bot.ts'
import type { Bot, Scene } from './bot.ts'
import { startMachine } from './machine.ts'
import type { DemoMachine, DemoMachineOptions } from './machine.ts'
import { runOrganiser } from './organiser.ts'
import { createPace } from './pace.ts'
import { findElectron, openBrowser, openWindow } from './window.ts'

const BOT_NAMES = ['Mika', 'Noor', 'Tomasz', 'Ines']

export interface DemoOptions {
  /** Open the window or the browser; else the address is printed. */
  open: boolean
  /** 1 plays as fast as people. */
  speed: number
}

async function install({ client }: DemoMachine, url: string): Promise<void> {
  const { commit, permissions } = await client.systems.preview({ url })
  await client.systems.install({ url, commit, grant: permissions })
}

/** Runs until it is told to stop, or the window is closed. @throws CloudError */
export async function demo({ open, speed }: DemoOptions): Promise<void> {
  const stopped = waitForStop()
  const ending = new AbortController()
  // Every pause and every stream of every bot listens to it.
  setMaxListeners(0, ending.signal)
  const folder = await mkdtemp(join(tmpdir(), 'dharma-demo-'))
  /** What ends the machines and the window. */
  const closers: (() => Promise<unknown>)[] = []
  const networks: Testnet[] = []

  const run = async (): Promise<void> => {
    const testnet = await startTestnet()
    networks.push(testnet)
    const bootstrap = testnet.bootstrap.map(({ host, port }) => `${host}:${port}`).join(',')
    const start = async (options: Omit<DemoMachineOptions, 'bootstrap' | 'dataDir'>) => {
      const dataDir = join(folder, options.name)
      ending.signal.throwIfAborted()
      const starting = startMachine({ ...options, bootstrap, dataDir })
      // Whoever ends the demo meanwhile waits for the start, to close what has come of it.
      closers.push(() => starting.then((machine) => machine.close()).catch(() => undefined))
      const machine = await starting
      await machine.client.cloud.renameMachine({ name: options.name })
      return machine
    }

    printText('Starting your machine. It begins a cloud of its own …')
    const yours = await start({ name: 'Your machine' })
    const { cloud } = yours
    printText(`Starting ${BOT_NAMES.length} more machines, which join it …`)
    const machines = await Promise.all(
      BOT_NAMES.map((name) => start({ name: `${name}’s machine`, cloud })),
    )
    printText('Installing Event Games on all of them …')
    const { url } = await createRepository({
      source: join(EXTENSIONS_DIR, SYSTEM),
      folder: join(folder, 'repository'),
    })
    await Promise.all([yours, ...machines].map((machine) => install(machine, url)))
    const bots = await Promise.all(
      machines.map(async (machine, index): Promise<Bot> => {
        const name = BOT_NAMES[index]!
        await machine.client.identity.rename({ name })
        return { name, machine, person: (await machine.client.identity.whoami({})).person }
      }),
    )
    ending.signal.throwIfAborted()
    const viewing = show(yours, bootstrap)

    const scene: Scene = {
      pace: createPace(speed, ending.signal),
      bots: new Set(bots.map(({ person }) => person)),
      say: printText,
    }
    const lost = bots.map(async ({ name, machine }) => {
      await machine.ended
      throw new CloudError('NO_MACHINE', `${name}’s machine has ended.`)
    })
    await Promise.race([
      viewing,
      ...lost,
      ...bots.map((bot) => runBot(bot, scene)),
      runOrganiser(bots[0]!, scene),
    ])
  }

  /** Resolves when the person has closed the window; never for a browser. */
  const show = async (yours: DemoMachine, bootstrap: string): Promise<void> => {
    const electron = open ? findElectron() : null
    if (electron === null) {
      const url = `${yours.url}&open=${encodeURIComponent(`cloud://${SYSTEM}/`)}`
      const opened = open && (await openBrowser(url))
      printText(`${opened ? 'Opened' : 'Open'} ${url}`)
      printText('Ctrl+C ends the demo and removes all of it.')
      return new Promise(() => undefined)
    }
    // The window brings its own machine: it takes over the folder.
    await yours.close()
    const { dataDir, cloud } = yours
    const args = ['--data', dataDir, '--cloud', cloud, '--bootstrap', bootstrap]
    args.push(`cloud://${SYSTEM}/`)
    const shown = openWindow(electron, args)
    closers.push(() => shown.close())
    printText('Dharma’s window is open. Close it, or press Ctrl+C here, to end the demo.')
    await shown.closed
  }

  const running = run()
  try {
    await Promise.race([stopped, running])
  } finally {
    ending.abort()
    printText('Closing the machines …')
    // One that does not close in good order must not keep the others, and the folder, from going.
    await Promise.allSettled(closers.map((close) => close()))
    // It fails at the next machine that it asks. Before that it might write to the folder still.
    await running.catch(() => undefined)
    await Promise.allSettled(closers.map((close) => close()))
    await Promise.allSettled(networks.map((network) => network.close()))
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
