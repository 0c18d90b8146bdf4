// Computers in networks of their own, for tests: network namespaces of Linux, which only root may make.
import { execFile } from 'node:child_process'
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

/** All of it is gone once it is closed. */
export class Namespaces {
  readonly #made: string[] = []
  /** So that no two tests have the same names. */
  readonly #prefix = `dh${process.pid}`

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

  /** What runs a program on that computer: to be put before its own words. */
  on(computer: string): string[] {
    return ['ip', 'netns', 'exec', this.#nameOf(computer)]
  }

  async close(): Promise<void> {
    for (const name of this.#made.splice(0)) await ip(`netns del ${name}`)
  }

  async #make(name: string): Promise<void> {
    await ip(`netns add ${this.#nameOf(name)}`)
    this.#made.push(this.#nameOf(name))
  }

  #nameOf(name: string): string {
    return `${this.#prefix}-${name}`
  }
}
