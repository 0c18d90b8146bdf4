// `--ways`: by which ways to look for other machines.
import { CloudError } from '../contract/errors.ts'
import type { WayName } from '../core/finding/ways-core.ts'

/** Those that this version can go; the contract names all. */
export const WAYS_HERE: readonly WayName[] = ['memory', 'lan', 'list', 'dht']

/** `memory,dht` as names. @throws CloudError BAD_INPUT */
export function parseWays(text: string): WayName[] {
  const names = text.split(',').map((name) => name.trim())
  return names.map((name) => {
    const way = WAYS_HERE.find((known) => known === name)
    if (way !== undefined) return way
    throw new CloudError('BAD_INPUT', `"${name}" is no way. There are: ${WAYS_HERE.join(', ')}.`, {
      ways: text,
    })
  })
}
