// A runtime of one process that keeps records in memory, for tests of what systems see. The RPC, the
// contract and the access checks are the real ones; sessions are left to the real runtime.
import type { Permission } from '../../node-runtime/contract/permissions.ts'
import { CloudError } from '../../node-runtime/contract/errors.ts'
import { createCallerCheck, noSessions, os } from '../../node-runtime/rpc/caller.ts'
import type { CallContext } from '../../node-runtime/rpc/caller.ts'
import { createServer } from '../../node-runtime/rpc/server.ts'
import type { CloudRecord } from './values.ts'

/** A key that is well formed and belongs to nobody. */
export function keyOf(letter: string): string {
  return letter.repeat(52)
}

/** A key that is well formed and the same for the same id. */
function systemKeyOf(id: string): string {
  return id
    .replace(/[^ybndrfg8ejkmcpqxot1uwisza345h769]/g, 'y')
    .padEnd(52, 'y')
    .slice(0, 52)
}

export interface MemoryRuntime {
  /** A port that acts as the page of `system`, in the name of `person`. */
  openPort(system: string, person?: string, permissions?: readonly Permission[]): MessagePort
  /** Streams that are open now. */
  readonly watchers: number
  close(): void
}

interface Change {
  system: string
  collection: string
  author: string
  id: string
  version: string
  deleted: boolean
}

/** Starts it, empty. */
export function startMemoryRuntime(): MemoryRuntime {
  const records = new Map<string, CloudRecord>()
  const listeners = new Set<(change: Change) => void>()
  const ports: MessagePort[] = []
  let clock = 0
  const keyFor = (r: { system: string; collection: string; id: string }, author: string): string =>
    [systemKeyOf(r.system), r.collection, r.id, author].join('\n')
  const tick = (): string => (++clock).toString(16).padStart(12, '0') + '-0000'
  const tell = (change: Change): void => {
    for (const listener of listeners) listener(change)
  }

  const routerOf = (person: string) => ({
    identity: {
      whoami: os.identity.whoami.handler(() => ({ person, machine: person, name: 'Tester' })),
      recoveryPhrase: os.identity.recoveryPhrase.handler(() => ({ phrase: 'secret words' })),
    },
    db: {
      put: os.db.put.handler(({ input }) => {
        if (input.collection === 'unknown') {
          throw new CloudError('DB_COLLECTION_UNKNOWN', 'There is no such collection.', {
            collection: input.collection,
          })
        }
        const version = tick()
        const { system, collection, id = version, value } = input
        const address = { system: systemKeyOf(system), collection, author: person, id }
        records.set(keyFor(address, person), { ...address, value, version, rule: 'author' })
        tell({ ...address, version, deleted: false })
        return { ...address, version }
      }),
      get: os.db.get.handler(({ input }) => ({
        record: records.get(keyFor(input, input.author ?? person)) ?? null,
      })),
      delete: os.db.delete.handler(({ input }) => {
        const { system, collection, id } = input
        const written = {
          system: systemKeyOf(system),
          collection,
          author: person,
          id,
          version: tick(),
        }
        records.delete(keyFor(input, person))
        tell({ ...written, deleted: true })
        return written
      }),
      query: os.db.query.handler(({ input }) => {
        const placeOf = ({ id, author }: CloudRecord): string => `${id}\n${author}`
        const found = [...records.values()]
          .filter(
            (r) =>
              r.system === systemKeyOf(input.system) &&
              r.collection === input.collection &&
              r.id.startsWith(input.prefix ?? '') &&
              (input.author ?? r.author) === r.author &&
              (input.cursor === undefined || placeOf(r) > input.cursor) &&
              Object.entries(input.where ?? {}).every(
                ([field, value]) => (r.value as Record<string, unknown>)[field] === value,
              ),
          )
          .sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
        const page = found.slice(0, input.limit)
        const last = page.at(-1)
        return {
          records: page,
          completeness: {
            complete: true,
            setsAnswered: 1,
            setsKnown: 1,
            machinesLinked: 0,
            machinesInStep: 0,
            hidden: 0,
            ageMs: null,
          },
          ...(found.length > page.length && last !== undefined ? { cursor: placeOf(last) } : {}),
        }
      }),
      watch: os.db.watch.handler(async function* ({ input, signal }) {
        const queue: Change[] = []
        let wake = (): void => undefined
        const listener = (change: Change): void => {
          if (change.system !== systemKeyOf(input.system)) return
          if (input.collection !== undefined && change.collection !== input.collection) return
          queue.push(change)
          wake()
        }
        listeners.add(listener)
        signal?.addEventListener('abort', () => wake())
        try {
          yield { ready: true as const }
          while (signal?.aborted !== true) {
            const next = queue.shift()
            if (next !== undefined) yield next
            else await new Promise<void>((resolve) => (wake = resolve))
          }
        } finally {
          listeners.delete(listener)
        }
      }),
    },
  })

  return {
    openPort(system, person = keyOf('y'), permissions = ['db', 'identity', 'sessions']) {
      const serve = createServer<CallContext>(routerOf(person), {
        access: createCallerCheck(noSessions),
        onInternalError: (error) => {
          throw error
        },
      })
      const { port1, port2 } = new MessageChannel()
      serve(port1, {
        caller: { kind: 'system', system, hasPermission: (name) => permissions.includes(name) },
      })
      port1.start()
      port2.start()
      ports.push(port1, port2)
      return port2
    },
    get watchers() {
      return listeners.size
    },
    close() {
      for (const port of ports) port.close()
    },
  }
}
