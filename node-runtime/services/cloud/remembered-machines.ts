// The way by memory: machines that were linked the last time are tried where they were. Beside them what
// else helps the next start: this machine's own port, and nodes of the DHT that were there.
import { EventEmitter, once } from 'node:events'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { keySchema, timeMsSchema } from '../../contract/values.ts'
import { AddressBook, MAX_REMEMBERED } from '../../core/finding/address-book.ts'
import { MAX_ADDRESSES } from '../../core/finding/knocks.ts'
import type { MachineAddress } from '../../core/finding/dial-list.ts'
import { addressSchema } from '../../core/forms/machine-form.ts'
import type { MachineEntry } from '../../core/forms/machine-form.ts'
import { Pace } from '../../flow/pace.ts'
import { SerialQueue } from '../../flow/serial-queue.ts'
import type { Log } from '../../ports/log.ts'
import { readJsonFile, writeJsonFile } from '../../store/json-file.ts'
import { WayFailure } from '../../swarm/ways.ts'
import type { Heard } from '../../swarm/ways.ts'

/** Tried at once; the next ones when it is asked again. */
const TRIED_AT_ONCE = 16
/** Who is there answers within a second or two, from wherever it is. */
const PATIENCE_MS = 3_000
/** Links come by the dozen at the start. */
const SAVE_EVERY_MS = 5_000
const MOST_NODES = 32

const fileSchema = z.object({
  /** Of this machine's socket, the last time. */
  port: addressSchema.shape.port.nullable(),
  nodes: z.array(addressSchema).max(MOST_NODES),
  machines: z
    .array(
      z.object({
        machine: keySchema,
        addresses: z.array(addressSchema).max(MAX_ADDRESSES),
        tried: z.number().int().nonnegative(),
        reached: z.number().int().nonnegative(),
        linkedMs: timeMsSchema,
      }),
    )
    .max(MAX_REMEMBERED),
})
type AddressesFile = z.infer<typeof fileSchema>

export interface RememberedMachinesOptions {
  /** Of the cloud. */
  folder: string
  /** What is to be kept of the network itself, now. */
  network: () => Pick<AddressesFile, 'port' | 'nodes'>
  isLinked: (machine: string) => boolean
  /** The time of day, ms. */
  now: () => number
  log: Log
}

export class RememberedMachines {
  readonly #options: RememberedMachinesOptions
  readonly #path: string
  readonly #book: AddressBook
  readonly #links = new EventEmitter<{ reached: [] }>()
  readonly #saves = new SerialQueue()
  readonly #pace: Pace
  /** As it was the last time. */
  readonly port: number | null
  readonly nodes: readonly MachineAddress[]
  #wanted = new Set<string>()
  #closed = false

  private constructor(options: RememberedMachinesOptions, path: string, file: AddressesFile) {
    this.#options = options
    this.#path = path
    this.#book = new AddressBook(file.machines)
    this.port = file.port
    this.nodes = file.nodes
    this.#pace = new Pace(SAVE_EVERY_MS, () => void this.#save())
  }

  /** A damaged file is moved aside and begun anew: it only saves time. */
  static async open(options: RememberedMachinesOptions): Promise<RememberedMachines> {
    const path = join(options.folder, 'addresses.json')
    return new RememberedMachines(options, path, await readFile(path, options.log))
  }

  /** See `Ask`. @throws WayFailure NOBODY_THERE */
  async ask({ sighted }: Heard, signal: AbortSignal): Promise<void> {
    const { now, isLinked } = this.#options
    if (this.#book.all().some(({ machine }) => isLinked(machine))) return
    const machines = this.#book.take(TRIED_AT_ONCE, now(), isLinked)
    if (machines.length === 0) return
    this.#wanted = new Set(machines.map(({ machine }) => machine))
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)])
    const reached = once(this.#links, 'reached', { signal: patience })
    for (const { machine, addresses } of machines) sighted(machine, addresses)
    try {
      await reached
    } catch {
      // It was aborted: nobody was there in time.
      throw new WayFailure(
        'NOBODY_THERE',
        'None of the machines of the last time was where it was then. They are looked for in other ways.',
      )
    }
  }

  /** A machine is linked, and can be found there the next time. */
  linked(entry: MachineEntry, address: MachineAddress | null): void {
    if (this.#closed) return
    const addresses = [...(entry.addresses ?? []), ...(address === null ? [] : [address])]
    this.#book.linked(entry.machine, addresses, this.#options.now())
    if (this.#wanted.has(entry.machine)) this.#links.emit('reached')
    this.#pace.request()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#pace.stop()
    await this.#save()
  }

  #save(): Promise<void> {
    const { network, isLinked, now, log } = this.#options
    for (const { machine } of this.#book.all()) {
      if (isLinked(machine)) this.#book.seen(machine, now())
    }
    const content: AddressesFile = { ...network(), machines: [...this.#book.all()] }
    return this.#saves
      .run(() => writeJsonFile(this.#path, content))
      .catch((error: unknown) => {
        log.error('where machines are could not be written down', { error })
      })
  }
}

async function readFile(path: string, log: Log): Promise<AddressesFile> {
  const nothing: AddressesFile = { port: null, nodes: [], machines: [] }
  try {
    return (await readJsonFile(path, fileSchema)) ?? nothing
  } catch (error) {
    log.warn('where machines were can not be read; it is begun anew', { path, error })
    await rename(path, `${path}.damaged`).catch((failure: unknown) => {
      log.warn('what can not be read stays where it is', { path, error: failure })
    })
    return nothing
  }
}
