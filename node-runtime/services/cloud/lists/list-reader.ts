// Reads a list: its head, and as many of its shards as are wanted.
import { CloudError } from '../../../contract/errors.ts'
import { HEAD_FILE } from '../../../core/finding/list-address.ts'
import {
  MAX_HEAD_BYTES,
  MAX_SHARD_BYTES,
  mergeListed,
  readHead,
  readShard,
} from '../../../core/finding/list-form.ts'
import type { ListedMachine, ListHead } from '../../../core/finding/list-form.ts'
import type { ListSeal } from '../../../core/finding/list-seal.ts'
import { invalidList, missingList } from './list-failure.ts'
import type { ListSource } from './list-source.ts'

/** Shards that are read over the web one by one: 64 machines, of which some are there. */
const SHARDS_AT_ONCE = 2

export interface ReadingOptions {
  url: string
  cloud: string
  seal: ListSeal
  /** The time of day. */
  nowMs: number
  /** Of the newest manifest that was seen at this place. */
  leastSequence: number
}

export interface ReadList {
  head: ListHead
  machines: Map<string, ListedMachine>
  /** Were all shards read, or only some that chance chose? */
  isWhole: boolean
}

interface Scope {
  /** All shards, or some that chance chooses; all by default where they are at hand. */
  whole?: boolean
  /** Takes shards that are damaged for empty ones: they are about to be written anew. */
  mending?: boolean
  random?: () => number
}

/** @throws CloudError LIST_MISSING, LIST_INVALID, and what reading throws */
export async function readList(
  source: ListSource,
  options: ReadingOptions,
  { whole = source.repository !== null, mending = false, random = Math.random }: Scope = {},
): Promise<ReadList> {
  const { url, cloud, seal, nowMs, leastSequence } = options
  const file = await source.read(HEAD_FILE, MAX_HEAD_BYTES)
  if (file === null) throw missingList(url)
  const head = readHead(file, cloud, seal)
  if ('fault' in head) throw invalidList(url, head.fault)
  if (head.manifest.sequence < leastSequence) throw invalidList(url, 'replayed')
  const places = Array.from({ length: head.shards }, (_, at) => at)
  while (!whole && places.length > SHARDS_AT_ONCE) {
    places.splice(Math.floor(random() * places.length), 1)
  }
  const shards: ListedMachine[][] = []
  let failure: CloudError | null = null
  for (const at of places) {
    try {
      shards.push(await readMachines(source, options, at))
    } catch (error) {
      // One that is damaged hides no other.
      if (!(error instanceof CloudError) || error.code !== 'LIST_INVALID') throw error
      failure ??= error
    }
    // Between two shards, whose signatures take some milliseconds, others have their turn.
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (failure !== null && shards.length === 0 && !mending) throw failure
  return { head, machines: mergeListed(shards, nowMs), isWhole: places.length === head.shards }
}

async function readMachines(
  source: ListSource,
  { url, cloud, seal, nowMs }: ReadingOptions,
  at: number,
): Promise<ListedMachine[]> {
  const shard = await source.read(shardFile(at), MAX_SHARD_BYTES)
  if (shard === null) return []
  const machines = readShard(shard, cloud, seal, nowMs)
  if ('fault' in machines) throw invalidList(url, machines.fault)
  return machines
}

export function shardFile(at: number): string {
  return `shards/${at.toString(16)}`
}
