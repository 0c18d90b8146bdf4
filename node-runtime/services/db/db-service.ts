// Answers the `db` calls.
import { recordSchema } from '../../contract/db.ts'
import type { CloudRecord } from '../../contract/db.ts'
import { verifyRecord } from '../../core/db/record.ts'
import { events } from '../../flow/streams.ts'
import { os } from '../../rpc/caller.ts'
import type { Database } from './database.ts'

interface DbServiceOptions {
  /** Of the cloud that the machine is in now. */
  database: () => Database
  /** Subscribes to changes of records, in whatever cloud the machine is. */
  onChange: (listener: (record: CloudRecord) => void) => () => void
}

interface RecordChange {
  system: string
  collection: string
  id: string
  version: string
  deleted: boolean
}

function changeOf({ system, collection, id, version, deleted }: CloudRecord): RecordChange {
  return { system, collection, id, version, deleted: deleted === true }
}

/** Two authors' records of one id are one to the watcher, who reads by the id. */
function keyOf({ collection, id }: RecordChange): string {
  return `${collection}/${id}`
}

export function createDbService({ database, onChange }: DbServiceOptions) {
  return {
    put: os.db.put.handler(async ({ input: { value, ...address } }) => {
      const { version } = await database().put(address, value)
      return { version }
    }),
    get: os.db.get.handler(async ({ input: { author, ...address } }) => ({
      record: await database().get(address, author),
    })),
    delete: os.db.delete.handler(async ({ input }) => {
      const { version } = await database().delete(input)
      return { version }
    }),
    query: os.db.query.handler(async ({ input }) => {
      // Read before the records: an answer never claims more than it has.
      const completeness = database().completeness()
      return { ...(await database().query(input)), completeness }
    }),
    watch: os.db.watch.handler(async function* ({ input, signal }) {
      const { system, collection } = input
      // Only what this watcher asked for waits for it, and of each record only its newest version.
      const subscribe = (emit: (change: RecordChange) => void) =>
        onChange((record) => {
          if (record.system !== system) return
          if (collection !== undefined && record.collection !== collection) return
          emit(changeOf(record))
        })
      const changes = events(subscribe, signal, { keyOf })
      yield { ready: true as const }
      yield* changes
    }),
    verify: os.db.verify.handler(({ input }) => {
      const record = recordSchema.parse(input.record)
      verifyRecord(record)
      return {
        author: record.author,
        cosigners: (record.cosignatures ?? []).map(({ person }) => person),
      }
    }),
    import: os.db.import.handler(({ input }) => database().import(input.records)),
  }
}
