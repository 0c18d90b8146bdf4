// The desktop app in a real window, whose runtime is one of a cloud of a thousand machines.
import { mkdtemp, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'rolldown'
import { launchElectron } from '../support/electron-app.ts'
import type { ElectronMachine } from '../support/electron-app.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const PROGRAM = path.join(import.meta.dirname, 'peers/crowd-runtime.ts')

/** The app's own main process, which starts another program as the runtime. */
function mainWith(program: string): string {
  return `
import { utilityProcess } from 'electron'
const { fork } = utilityProcess
utilityProcess.fork = (_program, ...rest) => fork.call(utilityProcess, ${JSON.stringify(program)}, ...rest)
await import(${JSON.stringify(pathToFileURL(path.join(ROOT, 'dist/electron/main.js')).href)})
`
}

/** Starts it; temporary folders stay, as those of all measures do until the end. */
export async function openCrowdWindow(): Promise<ElectronMachine> {
  const app = await mkdtemp(path.join(os.tmpdir(), 'dharma-crowd-'))
  const program = path.join(app, 'runtime.mjs')
  await build({
    input: PROGRAM,
    platform: 'node',
    logLevel: 'warn',
    output: { file: program, format: 'esm', codeSplitting: false },
  })
  await writeFile(path.join(app, 'main.mjs'), mainWith(program))
  const manifest = { name: 'dharma', productName: 'Dharma', version: '0.0.0', main: 'main.mjs' }
  await writeFile(path.join(app, 'package.json'), JSON.stringify(manifest))
  return launchElectron({ app })
}
