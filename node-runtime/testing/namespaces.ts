// Computers in networks of their own, for tests: network namespaces of Linux, which only root may make.
import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)

async function ip(...words: string[]): Promise<string> {
  return (await run('ip', words.join(' ').split(' '))).stdout
}

/** Why there are none here, in words; null if there are. */
export async function namespacesFault(): Promise<string | null> {
  if (process.platform !== 'linux') return 'this is no Linux'
  if (process.getuid?.() !== 0) return 'only root may make networks'
  const world = new Namespaces()
  try {
    await world.makeSwitch('probe')
    return null
  } catch (error) {
    return String(error)
  } finally {
    await world.close()
  }
}

const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Ends what runs in a namespace, and takes the namespace away, without waiting for anything else. */
function removeNow(name: string): void {
  for (const pid of execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).split('\n')) {
    if (pid === '') continue
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  execFileSync('ip', ['netns', 'del', name])
}

/** Takes away what a process made that was killed before it could. */
export function removeLeftNamespaces(): void {
  const list = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
  for (const line of list.split('\n')) {
    const [name = ''] = line.split(' ')
    const [, maker] = /^dh(\d+)-/.exec(name) ?? []
    if (maker === undefined || existsSync(`/proc/${maker}`)) continue
    try {
      removeNow(name)
    } catch {
      // Another process does the same at this moment.
    }
  }
}

/** All of it is gone once it is closed, or this process is interrupted; if it is killed, at the next start. */
export class Namespaces {
  readonly #made: string[] = []
  /** So that no two tests have the same names. */
  readonly #prefix = `dh${process.pid}`
  readonly #onEnding = (signal: NodeJS.Signals): void => {
    this.#stopListening()
    for (const name of this.#made.splice(0)) removeNow(name)
    process.kill(process.pid, signal)
  }

  /** A network that nobody is in yet. */
  async makeSwitch(name: string): Promise<void> {
    await this.#make(name)
    await ip(`-n ${this.#nameOf(name)} link add sw type bridge`)
    await ip(`-n ${this.#nameOf(name)} link set sw up`)
  }

  /** A computer that is in no network yet. */
  async makeComputer(name: string): Promise<void> {
    await this.#make(name)
    await ip(`-n ${this.#nameOf(name)} link set lo up`)
  }

  /**
   * A computer comes into a network, and has this address there (with the length of its prefix).
   * @param device  what the computer calls it; a router has two
   */
  async plugIn(computer: string, network: string, address: string, device = 'e0'): Promise<void> {
    const [inside, outside] = [this.#nameOf(computer), this.#nameOf(network)]
    const port = `p-${computer}`
    await ip(`link add name ${device} netns ${inside} type veth peer name ${port} netns ${outside}`)
    await ip(`-n ${outside} link set ${port} master sw up`)
    await ip(`-n ${inside} addr add ${address} dev ${device}`)
    await ip(`-n ${inside} link set ${device} up`)
  }

  async unplug(computer: string, device = 'e0'): Promise<void> {
    await ip(`-n ${this.#nameOf(computer)} link del ${device}`)
  }

  /** One more address of a computer that is in a network. */
  async addAddress(computer: string, address: string): Promise<void> {
    await ip(`-n ${this.#nameOf(computer)} addr add ${address} dev e0`)
  }

  /** It has another address from now on; what goes to other networks knows its way no more. */
  async changeAddress(computer: string, from: string, to: string): Promise<void> {
    const inside = this.#nameOf(computer)
    await ip(`-n ${inside} addr del ${from} dev e0`)
    await ip(`-n ${inside} addr add ${to} dev e0`)
  }

  /** Whatever goes to other networks goes by this router. */
  async routeBy(computer: string, router: string): Promise<void> {
    await ip(`-n ${this.#nameOf(computer)} route replace default via ${router}`)
  }

  /** Makes a computer pass on what is for others, by these rules of nftables in place of earlier ones. */
  async makeRouter(computer: string, rules: string): Promise<void> {
    const [program = '', ...words] = this.on(computer)
    await run(program, [...words, 'sysctl', '-qw', 'net.ipv4.ip_forward=1'])
    await run(program, [...words, 'nft', `flush ruleset\n${rules}`])
  }

  /** What a program says on that computer, whose words have no spaces. */
  async run(computer: string, words: string): Promise<string> {
    const [program = '', ...rest] = [...this.on(computer), ...words.split(' ')]
    return (await run(program, rest)).stdout
  }

  /** What runs a program on that computer: to be put before its own words. */
  on(computer: string): string[] {
    return ['ip', 'netns', 'exec', this.#nameOf(computer)]
  }

  async close(): Promise<void> {
    this.#stopListening()
    for (const name of this.#made.splice(0)) await ip(`netns del ${name}`)
  }

  #stopListening(): void {
    for (const signal of ENDINGS) process.off(signal, this.#onEnding)
  }

  async #make(name: string): Promise<void> {
    if (this.#made.length === 0) {
      removeLeftNamespaces()
      for (const signal of ENDINGS) process.once(signal, this.#onEnding)
    }
    await ip(`netns add ${this.#nameOf(name)}`)
    this.#made.push(this.#nameOf(name))
  }

  #nameOf(name: string): string {
    return `${this.#prefix}-${name}`
  }
}
