// One of two linked computers comes into another network: how long until both hear each other again.
import { NatWorld, natWorldFault } from '../../node-runtime/testing/nat-world.ts'
import type { NatKind, NatMachine } from '../../node-runtime/testing/nat-world.ts'
import { PACE_MS, placeMachine } from './placed-machine.ts'
import { compare, MissingPart } from './report.ts'
import type { Measure, Row } from './report.ts'

const ROUNDS = 3
const LIMIT_MS = 2_000
const PATIENCE_MS = 120_000
/** By then a link is calm: so many of the messages, of which 20 a second come. */
const CALM_AFTER = 100
const PAIRS: readonly (readonly [moves: NatKind, stays: NatKind])[] = [
  ['open', 'open'],
  ['home', 'open'],
  ['open', 'home'],
  ['home', 'home'],
  ['symmetric', 'symmetric'],
]

const GAMES: readonly (readonly [moves: NatKind, stays: NatKind])[] = [
  ['open', 'open'],
  ['home', 'home'],
]
/** The game is well under way by then. */
const MOVES_BEFORE = 10

/** Of the reports that are still to come, the first word of a new link with that machine. */
function heardAnew(machine: NatMachine, other: string, what: string): Promise<unknown> {
  const before = machine.reports.length
  return machine.report(
    (report) =>
      report.type === 'heard' &&
      report.from === other &&
      report.number === 0 &&
      machine.reports.indexOf(report) >= before,
    what,
    PATIENCE_MS,
  )
}

/** From each change of the address of one until both have heard the other again, ms. */
async function measurePair(world: NatWorld, moves: NatKind, stays: NatKind): Promise<number[]> {
  // Devices have the names of sites, of fifteen letters at most.
  const pair = PAIRS.findIndex(([first, second]) => first === moves && second === stays)
  const [one, other] = [`m${pair}`, `s${pair}`]
  await world.makeSite(one, moves)
  await world.makeSite(other, stays)
  const [moving, staying] = [world.start(one), world.start(other)]
  const isCalm = ({ reports }: NatMachine, from: string): boolean => {
    const last = reports.findLast((report) => report.type === 'heard' && report.from === from)
    return last?.type === 'heard' && last.number >= CALM_AFTER
  }
  const samples: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    await moving.report(() => isCalm(moving, other), `${one} is calm`, PATIENCE_MS)
    const heard = Promise.all([
      heardAnew(moving, other, `${one} hears ${other} again`),
      heardAnew(staying, one, `${other} hears ${one} again`),
    ])
    const startMs = performance.now()
    await world.move(one)
    await heard
    samples.push(performance.now() - startMs)
  }
  await Promise.all([moving.kill(), staying.kill()])
  return samples
}

/**
 * From each change of the address of one player's computer until each has moved since, and the other has seen that, ms:
 * their pace is in it, twice. Each game goes on to its end.
 */
async function measureGames(world: NatWorld, moves: NatKind, stays: NatKind): Promise<number[]> {
  const pair = GAMES.findIndex(([first, second]) => first === moves && second === stays)
  const sites = [`g${pair}`, `h${pair}`] as const
  await world.makeSite(sites[0], moves)
  await world.makeSite(sites[1], stays)
  const one = await placeMachine(world, sites[0])
  const other = await placeMachine(world, sites[1], one.cloud)
  const players = [one, other]
  const shown = [0, 0]
  const over = [0, 0]
  let wake = (): void => undefined
  for (const [at, player] of players.entries()) {
    player.seen((report) => {
      if (report.type === 'shown') shown[at] = report.ply
      if (report.type === 'over') over[at]! += 1
      wake()
    })
  }
  const until = async (isSo: () => boolean, what: string): Promise<void> => {
    const timer = setTimeout(() => wake(), PATIENCE_MS)
    const endMs = performance.now() + PATIENCE_MS
    while (!isSo()) {
      if (performance.now() >= endMs) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`)
      await new Promise<void>((resolve) => (wake = resolve))
    }
    clearTimeout(timer)
  }
  const samples: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    shown.fill(0)
    const seats = players.map(({ person }) => person)
    for (const player of players) player.play({ seats, seed: `round ${round}` })
    await until(() => Math.min(...shown) >= MOVES_BEFORE, 'a game is under way')
    const before = Math.max(...shown)
    const startMs = performance.now()
    await world.move(sites[0])
    // The move that may have been seen already, and then one of each.
    await until(() => Math.min(...shown) >= before + 3, 'the game goes on')
    samples.push(performance.now() - startMs - 2 * PACE_MS)
    await until(() => Math.min(...over) > round, 'the game is over')
  }
  await Promise.all(players.map((player) => player.close()))
  return samples
}

export const uplink: Measure = {
  name: 'uplink',
  title: 'One of two machines comes into another network: until both hear each other again',
  async run(say) {
    const fault = await natWorldFault()
    if (fault !== null) throw new MissingPart(fault)
    const world = await NatWorld.create()
    try {
      await world.makeSite('relay', 'open')
      await world.startRelay('relay')
      const rows: Row[] = []
      for (const [moves, stays] of PAIRS) {
        const samples = await measurePair(world, moves, stays)
        const name = `${moves} moves, ${stays} stays`
        say(`${name}: ${samples.map((ms) => Math.round(ms)).join(', ')} ms`)
        rows.push(compare(name, 'ms', samples, 'the limit', [LIMIT_MS]))
      }
      for (const [moves, stays] of GAMES) {
        const samples = await measureGames(world, moves, stays)
        const name = `a game goes on: ${moves} moves, ${stays} stays`
        say(`${name}: ${samples.map((ms) => Math.round(ms)).join(', ')} ms`)
        rows.push(compare(name, 'ms', samples, 'the limit', [LIMIT_MS]))
      }
      return rows
    } finally {
      await world.close()
    }
  },
}
