// The look-up lists of one cloud: which there are, what was read of each, and writing to those that this machine
// keeps. Asked as one of the ways of finding machines; nothing that lies at such a place holds up another.
import { join } from 'node:path'
import type { ListContent, ListReport } from '../../../contract/lists.ts'
import { CloudError } from '../../../contract/errors.ts'
import { parseListAddress } from '../../../core/finding/list-address.ts'
import type { ListPlace } from '../../../core/finding/list-address.ts'
import { isWorthWriting } from '../../../core/finding/list-form.ts'
import type { ListedMachine } from '../../../core/finding/list-form.ts'
import { listSeal } from '../../../core/finding/list-seal.ts'
import type { ListSeal } from '../../../core/finding/list-seal.ts'
import type { MachineEntry } from '../../../core/forms/machine-form.ts'
import { SerialQueue } from '../../../flow/serial-queue.ts'
import type { Log } from '../../../ports/log.ts'
import type { SecretStore } from '../../../ports/secret-store.ts'
import { WayFailure } from '../../../swarm/ways.ts'
import type { Heard } from '../../../swarm/ways.ts'
import { asKnown, contentOf, newKnown, noteFailure, noteWell, reportOf } from './known-list.ts'
import type { Known } from './known-list.ts'
import { openAccess, sealAccess } from './list-access.ts'
import { reasonOf } from './list-failure.ts'
import { readList } from './list-reader.ts'
import type { ReadingOptions, ReadList } from './list-reader.ts'
import { UNCHANGED, withSource } from './list-source.ts'
import type { ListAccess } from './list-source.ts'
import { prepareFolder, writeList } from './list-writer.ts'
import type { CloudSpeaker, WritingOptions, WrittenList } from './list-writer.ts'
import { MAX_LISTS, readListsFile, writeListsFile } from './lists-file.ts'
import type { KeptList } from './lists-file.ts'
import { linkedOnes, whomToTry } from './whom-to-try.ts'

/** Who was linked so lately can be found where it was. */
const REACHABLE_MS = 3_600_000
export interface ListsOptions {
  /** Of the cloud. */
  folder: string
  cloud: string
  ownEntry: () => MachineEntry
  /** Machines that were linked after that time of day. */
  entriesSince: (wallMs: number) => MachineEntry[]
  entryOf: (machine: string) => MachineEntry | undefined
  isLinked: (machine: string) => boolean
  linkCount: () => number
  /** If this machine has a key that speaks for the cloud. */
  speaker: () => CloudSpeaker | null
  secrets: SecretStore
  /** A list has the cloud's genesis in it. */
  genesisLearned: (body: string) => void
  /** There is a list that was not asked yet. */
  added: () => void
  /** What `reports` says has changed. */
  changed: () => void
  /** The time of day. */
  now: () => number
  log: Log
}

/** What is kept of a list; what is absent stays as it is. */
interface Changes {
  keeps?: boolean | undefined
  access?: ListAccess | null | undefined
}

/** A list to read from now on, and what is to be kept of it. */
export type ListToRead = { url: string } & Changes

export class Lists {
  readonly #options: ListsOptions
  readonly #path: string
  readonly #seal: ListSeal
  readonly #lists: Map<string, Known>
  readonly #saves = new SerialQueue()
  readonly #closing = new AbortController()
  readonly #writing = new Set<Promise<void>>()

  private constructor(options: ListsOptions, path: string, kept: readonly KeptList[]) {
    this.#options = options
    this.#path = path
    this.#seal = listSeal(options.cloud)
    this.#lists = new Map(kept.flatMap((list) => asKnown(list, options.log)))
  }

  static async open(options: ListsOptions): Promise<Lists> {
    const path = join(options.folder, 'lists.json')
    return new Lists(options, path, await readListsFile(path, options.log))
  }

  /** In the order in which they were added. */
  get reports(): ListReport[] {
    return [...this.#lists.values()].map((known) => this.#report(known))
  }

  /**
   * Reads a list from now on, or changes what is kept of one.
   * @throws CloudError LIST_URL_INVALID; BAD_INPUT if there are too many
   */
  async add(url: string, changes: Changes = {}): Promise<ListReport> {
    const known = await this.#put(parseListAddress(url), changes)
    // Who changes something wants to see what comes of it.
    known.quietUntilMs = 0
    this.#options.changed()
    this.#options.added()
    return this.#report(known)
  }

  /** @throws CloudError LIST_URL_INVALID, LIST_UNKNOWN */
  async remove(url: string): Promise<void> {
    const place = parseListAddress(url)
    if (!this.#lists.delete(place.url)) {
      const message = 'This is none of the lists that this machine reads.'
      throw new CloudError('LIST_UNKNOWN', message, { url: place.url })
    }
    await this.#save()
    this.#options.changed()
  }

  /** All that is on a list now. @throws CloudError LIST_URL_INVALID, LIST_MISSING, LIST_UNREACHABLE, LIST_INVALID */
  async read(url: string): Promise<ListContent> {
    const place = parseListAddress(url)
    const options = await this.#readingOptions(place)
    const read = await withSource(place, options, (source) =>
      readList(source, options, { whole: true }),
    )
    if (read === UNCHANGED) throw new Error('nothing was known to be unchanged')
    this.#noteRead(this.#lists.get(place.url), read, null)
    return contentOf(place, read, false)
  }

  /**
   * Begins a list, or signs the one there anew, and keeps it from now on.
   * @throws CloudError LIST_NO_KEY, and what `push` throws
   */
  async create(
    url: string,
    { backup, access }: { backup?: string | undefined; access?: ListAccess | undefined },
  ): Promise<ListContent> {
    const place = parseListAddress(url)
    const speaker = this.#options.speaker()
    if (speaker === null) {
      throw new CloudError(
        'LIST_NO_KEY',
        'Only the machine that began this cloud can begin a list of it: it has the key of the cloud. Any machine ' +
          'can write to one that is there.',
        { url: place.url },
      )
    }
    await prepareFolder(place)
    const written = await this.#write(place, access, {
      speaker,
      ...(backup === undefined ? {} : { backup }),
    })
    this.#noteRead(await this.#put(place, { keeps: true, access }), written, null)
    return contentOf(place, written, written.pushed)
  }

  /** Writes what this machine knows. @throws CloudError LIST_DENIED, LIST_CONFLICT, and what `read` throws */
  async push(
    url: string,
    { access }: { access?: ListAccess | undefined } = {},
  ): Promise<ListContent> {
    const place = parseListAddress(url)
    const written = await this.#write(place, access, {})
    return contentOf(place, written, written.pushed)
  }

  /** See `Ask`. Tells of machines list by list, as each is read. @throws WayFailure if none could be read */
  async ask({ sighted, named }: Heard, signal: AbortSignal): Promise<void> {
    const lists = [...this.#lists.values()]
    await Promise.all(
      lists.map(async (known) => {
        await this.#refresh(known, signal)
        if (signal.aborted || known.read === null) return
        for (const [machine, addresses] of whomToTry(known.read, this.#options))
          sighted(machine, addresses)
        for (const machine of linkedOnes(known.read, this.#options)) named(machine)
        if (known.kept.keeps) this.#keep(known)
      }),
    )
    const failed = lists.find(({ failure }) => failure !== null)
    if (failed?.failure == null || lists.some(({ failure }) => failure === null)) return
    throw new WayFailure(stepOf(failed.failure), failed.failure.message)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([...this.#writing])
    await this.#saves.run(async () => {})
  }

  /** Reads a list again, unless its host is to be left alone. What goes wrong is kept, and thrown never. */
  async #refresh(known: Known, signal: AbortSignal): Promise<void> {
    if (performance.now() < known.quietUntilMs) return
    known.state = 'reading'
    this.#options.changed()
    try {
      const options = await this.#readingOptions(known.place)
      const before = { known: known.read === null ? null : known.revision }
      let revision: string | null = null
      const read = await withSource(
        known.place,
        { ...options, ...before, signal: AbortSignal.any([signal, this.#closing.signal]) },
        (source) => {
          revision = source.revision
          return readList(source, options)
        },
      )
      if (read === UNCHANGED) this.#noteWell(known)
      else this.#noteRead(known, read, revision)
    } catch (error) {
      if (signal.aborted || this.#closing.signal.aborted) {
        known.state = 'waiting'
        return
      }
      this.#noteFailure(known, error)
    }
  }

  #noteRead(known: Known | undefined, read: ReadList, revision: string | null): void {
    this.#options.genesisLearned(read.head.genesis)
    if (known === undefined) return
    known.read = read
    known.revision = revision
    const { sequence } = read.head.manifest
    if (sequence > known.kept.sequence) {
      known.kept = { ...known.kept, sequence }
      this.#save().catch((error: unknown) => {
        this.#options.log.warn('how new a list was could not be written down', { error })
      })
    }
    this.#noteWell(known)
  }

  #noteWell(known: Known): void {
    noteWell(known, this.#options.now())
    this.#options.changed()
  }

  #noteFailure(known: Known, error: unknown): void {
    if (!(error instanceof CloudError)) {
      const { log } = this.#options
      log.error('a look-up list failed through our own fault', { url: known.place.url, error })
    }
    noteFailure(known, error)
    this.#options.changed()
  }

  /** Writes to a list that this machine keeps, if that is worth it; others are not kept waiting. */
  #keep(known: Known): void {
    const { log, now } = this.#options
    const before = known.read?.machines ?? new Map<string, ListedMachine>()
    if (!isWorthWriting(before, this.#candidates(), now())) return
    const writing = this.#write(known.place, undefined, { onlyIfWorthIt: true })
      .then(() => {})
      .catch((error: unknown) => {
        if (this.#closing.signal.aborted) return
        this.#noteFailure(known, error)
        log.warn('a look-up list could not be written', { url: known.place.url, error })
      })
      .finally(() => this.#writing.delete(writing))
    this.#writing.add(writing)
  }

  async #write(
    place: ListPlace,
    access: ListAccess | undefined,
    more: Partial<WritingOptions>,
  ): Promise<WrittenList> {
    const options = await this.#readingOptions(place)
    const written = await writeList(place, {
      ...options,
      ...(access === undefined ? {} : { access }),
      ...more,
      machines: this.#candidates(),
      signal: this.#closing.signal,
    })
    this.#noteRead(this.#lists.get(place.url), written, null)
    return written
  }

  /** @throws CloudError BAD_INPUT if there are too many */
  async #put(place: ListPlace, { keeps, access }: Changes): Promise<Known> {
    const before = this.#lists.get(place.url)
    if (before === undefined && this.#lists.size >= MAX_LISTS) {
      const message = `A cloud has ${MAX_LISTS} lists at most. Remove one first.`
      throw new CloudError('BAD_INPUT', message, { lists: MAX_LISTS })
    }
    const kept: KeptList = {
      url: place.url,
      keeps: keeps ?? before?.kept.keeps ?? false,
      access:
        access === undefined
          ? (before?.kept.access ?? null)
          : await sealAccess(access, this.#options.secrets),
      sequence: before?.kept.sequence ?? 0,
    }
    const known = before ?? newKnown(place, kept)
    known.kept = kept
    this.#lists.set(place.url, known)
    await this.#save()
    return known
  }

  /** Machines to list: this one, and those that were linked lately. */
  #candidates(): ListedMachine[] {
    const { ownEntry, entriesSince, now } = this.#options
    const sinceMs = now()
    return [ownEntry(), ...entriesSince(sinceMs - REACHABLE_MS)].map((entry) => ({
      entry,
      sinceMs,
    }))
  }

  async #readingOptions(place: ListPlace): Promise<ReadingOptions & { access?: ListAccess }> {
    const { cloud, now, secrets } = this.#options
    const kept = this.#lists.get(place.url)?.kept
    const base = {
      url: place.url,
      cloud,
      seal: this.#seal,
      nowMs: now(),
      leastSequence: kept?.sequence ?? 0,
    }
    const access = kept?.access == null ? null : await openAccess(kept.access, secrets)
    return access === null ? base : { ...base, access }
  }

  #report(known: Known): ListReport {
    return reportOf(known, this.#options.now())
  }

  #save(): Promise<void> {
    return this.#saves.run(() =>
      writeListsFile(
        this.#path,
        [...this.#lists.values()].map(({ kept }) => kept),
      ),
    )
  }
}

/** Such as `LIST_OTHER_CLOUD`, as the steps of other ways are written. */
function stepOf(failure: CloudError): string {
  const reason = reasonOf(failure).toUpperCase().replaceAll('-', '_')
  return reason.startsWith('LIST_') ? reason : `LIST_${reason}`
}
