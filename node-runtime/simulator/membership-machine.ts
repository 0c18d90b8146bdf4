// A simulated machine as a member of its cloud: the production core of membership, with what it saved
// last as all that it remembers after a crash.
import { openMachineForm, signMachineForm } from '../core/forms/machine-form.ts'
import type { MachineEntry } from '../core/forms/machine-form.ts'
import type { SignedForm } from '../core/forms/signed-form.ts'
import { encodeKey, hash, keyPair } from '../core/keys.ts'
import type { KnownMachine } from '../core/membership/known-machines.ts'
import type { NamedParts } from '../core/membership/known-summary.ts'
import { MembershipCore, nextSequence } from '../core/membership/membership-core.ts'
import type { MembershipEffect, MembershipEvent } from '../core/membership/membership-core.ts'
import { signAttestation } from '../core/forms/attestation.ts'
import { CLOUD } from './author.ts'
import type { SimulatedNetwork, Station } from './network.ts'
import type { World } from './world.ts'

/** Judging an entry takes a while: two signatures in a queue of others. */
const VERIFY_MS = 1
const NEVER_MS = 2 ** 46
const text = new TextDecoder()

type Said =
  | { digests: string[] }
  | { named: NamedParts }
  | { told: { machine: string; sequence: number; form: SignedForm }[] }

export interface MemberParts {
  world: World
  network: SimulatedNetwork
  startMs: number
  /** All machines by key, as their addresses are in the real network. */
  members: ReadonlyMap<string, MemberMachine>
  /** Entries that were judged already, by their signature: each once for all machines. */
  judged: Map<string, MachineEntry | null>
  /** Told of each entry that a machine takes in. */
  learned: (member: MemberMachine, entry: MachineEntry) => void
}

export class MemberMachine implements Station {
  readonly key: string
  readonly #parts: MemberParts
  readonly #keys: ReturnType<typeof keyPair>
  readonly #person: ReturnType<typeof keyPair>
  readonly #timers = new Map<string, number>()
  #entry: MachineEntry
  #core: MembershipCore | null = null
  #saved: KnownMachine[] = []
  #life = 0
  #timer = 0

  constructor(number: number, parts: MemberParts) {
    this.#parts = parts
    this.#keys = keyPair(hash(Buffer.from(`member ${number}`)))
    this.#person = keyPair(hash(Buffer.from(`member's person ${number}`)))
    this.key = encodeKey(this.#keys.publicKey)
    this.#entry = this.#sign(`machine ${number}`, 1)
  }

  get isUp(): boolean {
    return this.#core !== null
  }

  get entry(): MachineEntry {
    return this.#entry
  }

  /** What it knows of another machine, or of itself. */
  knows(machine: string): MachineEntry | undefined {
    return this.#core?.entryOf(machine)
  }

  start(): void {
    this.#core = new MembershipCore(this.#entry)
    this.#happen({ type: 'remembered', known: this.#saved })
    this.#happen({ type: 'started' })
    this.#parts.network.up(this.key)
  }

  /** Stops without a word. */
  crash(): void {
    this.#core = null
    this.#life += 1
    this.#timers.clear()
    this.#parts.network.down(this.key)
  }

  rename(name: string): void {
    this.#entry = this.#sign(name, nextSequence(this.#entry.sequence, this.#wallMs()))
    this.#happen({ type: 'ownSigned', entry: this.#entry })
  }

  opened(peer: string): void {
    // The greeting brings the entry of the other end.
    const entry = this.#parts.members.get(peer)?.entry
    if (entry === undefined) return
    this.#happen({ type: 'linkOpened', entry, wallMs: this.#wallMs() })
    this.#happen({ type: 'channelOpened', machine: peer })
  }

  closed(peer: string): void {
    this.#happen({ type: 'linkClosed', machine: peer, wallMs: this.#wallMs() })
  }

  received(peer: string, bytes: Uint8Array): void {
    const said = JSON.parse(text.decode(bytes)) as Said
    if ('digests' in said) {
      this.#happen({ type: 'compared', from: peer, digests: said.digests })
    } else if ('named' in said) {
      this.#happen({ type: 'named', from: peer, named: said.named })
    } else {
      this.#happen({ type: 'offered', from: peer, offers: said.told })
    }
  }

  #wallMs(): number {
    return Math.floor(this.#parts.startMs + this.#parts.world.nowMs)
  }

  #sign(name: string, sequence: number): MachineEntry {
    const person = encodeKey(this.#person.publicKey)
    const attestation = signAttestation(
      { person, machine: this.key, cloud: CLOUD, sequence: 1, expiresMs: NEVER_MS },
      this.#person.secretKey,
    )
    return signMachineForm(
      {
        cloud: CLOUD,
        machine: this.key,
        attestation,
        name,
        device: 'headless',
        appVersion: '0.0.0',
        protocol: { version: 2, capabilities: [] },
        sequence,
      },
      this.#keys.secretKey,
    )
  }

  #happen(event: MembershipEvent): void {
    const core = this.#core
    if (core === null) return
    const { world } = this.#parts
    const effects = core.step(event, world.nowMs)
    world.note(event.type.length, Math.round(world.nowMs * 1000), effects.length)
    for (const effect of effects) if (this.#core === core) this.#perform(effect, core)
  }

  #perform(effect: MembershipEffect, core: MembershipCore): void {
    const { network, members, learned } = this.#parts
    switch (effect.type) {
      case 'compare':
        this.#say(effect.to, { digests: [...effect.digests] })
        break
      case 'name':
        this.#say(effect.to, { named: effect.named })
        break
      case 'tell':
        this.#tell(effect.to, effect.machines, core)
        break
      case 'verify':
        this.#verify(effect.from, effect.forms)
        break
      case 'reach': {
        const other = members.get(effect.machine)
        if (other !== undefined) network.connect(this, other)
        break
      }
      case 'learned':
        learned(this, effect.entry)
        break
      case 'save':
        this.#saved = [...core.known]
        break
      case 'signAnew':
        this.#entry = this.#sign(this.#entry.name, nextSequence(effect.after, this.#wallMs()))
        this.#happen({ type: 'ownSigned', entry: this.#entry })
        break
      case 'dropLink':
        network.reset(this.key, effect.machine)
        break
      case 'setTimer':
        this.#setTimer(effect.id, effect.afterMs)
        break
      case 'changed':
      case 'latenciesChanged':
        break
    }
  }

  #tell(to: string, machines: readonly string[], core: MembershipCore): void {
    const told = machines.flatMap((machine) => {
      const entry = core.entryOf(machine)
      return entry === undefined ? [] : [{ machine, sequence: entry.sequence, form: entry.form }]
    })
    this.#say(to, { told })
  }

  #say(to: string, said: Said): void {
    this.#parts.network.send(this.key, to, Buffer.from(JSON.stringify(said)))
  }

  #verify(from: string, forms: readonly SignedForm[]): void {
    const { world, judged } = this.#parts
    const life = this.#life
    const entries: MachineEntry[] = []
    for (const form of forms) {
      let entry = judged.get(form.signature + form.body)
      if (entry === undefined) {
        entry = openMachineForm(form, CLOUD)
        judged.set(form.signature + form.body, entry)
      }
      if (entry !== null) entries.push(entry)
    }
    world.after(VERIFY_MS, () => {
      if (this.#life !== life) return
      this.#happen({ type: 'verified', from, entries, forged: forms.length - entries.length })
    })
  }

  #setTimer(id: string, afterMs: number): void {
    const number = (this.#timer += 1)
    const life = this.#life
    this.#timers.set(id, number)
    this.#parts.world.after(afterMs, () => {
      if (this.#timers.get(id) !== number || this.#life !== life) return
      this.#timers.delete(id)
      this.#happen({ type: 'timer', id })
    })
  }
}
