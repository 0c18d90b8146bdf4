// The SDK: what a system's page imports as `/.dharma/sdk.js`. See README.md for a first system.
import './jitless.ts'
import { createCalls } from './cloud.ts'
import type { Cloud } from './cloud.ts'
import { askForPort, startPort } from './handshake.ts'
import { createLocation } from './location.ts'
import { passOnShortcuts } from './shortcuts.ts'
import { followTheme } from './theme.ts'

export { CloudError } from '../../node-runtime/contract/errors.ts'
export type { ErrorCode } from '../../node-runtime/contract/errors.ts'
export type { Calls, Cloud } from './cloud.ts'
export type { Collection, Filter, Page, Query, RecordChange } from './collection.ts'
export type { CloudLocation } from './location.ts'
export type { Rules } from './rules.ts'
export type { Disposer, OnError } from './stream.ts'
export type * from './values.ts'

/**
 * Connects this page with the cloud, in the name of the system it belongs to.
 * @throws CloudError UNAVAILABLE when the page was opened outside Dharma
 */
export async function connectToCloud(): Promise<Cloud> {
  const handover = await askForPort(window)
  const { system, path, theme } = handover
  const port = startPort(window, handover.port)
  followTheme(window, theme)
  passOnShortcuts(window)
  return {
    ...createCalls(port, system),
    location: createLocation(window, path),
    onClosed: (listener) => port.on('close', listener),
  }
}
