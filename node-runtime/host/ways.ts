// `--ways`: by which ways to look for other machines.
import { WAY_NAMES } from '../contract/cloud.ts'
import { CloudError } from '../contract/errors.ts'
import type { WayName } from '../core/finding/ways-core.ts'

/** `memory,dht` as names. @throws CloudError BAD_INPUT */
export function parseWays(text: string): WayName[] {
  const names = text.split(',').map((name) => name.trim())
  return names.map((name) => {
    const way = WAY_NAMES.find((known) => known === name)
    if (way !== undefined) return way
    throw new CloudError('BAD_INPUT', `"${name}" is no way. There are: ${WAY_NAMES.join(', ')}.`, {
      ways: text,
    })
  })
}
