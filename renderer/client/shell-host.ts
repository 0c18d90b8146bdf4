// What the window stands on: a connection to the runtime, and something that shows tabs.
import type { Connection } from './connection.ts'
import type { TabHost } from './tab-host.ts'

export interface ShellHost {
  kind: 'desktop' | 'browser'
  connection: Connection
  tabs: TabHost
  /**
   * Told the keys of what is installed, at first and after every change, where this page has to take
   * care of what the pages of systems keep.
   */
  systemsListed?: (keys: readonly string[]) => void
}
