// Which machines the cloud has, as this machine knows: their signed entries, passed on from link to
// link, and who is linked now.
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import * as z from 'zod'
import type { MachineInfo } from '../../contract/cloud.ts'
import { timeMsSchema } from '../../contract/values.ts'
import { isGenuineEntry, machineEntrySchema } from '../../core/membership/machine-entry.ts'
import type { MachineEntry } from '../../core/membership/machine-entry.ts'
import type { Log } from '../../ports/log.ts'
import { SerialQueue } from '../../flow/serial-queue.ts'
import { readJsonFile, writeJsonFile } from '../../store/json-file.ts'
import { jsonCodec } from '../../swarm/codec.ts'
import type { Network, PeerInfo, Protocol } from '../../swarm/network.ts'

/** Entries in one message; a link opens with all that are known. */
const ENTRIES_PER_MESSAGE = 100
/**
 * Up to this many machines, each keeps a link to every other: the cheapest way for all to have all.
 * Beyond, the DHT's random links carry the news.
 */
const FULL_MESH_MACHINES = 32

/** A full message of the largest entries. */
const MAX_MESSAGE_BYTES = 200_000

const messageSchema = z.object({ entries: z.array(machineEntrySchema).max(ENTRIES_PER_MESSAGE) })
type Message = z.infer<typeof messageSchema>

const knownSchema = z.object({ entry: machineEntrySchema, lastSeenMs: timeMsSchema })
const fileSchema = z.object({ machines: z.array(knownSchema) })
type KnownMachine = z.infer<typeof knownSchema>

export interface MembershipOptions {
  folder: string
  cloud: string
  /** Made anew whenever the machine's name, person or log changes. */
  ownEntry: MachineEntry
  network: Network & { latencyOf: (machine: string) => number | null }
  log: Log
  now: () => number
}

export interface MembershipEvents {
  /** A machine was heard of for the first time, or has said something new of itself. */
  machineLearned: [entry: MachineEntry]
  /** Anything that the list of machines shows. */
  changed: []
}

export class Membership extends EventEmitter<MembershipEvents> {
  readonly #options: MembershipOptions
  readonly #path: string
  readonly #known = new Map<string, KnownMachine>()
  readonly #saves = new SerialQueue()
  #ownEntry: MachineEntry
  readonly #protocol: Protocol<Message>

  private constructor(options: MembershipOptions, path: string) {
    super()
    this.setMaxListeners(0)
    this.#options = options
    this.#path = path
    this.#ownEntry = options.ownEntry
    this.#protocol = options.network.openProtocol<Message>({
      name: 'dharma/machines/1',
      codec: jsonCodec(messageSchema, MAX_MESSAGE_BYTES),
      opened: (peer) => this.#tellAll(peer),
      received: (peer, { entries }) => this.#receive(peer, entries),
    })
  }

  /** Remembers the machines of the last time. Call `announceKnown` once others listen. */
  static async open(options: MembershipOptions): Promise<Membership> {
    const path = join(options.folder, 'machines.json')
    const file = await readJsonFile(path, fileSchema)
    const membership = new Membership(options, path)
    for (const known of file?.machines ?? []) {
      if (isGenuineEntry(known.entry, options.cloud)) {
        membership.#known.set(known.entry.machine, known)
      }
    }
    return membership
  }

  /** Reports every remembered machine, as if it had just been heard of. */
  announceKnown(): void {
    for (const { entry } of this.#known.values()) this.#learned(entry)
  }

  setOwnEntry(entry: MachineEntry): void {
    this.#ownEntry = entry
    this.#protocol.broadcast({ entries: [entry] })
    this.emit('changed')
  }

  /** This machine first, then those online, then the rest; by name. */
  list(): MachineInfo[] {
    const { network, now } = this.#options
    const others = [...this.#known.values()].map(({ entry, lastSeenMs }): MachineInfo => {
      const online = network.isOnline(entry.machine)
      return {
        ...describe(entry),
        self: false,
        online,
        latencyMs: online ? network.latencyOf(entry.machine) : null,
        lastSeenMs: online ? now() : lastSeenMs,
      }
    })
    others.sort((a, b) => Number(b.online) - Number(a.online) || (a.name < b.name ? -1 : 1))
    const own: MachineInfo = {
      ...describe(this.#ownEntry),
      self: true,
      online: true,
      latencyMs: null,
      lastSeenMs: now(),
    }
    return [own, ...others]
  }

  /** A link opened: the entry came with it, first hand. */
  linkOpened(entry: MachineEntry): void {
    this.#accept(entry)
    this.#seen(entry.machine)
    this.emit('changed')
  }

  linkClosed(machine: string): void {
    this.#seen(machine)
    this.emit('changed')
  }

  heartbeat(): void {
    this.emit('changed')
  }

  async close(): Promise<void> {
    this.#protocol.close()
    await this.#saves.run(async () => {})
  }

  #seen(machine: string): void {
    const known = this.#known.get(machine)
    if (known === undefined) return
    known.lastSeenMs = this.#options.now()
    this.#save()
  }

  #tellAll(peer: PeerInfo): void {
    const entries = [this.#ownEntry, ...[...this.#known.values()].map(({ entry }) => entry)]
    for (let at = 0; at < entries.length; at += ENTRIES_PER_MESSAGE) {
      this.#protocol.send(peer.machine, { entries: entries.slice(at, at + ENTRIES_PER_MESSAGE) })
    }
  }

  #receive(from: PeerInfo, entries: readonly MachineEntry[]): void {
    const news = entries.filter((entry) => this.#accept(entry))
    if (news.length === 0) return
    for (const peer of this.#protocol.peers()) {
      if (peer.machine !== from.machine) this.#protocol.send(peer.machine, { entries: news })
    }
    this.#save()
    this.emit('changed')
  }

  /** True if the entry says something new. */
  #accept(entry: MachineEntry): boolean {
    const { cloud, log } = this.#options
    if (entry.machine === this.#ownEntry.machine) return false
    const known = this.#known.get(entry.machine)
    if (known !== undefined && known.entry.sequence >= entry.sequence) return false
    if (!isGenuineEntry(entry, cloud)) {
      log.warn('a forged description of a machine was refused', { machine: entry.machine })
      return false
    }
    this.#known.set(entry.machine, { entry, lastSeenMs: known?.lastSeenMs ?? 0 })
    this.#learned(entry)
    return true
  }

  #learned(entry: MachineEntry): void {
    if (this.#known.size <= FULL_MESH_MACHINES) this.#options.network.reach(entry.machine)
    this.emit('machineLearned', entry)
  }

  #save(): void {
    this.#saves
      .run(() => writeJsonFile(this.#path, { machines: [...this.#known.values()] }))
      .catch((error: unknown) => {
        this.#options.log.error('the list of machines could not be saved', { error })
      })
  }
}

function describe(
  entry: MachineEntry,
): Pick<MachineInfo, 'machine' | 'person' | 'name' | 'kind' | 'appVersion'> {
  const { machine, person, name, kind, appVersion } = entry
  return { machine, person, name, kind, appVersion }
}
