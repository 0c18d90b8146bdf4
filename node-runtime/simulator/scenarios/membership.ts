// One run of membership: machines come, go, crash, are renamed and are cut off from each other; in the
// end each knows the newest entry of every other, and none ever went back to an older one.
import type { MachineEntry } from '../../core/forms/machine-form.ts'
import type { Finding } from '../checks/finding.ts'
import { MemberMachine } from '../membership-machine.ts'
import { NO_FAULTS, SimulatedNetwork } from '../network.ts'
import { seededRandom } from '../random.ts'
import { World } from '../world.ts'

const START_MS = 1_750_000_000_000
const FAULTS_MS = 60_000
/** Telling is one hop after the other; links come back within seconds. */
const HEAL_MS = 60_000

export interface MembershipResult {
  findings: readonly Finding[]
  trace: string
}

export function runMembership(seed: number, count: number): MembershipResult {
  const random = seededRandom(seed)
  const world = new World()
  const network = new SimulatedNetwork(world, random.fork(), {
    ...NO_FAULTS,
    delayMs: random.between(0.1, 100),
    jitterMs: random.between(0, 100),
    slowLinks: random.chance(0.3) ? random.next() : 0,
    slowBytesPerMs: random.between(20, 100),
  })
  const findings: Finding[] = []
  const members = new Map<string, MemberMachine>()
  const newest = new Map<string, number>()
  const learned = (member: MemberMachine, entry: MachineEntry): void => {
    const name = `${member.key} ${entry.machine}`
    const before = newest.get(name) ?? 0
    // A machine that crashed may have to learn again what it had not saved.
    if (entry.sequence < before && member.isUp && !restarted.has(member.key)) {
      findings.push({ check: 'older entry won', words: name, atMs: world.nowMs })
    }
    newest.set(name, entry.sequence)
  }
  const restarted = new Set<string>()
  const parts = { world, network, startMs: START_MS, members, judged: new Map(), learned }
  for (let i = 0; i < count; i++) {
    const member = new MemberMachine(i, parts)
    members.set(member.key, member)
  }
  const all = [...members.values()]
  // Each finds a few of the others, as by a list or a topic; membership does the rest.
  all.forEach((member, i) => {
    if (i > 0) network.connect(member, all[random.whole(0, i - 1)]!)
    world.after(random.between(0, FAULTS_MS / 2), () => member.start())
  })
  const during = (times: number, happens: () => void): void => {
    for (let i = 0; i < times; i++) world.after(random.next() * FAULTS_MS, happens)
  }
  during(random.whole(0, count), () => {
    const member = random.pick(all)
    if (!member.isUp) return
    member.crash()
    restarted.add(member.key)
    world.after(random.between(1, 20_000), () => {
      if (!member.isUp) member.start()
    })
  })
  during(random.whole(0, count), () => {
    const member = random.pick(all)
    if (member.isUp) member.rename(`renamed at ${Math.floor(world.nowMs)}`)
  })
  during(random.whole(0, 3), () => {
    const first = new Set(all.filter(() => random.chance(0.5)).map(({ key }) => key))
    // Long enough to be noticed: a link either delivers or ends.
    network.partition((key) => first.has(key), random.between(5000, 20_000), random.chance(0.3))
  })
  world.run(FAULTS_MS)
  network.heal()
  for (const member of all) if (!member.isUp) member.start()
  world.run(HEAL_MS)
  for (const member of all) {
    const ignorant = all.find(({ key, entry }) => member.knows(key)?.sequence !== entry.sequence)
    if (ignorant === undefined) continue
    const words = `${member.entry.name} knows no or an older entry of ${ignorant.entry.name}`
    findings.push({ check: 'membership is not complete', words, atMs: world.nowMs })
    break
  }
  return { findings, trace: world.trace }
}
