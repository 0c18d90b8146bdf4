// Which machines the cloud has, as this machine knows: their signed entries, passed on from link to
// link, and who is linked now. What to believe, keep and tell decides `core/membership`; here are its
// protocol, its file and its signatures.
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import * as z from 'zod'
import type { MachineInfo } from '../../contract/machines.ts'
import { keySchema, timeMsSchema } from '../../contract/values.ts'
import { readJson } from '../../core/json-text.ts'
import type { MachineAddress } from '../../core/finding/dial-list.ts'
import { openMachineForm } from '../../core/forms/machine-form.ts'
import type { MachineEntry } from '../../core/forms/machine-form.ts'
import { signedFormSchema } from '../../core/forms/signed-form.ts'
import type { SignedForm } from '../../core/forms/signed-form.ts'
import type { KnownMachine } from '../../core/membership/known-machines.ts'
import { DIGEST_CHARS, MAX_NAMED, PARTS } from '../../core/membership/known-summary.ts'
import {
  MAX_TOLD_CHARS,
  MembershipCore,
  nextSequence,
} from '../../core/membership/membership-core.ts'
import type {
  MembershipEffect,
  MembershipEvent,
  Offer,
} from '../../core/membership/membership-core.ts'
import { Driver } from '../../flow/driver.ts'
import { SerialQueue } from '../../flow/serial-queue.ts'
import type { Log } from '../../ports/log.ts'
import { writeJsonFile } from '../../store/json-file.ts'
import { saysThatItRelays } from '../../swarm/capabilities.ts'
import { jsonCodec } from '../../swarm/codec.ts'
import type { Network, PeerInfo, Protocol } from '../../swarm/network.ts'
import { readMachines } from './machines-file.ts'
import type { MachinesFile } from './machines-file.ts'

const ENTRIES_PER_MESSAGE = 100
/** A message is closed when it has so much; the last entry may be of the largest size. */
const FULL_MESSAGE_BYTES = 64_000
/** The names of all that a machine can know fit, and so do the entries of any message. */
const MAX_MESSAGE_BYTES = 320_000
/** Signatures checked in one go: about 4 ms, so that calls do not wait for news. */
const CHECKED_AT_ONCE = 20

/** All have `entries`, and none if they say something else: of what a later version says in one, that is heard. */
const messageSchema = z.object({
  entries: z.array(signedFormSchema).max(ENTRIES_PER_MESSAGE),
  digests: z
    .array(
      z
        .string()
        .regex(/^[0-9a-f]+$/)
        .length(DIGEST_CHARS),
    )
    .length(PARTS)
    .optional(),
  named: z
    .object({
      parts: z
        .array(
          z
            .number()
            .int()
            .min(0)
            .max(PARTS - 1),
        )
        .max(PARTS),
      known: z.array(z.tuple([keySchema, timeMsSchema])).max(MAX_NAMED),
    })
    .optional(),
})
type Message = z.infer<typeof messageSchema>

/** As many as an ordinary cloud has, in 15 ms; the rest is remembered by and by. */
const REMEMBERED_AT_ONCE = 50

/** What an entry says of itself, before anybody has looked at its signature. */
const claimSchema = z.object({ machine: keySchema, sequence: timeMsSchema })

/** What others say, and what is known anew before long. What differs from a machine is compared anew with the next link. */
const MAY_BE_LOST: ReadonlySet<MembershipEvent['type']> = new Set([
  'compared',
  'heartbeat',
  'named',
  'offered',
])

export interface MembershipOptions {
  folder: string
  cloud: string
  /** What this machine says of itself now, signed. */
  sign: (sequence: number) => MachineEntry
  network: Network & {
    latencyOf: (machine: string) => number | null
    isRelayed: (machine: string) => boolean | null
    drop: (machine: string, reason: string) => void
    seek: (machine: string, addresses?: readonly MachineAddress[]) => void
  }
  /** Has somebody had a link with it lately? If absent, links alone say who is there. */
  isThere?: (machine: string) => boolean
  /** Are others asked now whether it is gone? Nobody is, if absent. */
  isSuspected?: (machine: string) => boolean
  /** Where it stands on ring 0, 0 to 1; null, as if absent, while that is not known. */
  placeOf?: (machine: string) => number | null
  /** Does anybody look at the list, and at latencies? If not, those are not told. */
  isWatched?: () => boolean
  /** Has its person revoked it? Nobody is, if absent. */
  isRevoked?: (entry: MachineEntry) => boolean
  log: Log
  /** The time of day. */
  now: () => number
}

export interface MembershipEvents {
  /** A machine was heard of for the first time, or has said something new of itself. */
  machineLearned: [entry: MachineEntry]
  /** Anything that the list of machines shows, but for latencies alone. */
  changed: []
  latenciesChanged: []
  /** Somebody signed as this machine after it was started: a copy of it runs somewhere. */
  twinSeen: []
}

export class Membership extends EventEmitter<MembershipEvents> {
  readonly #options: MembershipOptions
  readonly #path: string
  readonly #core: MembershipCore
  readonly #driver: Driver<MembershipEvent, MembershipEffect>
  /** From the file, not yet checked. */
  readonly #remembered: MachinesFile['machines']
  readonly #saves = new SerialQueue()
  readonly #protocol: Protocol<Message>
  /** What is still to be told, by machine: of all that speak the protocol, and of no others. */
  readonly #outbox = new Map<string, Set<string>>()
  readonly #unchecked: { from: string; forms: SignedForm[] }[] = []
  #checking = false
  #closed = false

  private constructor(
    options: MembershipOptions,
    path: string,
    own: MachineEntry,
    remembered: MachinesFile['machines'],
  ) {
    super()
    this.setMaxListeners(0)
    this.#options = options
    this.#path = path
    this.#remembered = remembered
    this.#core = new MembershipCore(own)
    this.#driver = new Driver<MembershipEvent, MembershipEffect>({
      core: this.#core,
      perform: (effect) => this.#perform(effect),
      onFault: (error) => {
        options.log.error('keeping the list of machines failed through our own fault', { error })
      },
      mustKeep: ({ type }) => !MAY_BE_LOST.has(type),
    })
    this.#protocol = options.network.openProtocol<Message>({
      name: 'dharma/machines/2',
      codec: jsonCodec(messageSchema, MAX_MESSAGE_BYTES),
      opened: ({ machine }) => {
        this.#outbox.set(machine, new Set())
        this.#driver.post({ type: 'channelOpened', machine })
      },
      received: (peer, message) => this.#heard(peer, message),
      drained: ({ machine }) => this.#tellOn(machine),
      closed: ({ machine }) => this.#outbox.delete(machine),
    })
  }

  /**
   * Remembers the machines of the last time; a damaged list is moved aside and begun anew, because
   * links bring it back. Call `announceKnown` once others listen.
   */
  static async open(options: MembershipOptions): Promise<Membership> {
    const { folder, sign, log, now } = options
    const path = join(folder, 'machines.json')
    const file = await readMachines(path, log)
    const own = sign(nextSequence(file.sequence, now()))
    // Those that were here last are the likeliest to be there, and are dialled first.
    const remembered = file.machines.toSorted((a, b) => b.lastSeenMs - a.lastSeenMs)
    const membership = new Membership(options, path, own, remembered)
    await writeJsonFile(path, { ...file, sequence: own.sequence })
    return membership
  }

  /** Reports every remembered machine, as if it had just been heard of. */
  announceKnown(): void {
    this.#remember(REMEMBERED_AT_ONCE)
    this.#driver.post({ type: 'started' })
  }

  get ownEntry(): MachineEntry {
    return this.#core.own
  }

  /** What is known of a machine, itself included. */
  entryOf(machine: string): MachineEntry | undefined {
    return this.#core.entryOf(machine)
  }

  /** Of the machines that are linked, or were so after that time of day, and are not revoked. */
  entriesSince(wallMs: number): MachineEntry[] {
    const { isRevoked = () => false } = this.#options
    return [...this.#core.known]
      .filter(({ entry, lastSeenMs }) => lastSeenMs >= wallMs || this.#core.isOnline(entry.machine))
      .map(({ entry }) => entry)
      .filter((entry) => !isRevoked(entry))
  }

  /** This machine's name or person has changed: signs its entry anew and tells the others. */
  signAnew(): void {
    this.#signAfter(this.#core.own.sequence)
  }

  /** This machine first, then those online, then the rest; by name. */
  list(): MachineInfo[] {
    const others = [...this.#core.known].map((known) => this.#describeOther(known))
    others.sort((a, b) => Number(b.online) - Number(a.online) || (a.name < b.name ? -1 : 1))
    return [this.#describeOwn(), ...others]
  }

  /** What `list` says of one machine; null if it is not known. */
  infoOf(machine: string): MachineInfo | null {
    if (machine === this.#core.own.machine) return this.#describeOwn()
    const known = this.#core.knownOf(machine)
    return known === undefined ? null : this.#describeOther(known)
  }

  /** A link opened: the entry came with it, first hand. */
  linkOpened(entry: MachineEntry): void {
    this.#driver.post({ type: 'linkOpened', entry, wallMs: this.#options.now() })
  }

  linkClosed(machine: string): void {
    this.#driver.post({ type: 'linkClosed', machine, wallMs: this.#options.now() })
  }

  /** Another machine has told these, in answer to a question. */
  offered(from: PeerInfo, forms: readonly SignedForm[]): void {
    this.#received(from, forms)
  }

  /** A latency is known anew. */
  heartbeat(): void {
    if (this.#options.isWatched?.() !== false) this.#driver.post({ type: 'heartbeat' })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#protocol.close()
    if (this.#core.unsaved) this.#save()
    this.#driver.close()
    await this.#saves.run(async () => {})
  }

  #perform(effect: MembershipEffect): void {
    switch (effect.type) {
      case 'verify':
        return this.#check(effect.from, effect.forms)
      case 'compare':
        return void this.#protocol.send(effect.to, { entries: [], digests: [...effect.digests] })
      case 'name': {
        const { parts, known } = effect.named
        const named = { parts: [...parts], known: known.map((each): [string, number] => [...each]) }
        return void this.#protocol.send(effect.to, { entries: [], named })
      }
      case 'tell': {
        const waiting = this.#outbox.get(effect.to)
        for (const machine of effect.machines) waiting?.add(machine)
        return this.#tellOn(effect.to)
      }
      case 'reach':
        return this.#options.network.seek(
          effect.machine,
          this.#core.entryOf(effect.machine)?.addresses,
        )
      case 'learned':
        return void this.emit('machineLearned', effect.entry)
      case 'changed':
        return void this.emit('changed')
      case 'latenciesChanged':
        return void this.emit('latenciesChanged')
      case 'save':
        return this.#save()
      case 'signAnew':
        // A later one is of a clock that was ahead, and perhaps this machine's own.
        if (effect.after <= this.#options.now()) this.emit('twinSeen')
        return this.#signAfter(effect.after)
      case 'dropLink':
        return this.#options.network.drop(effect.machine, effect.reason)
      case 'setTimer':
    }
  }

  /** The file is not trusted more than a link: it may have been a stranger's. */
  #remember(count: number): void {
    const part = this.#closed ? [] : this.#remembered.splice(0, count)
    if (part.length === 0) return
    const known: KnownMachine[] = []
    for (const { form, lastSeenMs } of part) {
      const entry = openMachineForm(form, this.#options.cloud)
      if (entry !== null) known.push({ entry, lastSeenMs })
    }
    this.#driver.post({ type: 'remembered', known })
    setImmediate(() => this.#remember(CHECKED_AT_ONCE))
  }

  #signAfter(sequence: number): void {
    const { sign, now } = this.#options
    this.#driver.post({ type: 'ownSigned', entry: sign(nextSequence(sequence, now())) })
  }

  #heard(peer: PeerInfo, { entries, digests, named }: Message): void {
    const { machine: from } = peer
    if (digests !== undefined) this.#driver.post({ type: 'compared', from, digests })
    if (named !== undefined) this.#driver.post({ type: 'named', from, named })
    this.#received(peer, entries)
  }

  #received({ machine: from }: PeerInfo, entries: readonly SignedForm[]): void {
    const offers: Offer[] = []
    let forged = 0
    for (const form of entries) {
      if (form.body.length > MAX_TOLD_CHARS) continue
      const claim = readJson(form.body, claimSchema)
      if (claim === null) forged++
      else offers.push({ ...claim, form })
    }
    if (offers.length > 0) this.#driver.post({ type: 'offered', from, offers })
    if (forged > 0) this.#driver.post({ type: 'verified', from, entries: [], forged })
  }

  #check(from: string, forms: readonly SignedForm[]): void {
    for (let at = 0; at < forms.length; at += CHECKED_AT_ONCE) {
      this.#unchecked.push({ from, forms: forms.slice(at, at + CHECKED_AT_ONCE) })
    }
    if (this.#checking) return
    this.#checking = true
    this.#checkOn()
  }

  #checkOn(): void {
    const next = this.#closed ? undefined : this.#unchecked.shift()
    if (next === undefined) {
      this.#checking = false
      return
    }
    const { from, forms } = next
    const entries = forms
      .map((form) => openMachineForm(form, this.#options.cloud))
      .filter((entry) => entry !== null)
    const forged = forms.length - entries.length
    this.#driver.post({ type: 'verified', from, entries, forged })
    setImmediate(() => this.#checkOn())
  }

  /** Tells a machine what it is to be told, as much as its link takes now. */
  #tellOn(to: string): void {
    const waiting = this.#outbox.get(to)
    if (waiting === undefined) return
    while (waiting.size > 0 && this.#protocol.writable(to)) {
      const entries: SignedForm[] = []
      let sizeBytes = 0
      for (const machine of waiting) {
        if (sizeBytes > FULL_MESSAGE_BYTES || entries.length === ENTRIES_PER_MESSAGE) break
        waiting.delete(machine)
        const form = this.#core.entryOf(machine)?.form
        if (form === undefined) continue
        entries.push(form)
        sizeBytes += Buffer.byteLength(JSON.stringify(form))
      }
      if (entries.length > 0) this.#protocol.send(to, { entries })
    }
  }

  #describeOther({ entry, lastSeenMs }: KnownMachine): MachineInfo {
    const { network, now, isThere, isSuspected, placeOf } = this.#options
    const { machine } = entry
    const linked = this.#core.isOnline(machine)
    const online = linked || isThere?.(machine) === true
    return {
      ...this.#describe(entry),
      self: false,
      online,
      suspected: !linked && isSuspected?.(machine) === true,
      linked,
      relayed: network.isRelayed(machine) === true,
      place: placeOf?.(machine) ?? null,
      latencyMs: linked ? network.latencyOf(machine) : null,
      lastSeenMs: online ? now() : lastSeenMs,
    }
  }

  #describeOwn(): MachineInfo {
    const { own } = this.#core
    return {
      ...this.#describe(own),
      self: true,
      online: true,
      suspected: false,
      linked: false,
      relayed: false,
      place: this.#options.placeOf?.(own.machine) ?? null,
      latencyMs: null,
      lastSeenMs: this.#options.now(),
    }
  }

  #describe(
    entry: MachineEntry,
  ): Pick<
    MachineInfo,
    'machine' | 'person' | 'name' | 'kind' | 'relays' | 'appVersion' | 'revoked'
  > {
    const { machine, person, name, device, protocol, appVersion } = entry
    // A kind that this version does not know has no window that it knows of.
    const kind = device === 'desktop' ? 'desktop' : 'headless'
    const revoked = this.#options.isRevoked?.(entry) ?? false
    const relays = saysThatItRelays(protocol)
    return { machine, person, name, kind, relays, appVersion, revoked }
  }

  #save(): void {
    const content: MachinesFile = {
      sequence: this.#core.own.sequence,
      machines: [
        ...[...this.#core.known].map(({ entry, lastSeenMs }) => ({ form: entry.form, lastSeenMs })),
        ...this.#remembered,
      ],
    }
    this.#saves
      .run(() => writeJsonFile(this.#path, content))
      .catch((error: unknown) => {
        this.#options.log.error('the list of machines could not be saved', { error })
      })
  }
}
