// Who listens to changes of records is told of all of them, in the order in which they were merged.
import type { CloudRecord } from '../../contract/db.ts'
import type { Log } from '../../ports/log.ts'
import type { MergedRecord, RecordStore } from '../../ports/record-store.ts'
import type { Revocations } from '../cloud/revocations.ts'
import { viewHidden, viewLater } from './record-view.ts'

interface Sources {
  store: Pick<RecordStore, 'onMerged'>
  revocations: Pick<Revocations, 'concerns' | 'counting'>
  log: Log
}

/**
 * Tells of every record that is merged from now on. One that does not count is told of as if it was
 * deleted; so is one of which that can't be found out now. A listener that throws hears of the next one.
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
  const tellCounting = async (merged: readonly MergedRecord[]): Promise<void> => {
    let counting: ReadonlySet<unknown>
    try {
      counting = new Set(await revocations.counting(merged))
    } catch (error) {
      log.warn('whether records count could not be found out', { error })
      counting = new Set(merged.filter(({ record }) => !revocations.concerns(record)))
    }
    for (const stored of merged) {
      const { record } = stored
      tell(counting.has(stored) ? viewLater(record) : viewHidden(record))
    }
  }
  const stop = store.onMerged((merged) => {
    if (finding === null && !merged.some(({ record }) => revocations.concerns(record))) {
      for (const { record } of merged) tell(viewLater(record))
      return
    }
    const found: Promise<void> = (finding ?? Promise.resolve())
      .then(() => tellCounting(merged))
      .then(() => {
        if (finding === found) finding = null
      })
    finding = found
  })
  return () => {
    ended = true
    stop()
  }
}
