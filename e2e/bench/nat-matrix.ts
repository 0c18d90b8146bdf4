// Every pair of kinds of routers: how long until a machine that comes hears one that is there, and by which way,
// beside the limit; where no UDP comes through, how long until it says so.
import { NAT_KINDS, NatWorld, natWorldFault } from '../../node-runtime/testing/nat-world.ts'
import type { NatKind, NatMachine } from '../../node-runtime/testing/nat-world.ts'
import { compare, MissingPart } from './report.ts'
import type { Measure, Row } from './report.ts'

const ROUNDS = 5
/** What a person waits without noticing. */
const LIMIT_MS = 1_000
/** What takes longer counts as this long, and as not linked. */
const PATIENCE_MS = 30_000
/** A link that begins relayed has gone over by then, if it can. */
const SETTLE_MS = 5_000

interface Try {
  tookMs: number
  came: boolean
  route: 'direct' | 'relayed' | null
}

/** From the start of `newcomer` until it hears a machine that runs. */
async function link(newcomer: NatMachine, there: string): Promise<Try> {
  const started = await newcomer.report(({ type }) => type === 'started', 'it runs', PATIENCE_MS)
  try {
    const heard = await newcomer.report(
      (report) => report.type === 'heard' && report.from === there,
      `it hears ${there}`,
      PATIENCE_MS,
    )
    const isDirect = (): boolean => newcomer.routeTo(there) === 'direct'
    const endMs = performance.now() + SETTLE_MS
    while (!isDirect() && performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return { tookMs: heard.atMs - started.atMs, came: true, route: newcomer.routeTo(there) }
  } catch {
    // What it said until then is of no use in a table.
    return { tookMs: PATIENCE_MS, came: false, route: null }
  }
}

/** From its start until it says that no UDP comes through, in ms. */
async function saysBlocked(machine: NatMachine): Promise<number> {
  const started = await machine.report(({ type }) => type === 'started', 'it runs', PATIENCE_MS)
  const said = await machine.report(
    (report) => report.type === 'way' && report.step === 'UDP_BLOCKED',
    'it says that no UDP comes through',
    PATIENCE_MS,
  )
  return said.atMs - started.atMs
}

function describe(tries: readonly Try[]): string {
  const count = (route: Try['route']): number => tries.filter((one) => one.route === route).length
  const words = (['direct', 'relayed'] as const)
    .filter((route) => count(route) > 0)
    .map((route) => `${count(route)} ${route}`)
  const missing = tries.filter(({ came }) => !came).length
  return [...words, ...(missing > 0 ? [`${missing} not linked`] : [])].join(', ')
}

async function measurePair(world: NatWorld, first: NatKind, second: NatKind): Promise<Row> {
  const [there, newcomer] = [`a-${first}`, `b-${second}`]
  const name = `${first}, then ${second}`
  if (second === 'blocked') {
    const machine = world.start(newcomer)
    const tookMs = await saysBlocked(machine)
    await machine.kill()
    return compare(`${name}: no link, says so`, 'ms', [tookMs], 'the limit', [LIMIT_MS])
  }
  const tries: Try[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const machine = world.start(newcomer)
    tries.push(await link(machine, there))
    await machine.kill()
  }
  const samples = tries.map(({ tookMs }) => tookMs)
  return compare(`${name}: ${describe(tries)}`, 'ms', samples, 'the limit', [LIMIT_MS])
}

export const natMatrix: Measure = {
  name: 'nat',
  title: 'First byte between machines behind routers of every kind, one there, one that starts',
  async run(say) {
    const fault = await natWorldFault()
    if (fault !== null) throw new MissingPart(fault)
    const world = await NatWorld.create()
    try {
      await world.makeSite('relay', 'open')
      await world.startRelay('relay')
      for (const kind of NAT_KINDS) {
        await world.makeSite(`a-${kind}`, kind)
        await world.makeSite(`b-${kind}`, kind)
      }
      const rows: Row[] = []
      for (const first of NAT_KINDS) {
        const machine = world.start(`a-${first}`)
        const isBlocked = first === 'blocked'
        if (isBlocked) {
          const samples = [await saysBlocked(machine)]
          const limit = [LIMIT_MS]
          rows.push(
            compare('blocked, then any: no link, says so', 'ms', samples, 'the limit', limit),
          )
        } else {
          await machine.report(
            (report) => report.type === 'heard' && report.from === 'relay',
            'it is in',
            PATIENCE_MS,
          )
          for (const second of NAT_KINDS) {
            const row = await measurePair(world, first, second)
            say(`${row.name}: ${Math.round(row.ours.median)} ms`)
            rows.push(row)
          }
        }
        await machine.kill()
      }
      return rows
    } finally {
      await world.close()
    }
  },
}
