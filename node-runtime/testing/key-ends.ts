// The ends of the order of records, for tests of spans over all of it.
import { KEY_WORDS } from '../core/sync/item.ts'
import type { Key } from '../core/sync/item.ts'

/** Below every key there can be. */
export const LEAST_KEY: Readonly<Key> = new Uint32Array(KEY_WORDS)
/** Above every key there can be: no record's id is all ones, in practice. */
export const GREATEST_KEY: Readonly<Key> = new Uint32Array(KEY_WORDS).fill(0xffffffff)
