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
      const changes = events<CloudRecord>(onChange, signal)
      yield { ready: true as const }
      for await (const record of changes) {
        if (record.system !== input.system) continue
        if (input.collection !== undefined && record.collection !== input.collection) continue
        const { system, collection, id, version } = record
        yield { system, collection, id, version, deleted: record.deleted === true }
      }
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
