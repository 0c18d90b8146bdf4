// `npm run simulate -- --machines N --seeds FROM..TO [--minutes M]`: runs seeds, prints what was found and
// how to repeat it. With `--minutes`, faults go on for so much virtual time.
import { parseArgs } from 'node:util'
import { runSeed } from './scenarios/run.ts'

const { values } = parseArgs({
  options: {
    machines: { type: 'string', default: '100' },
    seeds: { type: 'string', default: '1..20' },
    minutes: { type: 'string' },
  },
})
const machines = Number(values.machines)
const [from = 1, to = from] = values.seeds.split('..').map(Number)

const durationMs = values.minutes === undefined ? null : Number(values.minutes) * 60_000
const repeat = values.minutes === undefined ? '' : ` --minutes ${values.minutes}`

const started = performance.now()
let events = 0
let virtualMs = 0
let failed = 0
let slowest = { seed: 0, healedAfterMs: 0 }
for (let seed = from; seed <= to; seed++) {
  const result = runSeed({
    seed,
    machines,
    ...(durationMs === null ? {} : { change: (scenario) => ({ ...scenario, durationMs }) }),
  })
  events += result.events
  virtualMs += result.virtualMs
  if (result.healedAfterMs > slowest.healedAfterMs) slowest = result
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
    `${(virtualMs / 3_600_000).toFixed(1)} virtual hours; slowest to heal: seed ${slowest.seed}, ` +
    `${Math.round(slowest.healedAfterMs / 1000)} s`,
)
process.exitCode = failed === 0 ? 0 : 1
