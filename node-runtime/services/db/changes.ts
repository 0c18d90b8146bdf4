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
  const tellChanged = async (items: readonly OrderItem[], change: Change): Promise<void> => {
    const held = (await store.byId32(items)).filter((one) => one !== undefined)
    const theirs = held.filter(({ record }) => isSignedFor(record, change.revocation.person))
    const counting = await countingOf(theirs)
    for (const stored of theirs) {
      if (!counting.has(stored)) tell(viewHidden(stored.record))
    }
    if (change.before === undefined) return
    const again = theirs.filter((stored) => counting.has(stored))
    for (const { record } of await revocations.hiddenBy(change.before, again)) {
      tell(viewLater(record))
    }
  }
  const lookAgain = async (change: Change): Promise<void> => {
    for await (const items of store.order(firstOf(change))) {
      if (ended) return
      await inTurn(() => tellChanged(items, change))
    }
  }
  const stopRevoked = revocations.onRevoked((revocation, before) => {
    lookAgain({ revocation, before }).catch((error: unknown) => {
      if (!ended) log.warn('which records a revocation hides could not be found out', { error })
    })
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
function firstOf({ revocation, before = revocation }: Change): OrderItem | undefined {
  if (revocation.validUntil === null || before.validUntil === null) return undefined
  const isEarlier = before.validUntil < revocation.validUntil
  const version = isEarlier ? before.validUntil : revocation.validUntil
  return { version, id32: FIRST_ID }
}

function isSignedFor(
  { header: { author, parties = [author] } }: HeldRecord,
  person: string,
): boolean {
  return parties.includes(person)
}
