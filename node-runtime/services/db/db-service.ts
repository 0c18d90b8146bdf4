// Answers the `db` calls.
import type { CloudRecord } from '../../contract/db.ts'
import { CloudError } from '../../contract/errors.ts'
import { events } from '../../flow/streams.ts'
import { os } from '../../rpc/caller.ts'
import type { Database, SystemKeys } from './database.ts'

interface DbServiceOptions {
  /** Of the cloud that the machine is in now. */
  database: () => Database
  /** Subscribes to changes of records, in whatever cloud the machine is. */
  onChange: (listener: (record: CloudRecord) => void) => () => void
}

interface Written {
  system: string
  collection: string
  author: string
  id: string
  version: string
}

function written({ system, collection, author, id, version }: CloudRecord): Written {
  return { system, collection, author, id, version }
}

function placeOf({ collection, id, author }: CloudRecord): string {
  return `${collection}/${id}/${author}`
}

/** The keys of the same system now: an update may have given it another. Those from before, once it is gone. */
function continued(keys: SystemKeys, keysNow: () => SystemKeys): SystemKeys {
  try {
    const now = keysNow()
    return now.includes(keys[0]) ? now : keys
  } catch (error) {
    if (error instanceof CloudError) return keys
    throw error
  }
}

export function createDbService({ database, onChange }: DbServiceOptions) {
  return {
    put: os.db.put.handler(async ({ input: { value, ...place } }) =>
      written(await database().put(place, value)),
    ),
    get: os.db.get.handler(async ({ input: { author, proof, ...place } }) => ({
      record: await database().get(place, { author, proof }),
    })),
    delete: os.db.delete.handler(async ({ input }) => written(await database().delete(input))),
    query: os.db.query.handler(({ input }) => database().query(input)),
    watch: os.db.watch.handler(async function* ({ input, signal }) {
      const { collection } = input
      let keys = database().keysOf(input.system)
      const isOfSystem = ({ system }: Written): boolean => {
        keys = continued(keys, () => database().keysOf(input.system))
        return keys.includes(system)
      }
      // Only what this watcher asked for waits for it, and of each record only its newest version.
      const subscribe = (emit: (record: CloudRecord) => void) =>
        onChange((record) => {
          if (!isOfSystem(record)) return
          if (collection !== undefined && record.collection !== collection) return
          emit(record)
        })
      const changes = events(subscribe, signal, { keyOf: placeOf })
      yield { ready: true as const }
      for await (const record of changes) {
        // A late record under one of several keys may lose against one under another.
        const newest = keys.length === 1 ? record : await database().newestAt(keys, record)
        yield { ...written(newest), deleted: newest.deleted === true }
      }
    }),
    verify: os.db.verify.handler(({ input }) => database().verify(input.record)),
    import: os.db.import.handler(({ input }) => database().import(input.records)),
  }
}
