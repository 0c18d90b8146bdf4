// How deep a value is nested, found out without recursion: a stranger's brackets go deeper than any stack.
import type { Json } from '../contract/values.ts'

/** Is it nested deeper than so many levels of lists and objects? */
export function isDeeperThan(value: Json, levels: number): boolean {
  let level: Json[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    const inner = level.filter((part) => typeof part === 'object' && part !== null)
    if (inner.length > 0 && depth >= levels) return true
    level = inner.flatMap((part) => Object.values(part))
  }
  return false
}
