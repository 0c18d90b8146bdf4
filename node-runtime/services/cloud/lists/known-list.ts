// One look-up list, as it is known now: where it lies, what was read of it, and how it went.
import type { ListContent, ListReport } from '../../../contract/lists.ts'
import { CloudError } from '../../../contract/errors.ts'
import { parseListAddress } from '../../../core/finding/list-address.ts'
import type { ListPlace } from '../../../core/finding/list-address.ts'
import { pauseAfter } from '../../../core/finding/list-pace.ts'
import type { Log } from '../../../ports/log.ts'
import { reasonOf } from './list-failure.ts'
import type { ReadList } from './list-reader.ts'
import type { KeptList } from './lists-file.ts'

/** Where the host got nothing of it. */
const NOT_REACHED: readonly string[] = ['dns', 'network', 'refused', 'no-program']

export interface Known {
  place: ListPlace
  kept: KeptList
  state: ListReport['state']
  read: ReadList | null
  readMs: number | null
  /** What `revision` was when it was read. */
  revision: string | null
  failure: CloudError | null
  failures: number
  /** Monotonic; before that the host is left alone. */
  quietUntilMs: number
}

/** It was read, or has not changed since. @param nowMs  the time of day */
export function noteWell(known: Known, nowMs: number): void {
  known.state = 'read'
  known.failure = null
  known.failures = 0
  known.readMs = nowMs
  quiet(known, null)
}

/** It could not be read or written; what is no `CloudError` is our own fault. */
export function noteFailure(known: Known, error: unknown): void {
  known.failure =
    error instanceof CloudError
      ? error
      : new CloudError('INTERNAL', 'This failed through a fault of Dharma; its log says more.')
  known.state = 'failed'
  known.failures++
  // What was read before may be what somebody wants to have forgotten; what is invalid now is not used.
  if (known.failure.code === 'LIST_INVALID') known.read = null
  const { retryAfterS } = known.failure.details as { retryAfterS?: unknown }
  quiet(known, typeof retryAfterS === 'number' ? retryAfterS : null)
}

function quiet(known: Known, retryAfterS: number | null): void {
  const reason = known.failure === null ? null : reasonOf(known.failure)
  const reachedHost = reason === null || !NOT_REACHED.includes(reason)
  const pauseMs = pauseAfter({ reachedHost, failures: known.failures, retryAfterS })
  // What lies on this computer troubles nobody.
  known.quietUntilMs = known.place.kind === 'file' ? 0 : performance.now() + pauseMs
}

/** A list from the file; one that this version can't read the address of is left out. */
export function asKnown(kept: KeptList, log: Log): [string, Known][] {
  try {
    const place = parseListAddress(kept.url)
    return [[place.url, newKnown(place, kept)]]
  } catch (error) {
    log.warn('the address of a look-up list can not be read', { error })
    return []
  }
}

export function newKnown(place: ListPlace, kept: KeptList): Known {
  return {
    place,
    kept,
    state: 'waiting',
    read: null,
    readMs: null,
    revision: null,
    failure: null,
    failures: 0,
    quietUntilMs: 0,
  }
}

export function reportOf(
  { place, kept, state, read, readMs, failure }: Known,
  nowMs: number,
): ListReport {
  const newestMs = read === null ? null : newestOf(read)
  return {
    url: place.url,
    kind: place.kind,
    keeps: kept.keeps,
    hasAccess: kept.access !== null,
    state,
    entries: read?.machines.size ?? 0,
    newestMs,
    newestAgeMs: newestMs === null ? null : Math.max(0, nowMs - newestMs),
    readMs,
    reason: failure === null ? null : reasonOf(failure),
    message: failure?.message ?? '',
    backup: read?.head.manifest.backup ?? null,
  }
}

export function contentOf({ url }: ListPlace, read: ReadList, pushed: boolean): ListContent {
  const { sequence, signer, backup = null } = read.head.manifest
  const machines = [...read.machines.values()].toSorted((a, b) => a.sinceMs - b.sinceMs)
  return {
    url,
    entries: machines.length,
    newest: newestOf(read),
    machines: machines.map(({ entry }) => ({
      machine: entry.machine,
      name: entry.name,
      addresses: (entry.addresses ?? []).map(({ host, port }) => `${host}:${port}`),
      signedMs: entry.sequence,
      untilMs: entry.listedUntilMs ?? 0,
    })),
    sequence,
    signer,
    backup,
    pushed,
  }
}

function newestOf({ machines }: ReadList): number | null {
  const times = [...machines.values()].map(({ entry }) => entry.sequence)
  return times.length === 0 ? null : Math.max(...times)
}
