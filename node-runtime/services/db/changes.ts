// Who listens to changes of records is told of all of them, in the order in which they were merged.
import type { CloudRecord } from '../../contract/db.ts'
import type { HeldRecord } from '../../core/db/signed-record.ts'
import type { Revocation } from '../../core/forms/revocation.ts'
import type { Log } from '../../ports/log.ts'
import type { OrderItem, RecordStore, StoredRecord } from '../../ports/record-store.ts'
import type { Revocations } from '../cloud/revocations.ts'
import { viewHidden, viewLater } from './record-view.ts'

/** Before all records of one version. */
const FIRST_ID = new Uint8Array(32)
/**
 * What is held is looked through once for all revocations that have come, and then not again for so many times as long as
 * that took: whoever revokes machines without an end takes a fifth of a core at most.
 */
const REST = 4

interface Sources {
  store: Pick<RecordStore, 'onMerged' | 'order' | 'byId32'>
  revocations: Pick<Revocations, 'concerns' | 'counting' | 'hiddenBy' | 'onRevoked'>
  log: Log
}

/**
 * Tells of every record that is merged from now on. One that does not count is told of as if it was
 * deleted; so is one of which that can't be found out now, and those that are held when their machine is
 * revoked. Those that count again, since a later revocation lets more of them stand, are told of anew. A listener that throws hears of the next one.
 * @returns ends it; nothing is told after that
 */
export function tellOfChanges(
  { store, revocations, log }: Sources,
  listener: (record: CloudRecord) => void,
): () => void {
  let ended = false
  /** While it is being found out whether records count: what comes meanwhile is told after them. */
  let finding: Promise<void> | null = null

  const tell = (record: CloudRecord): void => {
    if (ended) return
    try {
      listener(record)
    } catch (error) {
      log.error('who listens to changes of records failed', { record: record.id, error })
    }
  }
  const countingOf = async (stored: readonly StoredRecord[]): Promise<ReadonlySet<unknown>> => {
    try {
      return new Set(await revocations.counting(stored))
    } catch (error) {
      log.warn('whether records count could not be found out', { error })
      return new Set(stored.filter(({ record }) => !revocations.concerns(record)))
    }
  }
  const tellCounting = async (merged: readonly StoredRecord[]): Promise<void> => {
    const counting = await countingOf(merged)
    for (const stored of merged) {
      const { record } = stored
      tell(counting.has(stored) ? viewLater(record) : viewHidden(record))
    }
  }
  /** After all that is being found out, and before what comes later. */
  const inTurn = (task: () => Promise<void>): Promise<void> => {
    const found: Promise<void> = (finding ?? Promise.resolve())
      .then(task)
      .catch((error: unknown) => {
        if (!ended) log.warn('what is to be told of records could not be found out', { error })
      })
      .then(() => {
        if (finding === found) finding = null
      })
    finding = found
    return found
  }
  /**
   * Of those held at these places, what counts no more, and what counts again; what took the place of one has been told
   * of, or will be.
   */
  const tellChanged = async (
    items: readonly OrderItem[],
    changes: readonly Change[],
  ): Promise<void> => {
    const persons = new Set(changes.map(({ revocation }) => revocation.person))
    const held = (await store.byId32(items)).filter((one) => one !== undefined)
    const theirs = held.filter(({ record }) => partiesOf(record).some((one) => persons.has(one)))
    const counting = await countingOf(theirs)
    for (const stored of theirs) {
      if (!counting.has(stored)) tell(viewHidden(stored.record))
    }
    const before = changes.flatMap((change) => change.before ?? [])
    if (before.length === 0) return
    const again = theirs.filter((stored) => counting.has(stored))
    for (const { record } of await revocations.hiddenBy(before, again)) tell(viewLater(record))
  }
  /** By machine: revocations that have come since what is held was looked through. */
  const pending = new Map<string, Change>()
  let looking = false
  let resting: NodeJS.Timeout | undefined
  const lookAgain = async (): Promise<void> => {
    const changes = [...pending.values()]
    pending.clear()
    try {
      for await (const items of store.order(firstOf(changes))) {
        if (ended) return
        await inTurn(() => tellChanged(items, changes))
      }
    } catch (error) {
      if (!ended) log.warn('which records a revocation hides could not be found out', { error })
    }
  }
  const look = async (): Promise<void> => {
    looking = true
    const startMs = performance.now()
    await lookAgain()
    resting = setTimeout(
      () => {
        looking = false
        if (pending.size > 0 && !ended) void look()
      },
      REST * (performance.now() - startMs),
    )
  }
  const stopRevoked = revocations.onRevoked((revocation, before) => {
    const key = `${revocation.person} ${revocation.machine}`
    const earlier = pending.get(key)
    pending.set(key, { revocation, before: earlier === undefined ? before : earlier.before })
    if (!looking) void look()
  })
  const stop = store.onMerged((merged) => {
    if (finding === null && !merged.some(({ record }) => revocations.concerns(record))) {
      for (const { record } of merged) tell(viewLater(record))
      return
    }
    void inTurn(() => tellCounting(merged))
  })
  return () => {
    ended = true
    clearTimeout(resting)
    stopRevoked()
    stop()
  }
}

interface Change {
  revocation: Revocation
  /** Whose place it takes. */
  before: Revocation | undefined
}

/** From here on records may count otherwise than before; undefined: all may. */
function firstOf(changes: readonly Change[]): OrderItem | undefined {
  const valid = changes.flatMap(({ revocation, before = revocation }) => [
    revocation.validUntil,
    before.validUntil,
  ])
  const versions = valid.filter((version) => version !== null).toSorted()
  const [version] = versions
  return version === undefined || versions.length < valid.length
    ? undefined
    : { version, id32: FIRST_ID }
}

/** For whom it is signed. */
function partiesOf({ header: { author, parties = [author] } }: HeldRecord): readonly string[] {
  return parties
}
