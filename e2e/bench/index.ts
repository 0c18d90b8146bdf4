// `npm run bench [-- NAME …]`: measures, each beside what limits it, and reports as a table and, in
// out/bench/, as text and JSON. It asserts nothing about time; it fails if a measure breaks.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { database } from './database.ts'
import { daemonStart } from './daemon-start.ts'
import { desktopStart } from './desktop-start.ts'
import { fairness } from './fairness.ts'
import { idle } from './idle.ts'
import { join } from './join.ts'
import { machinesMap } from './machines-map.ts'
import { membership } from './membership.ts'
import { moveLatency } from './move-latency.ts'
import { natMatrix } from './nat-matrix.ts'
import { MissingPart } from './report.ts'
import type { Measure } from './report.ts'
import { sandbox } from './sandbox.ts'
import { spectatorUpload } from './spectator-upload.ts'
import { store } from './store.ts'
import { uplink } from './uplink.ts'
import { formatTable } from './table.ts'
import type { Result } from './table.ts'

const MEASURES: readonly Measure[] = [
  desktopStart,
  machinesMap,
  daemonStart,
  join,
  database,
  idle,
  membership,
  moveLatency,
  spectatorUpload,
  fairness,
  sandbox,
  store,
  natMatrix,
  uplink,
]
const REPORTS = path.resolve(import.meta.dirname, '../../out/bench')
const INTERRUPTED = 130

/** Runs all of this again on a display of its own; its exit code, or null if that can't be had. */
function runOnDisplay(): number | null {
  const args = ['-a', '-s', '-screen 0 1600x1000x24', process.execPath]
  const { error, status } = spawnSync(
    'xvfb-run',
    [...args, ...process.execArgv, ...process.argv.slice(1)],
    { stdio: 'inherit' },
  )
  return error === undefined ? (status ?? INTERRUPTED) : null
}

/** All temporary folders of this process and its children go into one, which goes at the end. */
function keepTemporaryFoldersTogether(): void {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'dharma-bench-'))
  process.env['TMPDIR'] = folder
  process.env['TEMP'] = folder
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => process.exit(INTERRUPTED))
  }
}

function describeMachine(): Record<string, string | number> {
  const cpus = os.cpus()
  return {
    cores: cpus.length,
    processor: cpus[0]?.model ?? 'unknown',
    system: `${process.platform} ${process.arch}`,
    node: process.version,
    loadBefore: os.loadavg()[0] ?? 0,
  }
}

async function measure({ name, title, run }: Measure): Promise<Result> {
  try {
    return { name, title, rows: await run((line) => console.error(`  ${line}`)) }
  } catch (error) {
    if (error instanceof MissingPart) return { name, title, missing: error.message }
    console.error(error)
    process.exitCode = 1
    return { name, title, missing: error instanceof Error ? error.message : String(error) }
  }
}

async function main(): Promise<void> {
  const asked = process.argv.slice(2)
  const names = MEASURES.map(({ name }) => name)
  const unknown = asked.filter((name) => !names.includes(name))
  if (unknown.length > 0) {
    console.error(`There is no measure "${unknown[0]}"; there are: ${names.join(', ')}`)
    process.exitCode = 1
    return
  }
  const chosen = MEASURES.filter(({ name }) => asked.length === 0 || asked.includes(name))

  const needsDisplay = process.platform === 'linux' && !process.env['DISPLAY']
  if (needsDisplay && [desktopStart, machinesMap].some((one) => chosen.includes(one))) {
    const code = runOnDisplay()
    if (code !== null) {
      process.exitCode = code
      return
    }
  }
  keepTemporaryFoldersTogether()
  const date = new Date().toISOString()
  const machine = describeMachine()
  const results: Result[] = []
  for (const one of chosen) results.push(await measure(one))
  const { cores, processor, system, node } = machine
  const report = [
    `${date.slice(0, 10)}, ${cores} cores (${processor}), ${system}, Node ${node}`,
    'Medians; the spread is from the 10th to the 90th percentile; the ratio is median by median.',
    '',
    formatTable(results),
    '',
  ].join('\n')
  await mkdir(REPORTS, { recursive: true })
  // A part does not replace the report of the whole.
  const file = path.join(REPORTS, ['bench', ...asked].join('-'))
  await writeFile(`${file}.txt`, report)
  const json = JSON.stringify({ date, machine, results }, null, 2)
  await writeFile(`${file}.json`, `${json}\n`)
  console.log(`\n${report}`)
}

await main()
