// The local index of all records this machine holds, materialised from the logs. It can be rebuilt
// from them at any time.
import { ClassicLevel } from 'classic-level'
import type { CloudRecord } from '../contract/db.ts'
import { recordOwner } from '../core/db/record.ts'
import type { RecordAddress } from '../core/db/record.ts'

const SEPARATOR = '\u0000'
/** Sorts after every key that begins with the text before it. */
const AFTER_SEPARATOR = '\u0001'

function idPrefix({ system, collection, id }: RecordAddress): string {
  return [system, collection, id, ''].join(SEPARATOR)
}

export interface IndexChange {
  records: readonly CloudRecord[]
  /** The log that was read, and the block to go on with. */
  checkpoint: { log: string; nextBlock: number }
  /** The newest version ever seen, so that a restart never goes back. */
  newestVersion: string
}

export interface RecordIndex {
  /** The record in the very place that `record` would take. */
  getHolder(record: CloudRecord): Promise<CloudRecord | undefined>
  /** All owners' records with this id, deleted ones too. */
  getAll(address: RecordAddress): Promise<CloudRecord[]>
  /** Groups of records with one id, in the order of ids, from `afterId` (exclusive) on. */
  groups(range: {
    system: string
    collection: string
    prefix: string
    afterId: string | undefined
  }): AsyncGenerator<{ id: string; records: CloudRecord[] }>
  /** Every record of a system. */
  ofSystem(system: string): AsyncGenerator<CloudRecord>
  checkpointOf(log: string): Promise<number>
  newestVersion(): Promise<string | undefined>
  /** All of it or nothing. */
  apply(change: IndexChange): Promise<void>
  close(): Promise<void>
}

/** Opens or creates the index in `folder`. */
export async function openRecordIndex(folder: string): Promise<RecordIndex> {
  const level = new ClassicLevel<string, string>(folder)
  await level.open()
  const records = level.sublevel<string, CloudRecord>('records', { valueEncoding: 'json' })
  const checkpoints = level.sublevel<string, number>('checkpoints', { valueEncoding: 'json' })
  const meta = level.sublevel('meta')

  async function* values(gt: string, lt: string): AsyncGenerator<[string, CloudRecord]> {
    for await (const entry of records.iterator({ gt, lt })) yield entry
  }

  return {
    getHolder: (record) => records.get(idPrefix(record) + recordOwner(record)),

    async getAll(address) {
      const prefix = idPrefix(address)
      const found: CloudRecord[] = []
      const end = prefix.slice(0, -1) + AFTER_SEPARATOR
      for await (const [, record] of values(prefix, end)) found.push(record)
      return found
    },

    async *groups({ system, collection, prefix, afterId }) {
      const base = [system, collection, ''].join(SEPARATOR)
      const begin = afterId === undefined ? base + prefix : base + afterId + AFTER_SEPARATOR
      const end = base.slice(0, -1) + AFTER_SEPARATOR
      let group: { id: string; records: CloudRecord[] } | null = null
      for await (const [, record] of values(begin, end)) {
        if (!record.id.startsWith(prefix)) break
        if (group !== null && group.id !== record.id) {
          yield group
          group = null
        }
        group ??= { id: record.id, records: [] }
        group.records.push(record)
      }
      if (group !== null) yield group
    },

    async *ofSystem(system) {
      for await (const [, record] of values(system + SEPARATOR, system + AFTER_SEPARATOR)) {
        yield record
      }
    },

    checkpointOf: async (log) => (await checkpoints.get(log)) ?? 0,
    newestVersion: () => meta.get('newestVersion'),

    async apply({ records: changed, checkpoint, newestVersion }) {
      const batch = level.batch()
      for (const record of changed) {
        batch.put(idPrefix(record) + recordOwner(record), record, { sublevel: records })
      }
      batch.put(checkpoint.log, checkpoint.nextBlock, { sublevel: checkpoints })
      batch.put('newestVersion', newestVersion, { sublevel: meta })
      await batch.write()
    },

    close: () => level.close(),
  }
}
