// `npm run simulate -- --machines N --seeds FROM..TO [--minutes M]`: runs seeds, prints what was found and
// how to repeat it. With `--minutes`, faults go on for so much virtual time. `--scenario rings` runs the rings, the
// broadcast and the token instead of replication; `--liars` of its machines call others gone. `--scenario skeleton`
// measures broadcasts over the links alone, for very many machines.
import { parseArgs } from 'node:util'
import type { Finding } from './checks/finding.ts'
import { runRings } from './scenarios/rings.ts'
import { runSeed } from './scenarios/run.ts'
import { measureSkeleton } from './skeleton.ts'

const { values } = parseArgs({
  options: {
    machines: { type: 'string', default: '100' },
    seeds: { type: 'string', default: '1..20' },
    minutes: { type: 'string' },
    scenario: { type: 'string', default: 'records' },
    liars: { type: 'string', default: '0' },
  },
})
const machines = Number(values.machines)
const [from = 1, to = from] = values.seeds.split('..').map(Number)

/** Shares of the machines that are gone at once. */
const DEAD = [0, 0.3, 0.5]
if (values.scenario === 'skeleton') {
  for (const dead of DEAD) console.log({ dead, ...measureSkeleton(machines, dead, from) })
  process.exit(0)
}

const minutes = values.minutes === undefined ? '' : ` --minutes ${values.minutes}`
const durationMs = values.minutes === undefined ? null : Number(values.minutes) * 60_000
const isRings = values.scenario === 'rings'
const liars = Number(values.liars)
const scenario = isRings ? ` --scenario rings --liars ${liars}` : ''
const repeat = `${minutes}${scenario}`

interface Ran {
  findings: readonly Finding[]
  events: number
  virtualMs: number
}

function runOfRings(seed: number): Ran {
  const result = runRings({
    seed,
    machines,
    liars,
    ...(durationMs === null ? {} : { faultsMs: durationMs }),
  })
  const { meanLinks, mostHops, theoryHops, lapMs, hopMs, tickSkewMs } = result
  console.log(
    `seed ${seed}: ${meanLinks.toFixed(1)} links a machine; broadcast in ${mostHops} hops, theory ` +
      `${theoryHops}; a lap of the token ${(lapMs / 1000).toFixed(1)} s, a hop ${hopMs.toFixed(1)} ms; ` +
      `ticks apart by ${tickSkewMs.toFixed(1)} ms at most`,
  )
  return result
}

let slowest = { seed: 0, healedAfterMs: 0 }
function runOfRecords(seed: number): Ran {
  const result = runSeed({
    seed,
    machines,
    ...(durationMs === null ? {} : { change: (drawn) => ({ ...drawn, durationMs }) }),
  })
  if (result.healedAfterMs > slowest.healedAfterMs) slowest = result
  return result
}

const started = performance.now()
let events = 0
let virtualMs = 0
let failed = 0
for (let seed = from; seed <= to; seed++) {
  const result = isRings ? runOfRings(seed) : runOfRecords(seed)
  events += result.events
  virtualMs += result.virtualMs
  const [finding] = result.findings
  if (finding === undefined) continue
  failed += 1
  console.log(`seed ${seed}: ${finding.check} after ${finding.atMs} ms: ${finding.words}`)
  console.log(`  npm run simulate -- --machines ${machines} --seeds ${seed}..${seed}${repeat}`)
}
const seconds = (performance.now() - started) / 1000
const seeds = to - from + 1
console.log(
  `${seeds} seeds of ${machines} machines, ${failed} with findings: ${seconds.toFixed(1)} s, ` +
    `${(seeds / seconds).toFixed(2)} seeds/s, ${Math.round(events / seconds)} events/s, ` +
    `${(virtualMs / 3_600_000).toFixed(1)} virtual hours` +
    (isRings
      ? ''
      : `; slowest to heal: seed ${slowest.seed}, ${Math.round(slowest.healedAfterMs / 1000)} s`),
)
process.exitCode = failed === 0 ? 0 : 1
