// Where this machine stands on the rings, and which links it keeps: asked for, let go, and looked into when they fall
// silent. That decides `core/rings`; here are its protocol, and what it asks of the network. Members are told by name
// and sequence; who lacks an entry asks for it.
import { EventEmitter } from 'node:events'
import * as z from 'zod'
import { keySchema, timeMsSchema } from '../../contract/values.ts'
import { Budget } from '../../core/budget.ts'
import type { MachineAddress } from '../../core/finding/dial-list.ts'
import { networkOf, PRIVATE_NETWORK } from '../../core/finding/list-sample.ts'
import type { MachineEntry } from '../../core/forms/machine-form.ts'
import { signedFormSchema } from '../../core/forms/signed-form.ts'
import type { SignedForm } from '../../core/forms/signed-form.ts'
import { placeOf, positionsOf } from '../../core/rings/place.ts'
import { MAX_TOLD, RingCore } from '../../core/rings/ring-core.ts'
import type { Member, RingEffect, RingEvent } from '../../core/rings/ring-events.ts'
import { STALE_MS } from '../../core/rings/view.ts'
import { Driver } from '../../flow/driver.ts'
import type { Log } from '../../ports/log.ts'
import { jsonCodec } from '../../swarm/codec.ts'
import type { Network, PeerInfo, Protocol } from '../../swarm/network.ts'

/** Entries that one may ask for at once; the largest have 50 kB. */
const MAX_ASKED = 8
const MAX_MESSAGE_BYTES = 200_000
/** A message of entries is closed when it has so much; the last may be of the largest size. */
const FULL_MESSAGE_BYTES = 100_000
/** Entries that one link may ask for. */
const ENTRIES = { burst: 64, perSecond: 2 }
/** Machines of which others told, and whose entries are on their way. */
const MAX_PENDING = 256

const toldSchema = z.object({
  machine: keySchema,
  incarnation: timeMsSchema,
  ageMs: z.number().int().min(0).max(STALE_MS),
})
const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('who') }),
  z.object({ kind: z.literal('near'), members: z.array(toldSchema).max(MAX_TOLD) }),
  z.object({ kind: z.literal('ask'), machines: z.array(keySchema).max(MAX_ASKED) }),
  z.object({ kind: z.literal('entries'), entries: z.array(signedFormSchema).max(MAX_ASKED) }),
  z.object({ kind: z.literal('probe'), machine: keySchema }),
  z.object({ kind: z.literal('probed'), machine: keySchema, answers: z.boolean() }),
  z.object({ kind: z.literal('release') }),
  z.object({ kind: z.literal('keep') }),
])
type Message = z.infer<typeof messageSchema>

export interface RingLinksOptions {
  machine: string
  network: Network & {
    /** Tries to have a link, for the sake of the rings alone. */
    seek: (machine: string, addresses?: readonly MachineAddress[]) => void
    /** Does not try any more to have a link. */
    forgo: (machine: string) => void
    /** Ends a link without blame, and does not try to have it again. */
    release: (machine: string) => void
    /** A linked machine was asked to end the link. */
    expectEnd: (machine: string) => void
    /** Asks a linked machine whether it is there. */
    check: (machine: string) => void
    /** Watches these closely, and no others. */
    watch: (machines: readonly string[]) => void
    linkOf: (machine: string) => { dialled: boolean; address: MachineAddress | null } | null
  }
  /** What is known of a machine, this one included. */
  entryOf: (machine: string) => MachineEntry | undefined
  /** Another machine has told these. */
  offered: (from: PeerInfo, forms: readonly SignedForm[]) => void
  /** What a cloud that is open to all asks for; null in others. */
  workBits: () => number | null
  /** Does something on this machine need a link with that one? */
  needs: (machine: string) => boolean
  /** Is it one that this machine links with more easily than with others? */
  prefers: (entry: MachineEntry) => boolean
  log: Log
  random: () => number
}

export interface RingLinksEvents {
  /** Who is there, or how many. */
  changed: []
}

export class RingLinks extends EventEmitter<RingLinksEvents> {
  readonly #options: RingLinksOptions
  readonly #protocol: Protocol<Message>
  /** Machines that speak this protocol. */
  readonly #peers = new Map<string, Budget>()
  /** All with which there is a link. */
  readonly #linked = new Set<string>()
  /** Those of the peers whose place is known. */
  readonly #opened = new Set<string>()
  /** Told by others, not known yet: when somebody had a link with them, monotonic ms. */
  readonly #pending = new Map<string, number>()
  /** None before this machine has a place. */
  #core: RingCore | null = null
  #driver: Driver<RingEvent, RingEffect> | null = null

  constructor(options: RingLinksOptions) {
    super()
    this.setMaxListeners(0)
    this.#options = options
    this.#protocol = options.network.openProtocol<Message>({
      name: 'dharma/rings/1',
      codec: jsonCodec(messageSchema, MAX_MESSAGE_BYTES),
      opened: ({ machine }) => {
        this.#peers.set(machine, new Budget(ENTRIES, performance.now()))
        this.look()
      },
      received: (peer, message) => this.#received(peer, message),
      closed: ({ machine }) => void this.#peers.delete(machine),
    })
  }

  /** Machines of the cloud, this one included: counted if they are few, else by how thick they stand around here. */
  get machines(): number {
    return this.#core?.view.machines ?? 1
  }

  /** Standing links: those that the plan has, without those that something needed. */
  get standing(): number {
    return this.#core?.plan.links.size ?? 0
  }

  /** Has somebody had a link with that machine lately, as far as this one knows? */
  isThere(machine: string): boolean {
    return this.#core?.view.rings.has(machine) ?? false
  }

  /** Was its link lost, and are others asked now whether it answers them? */
  isSuspected(machine: string): boolean {
    return this.#core?.isSuspected(machine) ?? false
  }

  /** The rings, from 0, on which it stands next to this machine, as this one knows. */
  ringsBeside(machine: string): number[] {
    return this.#core?.ringsBeside(machine) ?? []
  }

  /** Where a machine that is there stands on ring 0, 0 to 1; null if that is not known. */
  placeOf(machine: string): number | null {
    const { machine: own } = this.#options
    const spot = machine === own ? this.#memberOf(own) : this.#core?.view.rings.get(machine)
    return spot?.at[0] ?? null
  }

  /** Entries may have come, or what the cloud asks for may have changed. */
  look(): void {
    const own = this.#memberOf(this.#options.machine)
    if (own === null) return
    if (this.#core === null) this.#begin(own)
    // It began before it was known how the cloud did, and so what that asks for a place.
    else if (this.#core.view.own.at[0] !== own.at[0]) this.#core.view.own = own
    for (const machine of this.#peers.keys()) {
      const member = this.#opened.has(machine) ? null : this.#memberOf(machine)
      const link = this.#options.network.linkOf(machine)
      if (member === null || link === null) continue
      this.#opened.add(machine)
      const { dialled, address } = link
      const network = publicNetworkOf(address === null ? [] : [address])
      this.#driver?.post({ type: 'linkOpened', member, dialled, network })
    }
  }

  /** An entry came that is new. */
  learned(machine: string): void {
    const atMs = this.#pending.get(machine)
    if (atMs === undefined) return this.look()
    this.#pending.delete(machine)
    const member = this.#memberOf(machine)
    if (member === null) return
    this.#post({ type: 'told', members: [{ member, ageMs: performance.now() - atMs }] })
  }

  /** It may take part or not. */
  linkOpened(machine: string): void {
    this.#linked.add(machine)
    // It may have said so at once, or by an earlier link.
    if (!this.#opened.has(machine)) this.#post({ type: 'linkSeen', machine })
  }

  /** @param silent  it was not heard any more */
  linkClosed(machine: string, silent: boolean): void {
    this.#linked.delete(machine)
    this.#opened.delete(machine)
    this.#post({ type: 'linkClosed', machine, silent })
  }

  /** A linked machine has not been heard for a while. */
  doubted(machine: string): void {
    if (this.#opened.has(machine)) this.#post({ type: 'doubted', machine })
  }

  /** A sign of life, after `check`. */
  answered(machine: string): void {
    if (this.#core?.isAskedOf(machine) !== true || !this.#opened.has(machine)) return
    this.#post({ type: 'answered', machine })
  }

  close(): void {
    this.#driver?.close()
    this.#protocol.close()
  }

  #begin(own: Member): void {
    const { log, random, needs, entryOf, prefers } = this.#options
    const preferred = (machine: string): boolean => {
      const entry = entryOf(machine)
      return entry !== undefined && prefers(entry)
    }
    this.#core = new RingCore({ own, random, needs, prefers: preferred })
    this.#driver = new Driver<RingEvent, RingEffect>({
      core: this.#core,
      perform: (effect) => this.#perform(effect),
      onFault: (error) => log.error('keeping links failed through our own fault', { error }),
      mustKeep: ({ type }) => type !== 'received' && type !== 'answered',
    })
    this.#driver.post({ type: 'started' })
    for (const machine of this.#linked) this.linkOpened(machine)
  }

  #post(event: RingEvent): void {
    this.#driver?.post(event)
  }

  #memberOf(machine: string): Member | null {
    const entry = this.#options.entryOf(machine)
    const place = entry === undefined ? null : placeOf(entry, this.#options.workBits())
    if (entry === undefined || place === null) return null
    const network = publicNetworkOf(entry.addresses ?? [])
    return { machine, at: positionsOf(place), incarnation: entry.sequence, network }
  }

  #received(peer: PeerInfo, message: Message): void {
    const { machine: from } = peer
    switch (message.kind) {
      case 'ask':
        return this.#answer(from, message.machines)
      case 'entries':
        return this.#options.offered(peer, message.entries)
      case 'near':
        return this.#near(from, message.members)
      default:
        return this.#post({ type: 'received', from, message })
    }
  }

  #near(from: string, told: readonly z.infer<typeof toldSchema>[]): void {
    const members: { member: Member; ageMs: number }[] = []
    const lacking: string[] = []
    for (const { machine, incarnation, ageMs } of told) {
      const member = machine === this.#options.machine ? null : this.#memberOf(machine)
      if (member !== null) members.push({ member, ageMs })
      const isNews = member === null || member.incarnation < incarnation
      if (!isNews || machine === this.#options.machine || lacking.length === MAX_ASKED) continue
      lacking.push(machine)
      this.#pending.set(machine, performance.now() - ageMs)
      const [first] = this.#pending.keys()
      if (this.#pending.size > MAX_PENDING && first !== undefined) this.#pending.delete(first)
    }
    if (members.length > 0) {
      this.#post({ type: 'received', from, message: { kind: 'near', members } })
    }
    if (lacking.length > 0) this.#protocol.send(from, { kind: 'ask', machines: lacking })
  }

  #answer(to: string, machines: readonly string[]): void {
    const budget = this.#peers.get(to)
    let entries: SignedForm[] = []
    let sizeBytes = 0
    const send = (): void => {
      if (entries.length > 0) this.#protocol.send(to, { kind: 'entries', entries })
      entries = []
      sizeBytes = 0
    }
    for (const machine of machines) {
      const form = this.#options.entryOf(machine)?.form
      if (form === undefined || budget?.tryUse(1, performance.now()) !== true) continue
      entries.push(form)
      sizeBytes += Buffer.byteLength(JSON.stringify(form))
      if (sizeBytes > FULL_MESSAGE_BYTES) send()
    }
    send()
  }

  #perform(effect: RingEffect): void {
    const { network, entryOf } = this.#options
    switch (effect.type) {
      case 'send': {
        const { to, message } = effect
        if (message.kind !== 'near') {
          if (message.kind === 'release') network.expectEnd(to)
          this.#protocol.send(to, message)
          return
        }
        const members = message.members.slice(0, MAX_TOLD).map(({ member, ageMs }) => ({
          machine: member.machine,
          incarnation: member.incarnation,
          ageMs: Math.min(STALE_MS, Math.round(ageMs)),
        }))
        this.#protocol.send(to, { kind: 'near', members })
        return
      }
      case 'reach': {
        const { machine } = effect.member
        return network.seek(machine, entryOf(machine)?.addresses)
      }
      case 'forgo':
        return network.forgo(effect.machine)
      case 'release':
        return network.release(effect.machine)
      case 'check':
        return network.check(effect.machine)
      case 'watch':
        return network.watch(effect.machines)
      case 'gone':
      case 'ring':
        this.emit('changed')
        return
      case 'setTimer':
    }
  }
}

/** A /16; null where machines of one network are all alike: on one computer, or behind one router. */
function publicNetworkOf(addresses: readonly MachineAddress[]): string | null {
  const network = networkOf(addresses)
  return network === PRIVATE_NETWORK ? null : network
}
