// Implements the tabs contract for the shell's page.
import { implement } from '@orpc/server'
import { createServer, openAccess } from '../../node-runtime/rpc/server.ts'
import type { Serve } from '../../node-runtime/rpc/server.ts'
import { tabsContract } from '../contract/tabs.ts'
import type { TabsEvent } from '../contract/tabs.ts'
import { events } from '../../node-runtime/flow/streams.ts'
import type { Tabs } from './tabs.ts'
import type { WindowTheme } from './theme.ts'

export interface TabsServiceOptions {
  tabs: Tabs
  theme: WindowTheme
  /** See the contract. */
  dim: (dimmed: boolean) => void
}

/** Serves `tabs` and the theme on ports. Only the shell's page ever gets such a port. */
export function createTabsServer({ tabs, theme, dim }: TabsServiceOptions): Serve<object> {
  const os = implement(tabsContract)
  const router = {
    open: os.open.handler(({ input }) => {
      tabs.open(input.tab, input.url)
      return {}
    }),
    navigate: os.navigate.handler(({ input }) => {
      tabs.navigate(input.tab, input.url)
      return {}
    }),
    back: os.back.handler(({ input }) => {
      tabs.back(input.tab)
      return {}
    }),
    forward: os.forward.handler(({ input }) => {
      tabs.forward(input.tab)
      return {}
    }),
    reload: os.reload.handler(({ input }) => {
      tabs.reload(input.tab)
      return {}
    }),
    stop: os.stop.handler(({ input }) => {
      tabs.stop(input.tab)
      return {}
    }),
    close: os.close.handler(({ input }) => {
      tabs.close(input.tab)
      return {}
    }),
    show: os.show.handler(({ input }) => {
      tabs.show(input.tab, input.bounds)
      return {}
    }),
    setTheme: os.setTheme.handler(({ input }) => {
      theme.choose(input.theme)
      return {}
    }),
    dim: os.dim.handler(({ input }) => {
      dim(input.dimmed)
      return {}
    }),
    watch: os.watch.handler(({ signal }) =>
      events<TabsEvent>((emit) => {
        const stops = [
          theme.subscribe((chosen) => emit({ type: 'themeChanged', theme: chosen })),
          tabs.subscribe(emit),
        ]
        return () => stops.forEach((stop) => stop())
      }, signal),
    ),
  }
  return createServer<object>(router, {
    // Who holds the port was checked when it was handed out.
    access: openAccess,
    onInternalError: (error, path) => console.error(`tabs.${path.join('.')} failed:`, error),
  })
}
