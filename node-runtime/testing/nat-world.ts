// The internet in small, for tests: nodes of a DHT, and sites behind routers of every kind, in network namespaces.
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'rolldown'
import { encodeKey, hash } from '../core/keys.ts'
import { Namespaces, namespacesFault } from './namespaces.ts'
import type { NatReport } from './nat-machine.ts'

export type { NatReport } from './nat-machine.ts'

/**
 * `open`: on the internet itself. `home`: the router keeps the port and lets in whom was sent to. `symmetric`:
 * another port for each other side, by chance. `blocked`: no UDP comes through.
 */
export type NatKind = 'open' | 'home' | 'symmetric' | 'blocked'
export const NAT_KINDS: readonly NatKind[] = ['open', 'home', 'symmetric', 'blocked']

const NODES = 12
const NODE_PORT = 49_737
/** A process of a test on a busy computer. */
const START_MS = 30_000
const OPEN_MS = 4_000
const OPEN_TRIES = 5
/** Inside the repository, for packages to be found. */
const BUNDLES = join(import.meta.dirname, '../../out')
const CLOUD = encodeKey(hash(Buffer.from('the cloud of the NAT matrix')))

/** Why it can't be made here, in words; null if it can. */
export async function natWorldFault(): Promise<string | null> {
  const fault = await namespacesFault()
  if (fault !== null) return fault
  const world = new Namespaces()
  try {
    await world.makeComputer('nft')
    await world.makeRouter('nft', rulesOf('symmetric'))
    return null
  } catch (error) {
    return `no nftables: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`
  } finally {
    await world.close()
  }
}

/** Why no router of this world can give ports, in words; null if they can. */
export function giverFault(): string | null {
  const { error } = spawnSync('miniupnpd', ['--version'])
  return error === undefined ? null : 'miniupnpd is not installed'
}

/** How a router gives ports: `small` is PCP and NAT-PMP. */
export type PortProtocols = 'small' | 'upnp'

/** Of nftables, in which miniupnpd writes. */
const GIVER_RULES = `
  table inet giver {
    chain forward { type filter hook forward priority 10; jump given; }
    chain prerouting { type nat hook prerouting priority -100; jump to_inside; }
    chain postrouting { type nat hook postrouting priority 90; jump to_outside; }
    chain given {}
    chain to_inside {}
    chain to_outside {}
  }`

function giverSettings(protocols: PortProtocols, network: string): string {
  const has = (one: PortProtocols): string => (one === protocols ? 'yes' : 'no')
  return [
    'ext_ifname=wan',
    'listening_ip=lan',
    'port=0',
    `enable_natpmp=${has('small')}`,
    `enable_upnp=${has('upnp')}`,
    'secure_mode=yes',
    'uuid=57dce673-4aa4-4238-86fe-17e1d1023663',
    'upnp_table_name=giver',
    'upnp_nat_table_name=giver',
    'upnp_forward_chain=given',
    'upnp_nat_chain=to_inside',
    'upnp_nat_postrouting_chain=to_outside',
    `allow 1024-65535 ${network} 1024-65535`,
    'deny 0-65535 0.0.0.0/0 0-65535',
    '',
  ].join('\n')
}

function rulesOf(kind: Exclude<NatKind, 'open'>): string {
  const mapping = kind === 'symmetric' ? 'masquerade random,fully-random' : 'masquerade'
  const forwarded =
    kind === 'blocked'
      ? 'meta l4proto udp drop; ct state established,related accept'
      : 'ct state established,related accept'
  // What comes unasked must not take the router's own place in its table of connections.
  return `
    table ip nat {
      chain post { type nat hook postrouting priority 100; oifname "wan" ${mapping}; }
    }
    table ip flt {
      chain inp {
        type filter hook input priority 0;
        iifname "wan" ct state established,related accept
        iifname "wan" drop
      }
      chain forw {
        type filter hook forward priority 0;
        ${forwarded}
        ct status dnat accept
        iifname "wan" drop
      }
    }`
}

/** A machine that runs in the world, and what it has said so far. */
export class NatMachine {
  readonly reports: NatReport[] = []
  readonly #child: ChildProcess
  readonly #waiting = new Set<() => void>()

  constructor(child: ChildProcess) {
    this.#child = child
    createInterface({ input: child.stdout! }).on('line', (line) => {
      this.reports.push(JSON.parse(line) as NatReport)
      for (const look of this.#waiting) look()
    })
  }

  /** The first report that is as wanted, of those that were made and those to come. */
  report(
    isWanted: (report: NatReport) => boolean,
    what: string,
    withinMs: number,
  ): Promise<NatReport> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.reports.find(isWanted)
        if (found === undefined) return
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve(found)
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(look)
        // That numbers go on coming says little, and fills pages.
        const said = this.reports
          .filter(({ type }) => type !== 'heard')
          .map((report) => JSON.stringify(report))
          .join('\n')
        reject(new Error(`not within ${withinMs} ms: ${what}\n${said}`))
      }, withinMs)
      this.#waiting.add(look)
      look()
    })
  }

  /** By which way it is linked with another now; null if it is not. */
  routeTo(other: string): 'direct' | 'relayed' | null {
    const last = this.reports.findLast(
      (report) => (report.type === 'route' || report.type === 'unlinked') && report.with === other,
    )
    if (last?.type !== 'route') return null
    return last.relayed ? 'relayed' : 'direct'
  }

  get lost(): NatReport[] {
    return this.reports.filter(({ type }) => type === 'lost')
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** It ends as it should, and cleans up behind it. */
  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill(signal)
    await exit
  }
}

export class NatWorld {
  readonly #namespaces = new Namespaces()
  readonly #children: ChildProcess[] = []
  readonly #bootstrap: string[] = []
  /** The programs, bundled once: many start at the same time. */
  readonly #programs = join(BUNDLES, `nat-${process.pid}-${Date.now()}`)
  /** `host`: the last number of its address. */
  readonly #places = new Map<string, { kind: NatKind; number: number; host: number }>()

  static async create(): Promise<NatWorld> {
    const world = new NatWorld()
    try {
      await world.#begin()
      return world
    } catch (error) {
      await world.close()
      throw error
    }
  }

  /** A place with one computer, behind a router of this kind. */
  async makeSite(name: string, kind: NatKind): Promise<void> {
    const namespaces = this.#namespaces
    const number = this.#places.size + 1
    this.#places.set(name, { kind, number, host: kind === 'open' ? 1 : 2 })
    await namespaces.makeComputer(name)
    if (kind === 'open') {
      await namespaces.plugIn(name, 'ix', `11.${number}.0.1/8`)
      return
    }
    await namespaces.makeComputer(`${name}-r`)
    await namespaces.makeSwitch(`${name}-l`)
    await namespaces.plugIn(`${name}-r`, 'ix', `11.${number}.0.1/8`, 'wan')
    await namespaces.plugIn(`${name}-r`, `${name}-l`, `10.${number}.0.1/24`, 'lan')
    await namespaces.plugIn(name, `${name}-l`, `10.${number}.0.2/24`)
    await namespaces.routeBy(name, `10.${number}.0.1`)
    await this.changeRouter(name, kind)
  }

  /** The computer of a site gets another address, as in another network. */
  async move(name: string): Promise<void> {
    const site = this.#places.get(name)
    if (site === undefined) throw new Error(`there is no ${name}`)
    const { kind, number } = site
    const [net, bits] = kind === 'open' ? [`11.${number}`, 8] : [`10.${number}`, 24]
    const host = ++site.host
    const ofHost = (last: number): string => `${net}.0.${last}/${bits}`
    await this.#namespaces.changeAddress(name, ofHost(host - 1), ofHost(host))
    if (kind !== 'open') await this.#namespaces.routeBy(name, `10.${number}.0.1`)
  }

  /** The router of a site treats what comes by other rules from now on. */
  async changeRouter(name: string, kind: Exclude<NatKind, 'open'>): Promise<void> {
    await this.#namespaces.makeRouter(`${name}-r`, rulesOf(kind))
  }

  /** The router of a site gives ports from now on, by a program that real ones run; see `giverFault`. */
  async givePorts(
    name: string,
    kind: Exclude<NatKind, 'open'>,
    protocols: PortProtocols,
  ): Promise<void> {
    const router = `${name}-r`
    await this.#namespaces.makeRouter(router, `${rulesOf(kind)}\n${GIVER_RULES}`)
    const [settings, processId] = ['conf', 'pid'].map((end) =>
      join(this.#programs, `${router}.${end}`),
    )
    await mkdir(this.#programs, { recursive: true })
    await writeFile(settings!, giverSettings(protocols, '10.0.0.0/8'))
    const [program = '', ...words] = this.#namespaces.on(router)
    const child = spawn(
      program,
      [...words, 'miniupnpd', '-d', '-4', '-f', settings!, '-P', processId!],
      { stdio: 'ignore' },
    )
    this.#children.push(child)
  }

  /** How many ports the router of a site has given out now. */
  async givenPorts(name: string): Promise<number> {
    const listing = await this.#namespaces.run(`${name}-r`, 'nft list chain inet giver to_inside')
    return listing.split('\n').filter((line) => line.includes('dnat')).length
  }

  /**
   * A machine of the one cloud of this world, on the computer of a site.
   * @param messagesPerSecond  so fast it counts to all others
   * @param asks  does it ask its router for a port?
   * @param punchEveryMs  see `SwarmOptions`
   * @param knows  another machine that it knows from earlier, and where that one is, as HOST:PORT
   */
  start(
    name: string,
    {
      messagesPerSecond = 20,
      asks = false,
      knows = null,
      punchEveryMs,
    }: {
      messagesPerSecond?: number
      asks?: boolean
      knows?: { name: string; at: string } | null
      punchEveryMs?: number
    } = {},
  ): NatMachine {
    const more = { asks, punchEveryMs, ...(knows === null ? {} : { knows }) }
    const words = [CLOUD, name, String(messagesPerSecond), JSON.stringify(more), ...this.#bootstrap]
    return new NatMachine(this.#run(name, 'nat-machine', words))
  }

  /** The nodes of this world's DHT to begin with, as HOST:PORT. */
  get bootstrap(): readonly string[] {
    return this.#bootstrap
  }

  /**
   * A program on the computer of a site, which is killed at the end if it still runs. Its input and output are pipes.
   * @param words  the program, and what it is to be told
   */
  run(name: string, words: readonly string[]): ChildProcess {
    const [program = '', ...rest] = [...this.#namespaces.on(name), ...words]
    const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#children.push(child)
    return child
  }

  /** One at an open site that relays for others. What the DHT makes of it is sometimes too late: then another try. */
  async startRelay(name: string): Promise<NatMachine> {
    for (let tries = 1; ; tries++) {
      const machine = this.start(name)
      const isKnown = ({ type, ...rest }: NatReport): boolean =>
        type === 'way' && 'state' in rest && rest.state === 'answered'
      await machine.report(isKnown, 'it has asked the DHT', START_MS)
      // The DHT may still be about to find out.
      const relays = machine.report(
        (report) => report.type === 'router' && report.relays,
        'the DHT finds it open',
        OPEN_MS,
      )
      const fault = await relays.then(
        () => null,
        (error: unknown) => error,
      )
      if (fault === null) return machine
      await machine.kill()
      if (tries === OPEN_TRIES) throw fault
    }
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const exit = once(child, 'exit')
        child.kill('SIGKILL')
        await exit
      }),
    )
    await this.#namespaces.close()
    await rm(this.#programs, { recursive: true, force: true })
  }

  async #begin(): Promise<void> {
    await build({
      input: ['nat-dht', 'nat-machine'].map((name) => join(import.meta.dirname, `${name}.ts`)),
      platform: 'node',
      external: /^[^./]/,
      logLevel: 'warn',
      output: { dir: this.#programs, format: 'esm' },
    })
    const namespaces = this.#namespaces
    await namespaces.makeSwitch('ix')
    await namespaces.makeComputer('dht')
    const hosts = Array.from({ length: NODES }, (_, at) => `11.0.0.${at + 1}`)
    await namespaces.plugIn('dht', 'ix', `${hosts[0]}/8`)
    for (const host of hosts.slice(1)) await namespaces.addAddress('dht', `${host}/8`)
    this.#bootstrap.push(...hosts.slice(0, 3).map((host) => `${host}:${NODE_PORT}`))
    const nodes = this.#run('dht', 'nat-dht', [String(NODE_PORT), ...hosts])
    await once(nodes.stdout!, 'data')
  }

  #run(computer: string, script: string, words: readonly string[]): ChildProcess {
    return this.run(computer, [process.execPath, join(this.#programs, `${script}.js`), ...words])
  }
}
