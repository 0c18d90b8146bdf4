// One run of the rings: machines come, crash, stand still and are cut off from each other, some lie; after that is
// over, each ring is closed, one token goes around, nobody that lives is called gone, nobody that is gone is kept, and
// what one says reaches all within as many hops as theory has, and two.
import { RINGS } from '../../core/rings/place.ts'
import { STALE_MS } from '../../core/rings/view.ts'
import { MAX_LINKS } from '../../core/rings/link-plan.ts'
import type { Finding } from '../checks/finding.ts'
import { DialNetwork } from '../dial-network.ts'
import { seededRandom } from '../random.ts'
import { RingMachine } from '../ring-machine.ts'
import type { RingPlant, Said } from '../ring-machine.ts'
import { World } from '../world.ts'

const SLICE_MS = 5_000
const COMING_MS = 60_000
/** What was going on until so long ago may excuse that one was called gone. */
const CALM_MS = 45_000
const HEAL_MS = 4 * 60_000
const WATCH_MS = 60_000
/** A few exchanges with those near, and the tries of a link that has failed, in a cloud in which all is lossy. */
const PASSED_OVER_MS = 120_000
const BROADCASTS = 5
/** With fewer there may be one way only, and links lose nothing while they last. */
const LOSSY_MACHINES = 8
/** In the view, and a little beyond it until the next tick. */
const MOST_KNOWN = 128 + 32 + 64

export interface RingsOptions {
  seed: number
  machines: number
  /** How long there are faults, virtual ms. */
  faultsMs?: number
  plant?: RingPlant
  liars?: number
}

export interface RingsResult {
  findings: readonly Finding[]
  trace: string
  events: number
  virtualMs: number
  /** Of the broadcasts at the end. */
  mostHops: number
  theoryHops: number
  meanLinks: number
  dialledShare: number
  lapMs: number
  hopMs: number
  /** The most that two machines' ideas of the ring's time were apart at one moment. */
  tickSkewMs: number
}

export function runRings(options: RingsOptions): RingsResult {
  return new RingsRun(options).go()
}

class RingsRun {
  readonly #options: RingsOptions
  readonly #world = new World()
  readonly #random
  readonly #network: DialNetwork<Said>
  readonly #machines = new Map<string, RingMachine>()
  readonly #all: RingMachine[]
  readonly #findings: Finding[] = []
  /** What each machine heard of the last broadcasts. */
  readonly #heard = new Map<string, Map<string, number>>()
  /** When the last fault ended that touches all. */
  #disturbedMs = 0
  /** Since when somebody that lives is passed over on a ring. */
  readonly #passedOver = new Map<string, number>()

  constructor(options: RingsOptions) {
    this.#options = options
    const random = seededRandom(options.seed)
    this.#random = random
    this.#network = new DialNetwork<Said>(this.#world, random.fork(), {
      delayMs: random.between(1, 120),
      jitterMs: random.between(0, 20),
      loss: random.chance(0.5) ? random.between(0, 0.02) : 0,
    })
    const parts = {
      world: this.#world,
      network: this.#network,
      random: random.fork(),
      machines: this.#machines,
      plant: options.plant ?? {},
      gone: (by: RingMachine, machine: string) => this.#gone(by, machine),
      delivered: (by: RingMachine, payload: string, hops: number) => {
        this.#heard.get(payload)?.set(by.key, hops)
      },
    }
    for (let i = 0; i < options.machines; i++) {
      const machine = new RingMachine(i, parts)
      this.#machines.set(machine.key, machine)
    }
    this.#all = [...this.#machines.values()]
    for (let i = 0; i < (options.liars ?? 0); i++) this.#random.pick(this.#all).isLiar = true
  }

  go(): RingsResult {
    const { machines, faultsMs = 120_000 } = this.#options
    this.#all.forEach((machine, i) => {
      this.#world.after(this.#random.next() * COMING_MS, () => this.#start(machine, i))
    })
    this.#through(COMING_MS)
    this.#planFaults(faultsMs)
    this.#through(faultsMs)
    this.#mend()
    this.#through(HEAL_MS)
    const shape = this.#findings.length === 0 ? this.#checkRings() : { links: 0, dialled: 0 }
    if (this.#findings.length === 0) this.#watchToken()
    const mostHops = this.#findings.length === 0 ? this.#broadcast() : 0
    const laps = this.#up().flatMap(({ token }) => token?.measured ?? [])
    return {
      findings: this.#findings,
      trace: this.#world.trace,
      events: this.#world.events,
      virtualMs: this.#world.nowMs,
      mostHops,
      theoryHops: this.#theoryHops,
      meanLinks: shape.links / machines,
      dialledShare: shape.dialled / Math.max(1, shape.links),
      lapMs: mean(laps.map(({ lapMs }) => lapMs)),
      hopMs: mean(laps.map(({ hopMs }) => hopMs)),
      tickSkewMs: this.#tickSkewMs(),
    }
  }

  /** A random graph of degree d has a diameter of about ln n / ln (d - 1). */
  get #theoryHops(): number {
    const { machines } = this.#options
    return Math.max(1, Math.ceil(Math.log(machines) / Math.log(2 * RINGS - 1)))
  }

  #up(): RingMachine[] {
    return this.#all.filter(({ isUp }) => isUp)
  }

  #start(machine: RingMachine, number: number): void {
    if (machine.isUp) return
    // Each has heard of a few of the others, as by a list or a topic.
    const known = [0, 1, 2].map(() => this.#random.pick(this.#all)).filter((one) => one !== machine)
    if (number > 0) known.push(this.#all[this.#random.whole(0, number - 1)]!)
    machine.start(known)
  }

  #planFaults(faultsMs: number): void {
    const count = this.#all.length
    const minutes = faultsMs / 60_000
    const during = (times: number, happens: () => void): void => {
      for (let i = 0; i < times; i++) this.#world.after(this.#random.next() * faultsMs, happens)
    }
    during(Math.ceil(minutes * this.#random.between(0, count / 20)), () => {
      const machine = this.#random.pick(this.#all)
      if (!machine.isUp) return
      machine.crash()
      const forMs = this.#random.between(1, 60_000)
      this.#world.after(forMs, () => this.#start(machine, this.#all.indexOf(machine)))
    })
    during(Math.ceil(minutes * this.#random.between(0, count / 40)), () => {
      const machine = this.#random.pick(this.#all)
      machine.stall(this.#random.between(100, 2_000))
    })
    // All at once: a building without power.
    if (this.#random.chance(0.4)) {
      this.#world.after(this.#random.next() * faultsMs, () => {
        for (const machine of this.#all) {
          if (machine.isUp && this.#random.chance(0.3)) machine.crash()
        }
        this.#disturbedMs = this.#world.nowMs
      })
    }
    during(this.#random.whole(0, 2), () => this.#partition())
    for (let atMs = 0; atMs < faultsMs; atMs += 3_000) {
      this.#world.after(atMs, () => this.#lie())
    }
  }

  #partition(): void {
    const share = this.#random.between(0.05, 0.5)
    const keys = this.#all.map(({ key }) => key)
    const apart = new Set(keys.filter(() => this.#random.chance(share)))
    this.#network.cut((key) => (apart.has(key) ? 1 : 0), keys)
    this.#disturbedMs = this.#world.nowMs + 60_000
    this.#world.after(this.#random.between(1_000, 60_000), () => {
      this.#network.heal()
      this.#disturbedMs = this.#world.nowMs
    })
  }

  #lie(): void {
    for (const liar of this.#all) {
      if (!liar.isUp || !liar.isLiar) continue
      const victim = this.#random.pick(this.#all)
      if (victim !== liar) liar.lie(victim)
    }
  }

  /** From now on nothing goes wrong any more, but for some that stay down. */
  #mend(): void {
    this.#network.heal()
    this.#network.faults = { ...this.#network.faults, loss: 0 }
    this.#disturbedMs = this.#world.nowMs
    this.#all.forEach((machine, i) => {
      if (!machine.isUp && this.#random.chance(0.8)) this.#start(machine, i)
    })
  }

  #gone(by: RingMachine, machine: string): void {
    const accused = this.#machines.get(machine)
    const { nowMs } = this.#world
    if (accused === undefined || !accused.isUp || nowMs - this.#disturbedMs < CALM_MS) return
    if (nowMs - accused.changedMs < CALM_MS || nowMs - accused.stalledUntilMs < CALM_MS) return
    this.#report('live machine called gone', `${machine} by ${by.key} in the calm`)
  }

  #through(durationMs: number): void {
    const endMs = this.#world.nowMs + durationMs
    while (this.#world.nowMs < endMs && this.#findings.length === 0) {
      this.#world.run(Math.min(SLICE_MS, endMs - this.#world.nowMs))
      this.#sample()
    }
  }

  #sample(): void {
    for (const { key, rings } of this.#up()) {
      if (rings === null) continue
      const links = [...rings.plan.links.values()]
      const accepted = links.filter(({ dialled }) => !dialled).length
      if (links.length > MAX_LINKS) this.#report('too many links', `${key}: ${links.length}`)
      if (!rings.plan.isWhole && accepted > MAX_LINKS / 2)
        this.#report('too many links', `${key} accepted ${accepted}`)
      if (rings.view.size > MOST_KNOWN) {
        this.#report('memory is not bounded', `${key} knows ${rings.view.size}`)
      }
    }
    this.#samplePassedOver()
  }

  /** Nobody that lives is passed over on a ring for longer than it takes to find it again. */
  #samplePassedOver(): void {
    const { nowMs } = this.#world
    const up = this.#up().filter(({ changedMs }) => nowMs - changedMs > CALM_MS)
    if (nowMs - this.#disturbedMs <= CALM_MS) this.#passedOver.clear()
    else {
      for (let ring = 0; ring < RINGS; ring++) {
        const order = up.toSorted((a, b) => a.member.at[ring]! - b.member.at[ring]!)
        order.forEach((machine, i) => {
          const next = order[(i + 1) % order.length]!
          const name = `${next.key} by ${machine.key}`
          if (next === machine || machine.rings?.view.rings.has(next.key) === true) {
            this.#passedOver.delete(name)
            return
          }
          const sinceMs = this.#passedOver.get(name) ?? nowMs
          this.#passedOver.set(name, sinceMs)
          if (nowMs - sinceMs > PASSED_OVER_MS) this.#report('live machine passed over', name)
        })
      }
    }
  }

  #checkRings(): { links: number; dialled: number } {
    const up = this.#up()
    let links = 0
    let dialled = 0
    for (const { rings } of up) {
      for (const link of rings?.plan.links.values() ?? []) {
        links += 1
        if (link.dialled) dialled += 1
      }
    }
    for (let ring = 0; ring < RINGS; ring++) {
      const order = up.toSorted((a, b) => a.member.at[ring]! - b.member.at[ring]!)
      order.forEach((machine, i) => {
        const next = order[(i + 1) % order.length]!
        if (next === machine || machine.rings === null) return
        const held = machine.rings.beside(ring, 1)?.machine
        if (held !== next.key) {
          const isGone = held !== undefined && this.#machines.get(held)?.isUp === false
          this.#report(
            isGone ? 'dead machine kept' : 'ring is not closed',
            `ring ${ring}: after ${machine.key} comes ${next.key}, not ${held ?? 'nobody'}`,
          )
        } else if (!machine.rings.plan.links.has(next.key)) {
          this.#report(
            'ring is not closed',
            `ring ${ring}: ${machine.key} has no link with ${next.key}`,
          )
        }
      })
    }
    // Who vouches for one that is gone keeps its name in use, among those far away, and nothing else.
    const vouched = up.some(({ isLiar }) => isLiar)
    for (const { key, rings } of vouched ? [] : up) {
      for (const { machine } of rings?.view.rings.all() ?? []) {
        const other = this.#machines.get(machine)!
        if (other.isUp || this.#world.nowMs - other.changedMs < STALE_MS + CALM_MS) continue
        this.#report('dead machine kept', `${key} counts ${machine}`)
      }
    }
    return { links, dialled }
  }

  /** One token, held or under way, at each moment at which one looks. */
  #watchToken(): void {
    const [least, most] = [new Set<string>(), new Set<number>()]
    for (let passedMs = 0; passedMs < WATCH_MS; passedMs += 1_000) {
      this.#world.run(1_000)
      const tokens: string[] = []
      for (const { token } of this.#up()) {
        const held = token?.holds
        if (held != null) tokens.push(`${held.epoch} ${held.maker}`)
      }
      for (const said of this.#network.underWay) {
        if (said.of === 'token') tokens.push(`${said.token.epoch} ${said.token.maker}`)
      }
      for (const token of tokens) least.add(token)
      most.add(tokens.length)
    }
    if (least.size !== 1 || most.size !== 1 || !most.has(1)) {
      const words = `${least.size} tokens, at one moment ${[...most].join(' or ')}`
      this.#report('not one token', words)
    }
  }

  #broadcast(): number {
    let mostHops = 0
    // Links may lose what they carry while what is told is told.
    const up = this.#up()
    if (up.length >= LOSSY_MACHINES) this.#network.faults = { ...this.#network.faults, loss: 0.02 }
    const author = this.#random.pick(up)
    for (let i = 0; i < 4 * BROADCASTS; i++) {
      const text = `broadcast ${i}`
      this.#heard.set(text, new Map())
      const from = i % 2 === 0 ? author : this.#random.pick(up)
      from.publish(text)
      this.#world.run(SLICE_MS)
      const heard = this.#heard.get(text)!
      if (heard.size < up.length - 1) {
        this.#report('broadcast is incomplete', `${heard.size + 1} of ${up.length} heard it`)
      }
    }
    // Hops are counted where each takes as long: else what comes first has come by more and quicker ones.
    this.#network.faults = { delayMs: 50, jitterMs: 0, loss: 0, isEven: true }
    for (let i = 0; i < BROADCASTS; i++) {
      const text = `sound broadcast ${i}`
      this.#heard.set(text, new Map())
      author.publish(text)
      this.#world.run(SLICE_MS)
      // The first ones show which ways are short.
      if (i < BROADCASTS - 2) continue
      mostHops = Math.max(mostHops, ...this.#heard.get(text)!.values())
    }
    if (mostHops > this.#theoryHops + 2) {
      this.#report('broadcast takes too many hops', `${mostHops} for ${up.length} machines`)
    }
    return mostHops
  }

  #tickSkewMs(): number {
    const times = this.#up().flatMap(({ token, nowMs }) => token?.timeAt(nowMs) ?? [])
    return times.length === 0 ? 0 : Math.max(...times) - Math.min(...times)
  }

  #report(check: string, words: string): void {
    this.#findings.push({ check, words, atMs: Math.round(this.#world.nowMs) })
  }
}

function mean(numbers: readonly number[]): number {
  return numbers.length === 0 ? 0 : numbers.reduce((sum, one) => sum + one, 0) / numbers.length
}
