// A LevelDB whose writes are watched, held up, or fail as they do on a full disk: then it takes no more
// until it is opened again.
import { FEW_KEYS } from '../store/index-level.ts'
import { openClassicLevel } from '../store/index-opening.ts'
import type { Level } from '../store/index-mending.ts'

/** More than are read in place: only such reads are watched, as only they can be held up. */
export const MANY_IDS = Array.from({ length: FEW_KEYS + 1 }, (_, number) => `many-${number}`)

interface WriteOptions {
  sync?: boolean
}

interface Batch {
  write(options?: WriteOptions): Promise<void>
}

export interface WatchedLevel {
  open: (folder: string) => Promise<Level>
  /** Of each batch, was it synced? */
  readonly syncs: boolean[]
  /** Called before each batch; what it throws the batch throws, and is not written. */
  beforeBatch: () => Promise<void> | void
  /** Called before many records are read for writers: see `MANY_IDS`. */
  beforeRead: () => Promise<void> | void
  /** Called after each batch; what it throws the batch throws, although it was written. */
  afterBatch: () => void
}

export function watchLevel(): WatchedLevel {
  const watched: WatchedLevel = {
    syncs: [],
    beforeBatch: () => {},
    beforeRead: () => {},
    afterBatch: () => {},
    open: async (folder) => {
      const level = await openClassicLevel(folder)
      let failure: unknown = null
      const begin = level.batch.bind(level) as () => Batch
      const batch = (): Batch => {
        const begun = begin()
        const write = begun.write.bind(begun)
        return Object.assign(begun, {
          write: async (options?: WriteOptions): Promise<void> => {
            watched.syncs.push(options?.sync === true)
            try {
              if (failure !== null) throw failure
              await watched.beforeBatch()
              await write(options)
              watched.afterBatch()
            } catch (error) {
              failure = error
              throw error
            }
          },
        })
      }
      const read = level.getMany.bind(level) as (keys: Buffer[]) => Promise<(Buffer | undefined)[]>
      const getMany = async (keys: Buffer[]): Promise<(Buffer | undefined)[]> => {
        await watched.beforeRead()
        return read(keys)
      }
      return Object.assign(level, { batch, getMany })
    },
  }
  return watched
}

interface Held {
  /** Resolves once it is there, and waits. */
  reached: Promise<void>
  letGo: () => void
  /** It fails as on a full disk. */
  refuse: () => void
}

/** Holds the next batch, or the next read, until it is let go; those after it are not held. */
export function holdNext(level: WatchedLevel, at: 'beforeBatch' | 'beforeRead'): Held {
  let [letGo, refuse] = [(): void => {}, (): void => {}]
  const gate = new Promise<void>((resolve, reject) => {
    letGo = resolve
    refuse = () => reject(fullDiskError())
  })
  const reached = new Promise<void>((resolve) => {
    level[at] = () => {
      level[at] = () => {}
      resolve()
      return gate
    }
  })
  return { reached, letGo, refuse }
}

/** As LevelDB says it. */
export function fullDiskError(): Error {
  const message = 'IO error: 000003.log: No space left on device'
  return Object.assign(new Error(message), { code: 'LEVEL_IO_ERROR' })
}
