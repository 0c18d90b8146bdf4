// The TabHost of the desktop window: a client of the main process.
import type { ContractRouterClient } from '@orpc/contract'
import type { TabsContract, TabsEvent } from '../../electron/contract/tabs.ts'
import type { TabHost } from './tab-host.ts'

type TabsClient = ContractRouterClient<TabsContract>

/** Calls made before the port has arrived wait for it. */
export function createElectronTabs(): { host: TabHost; use: (client: TabsClient) => void } {
  const listeners = new Set<(event: TabsEvent) => void>()
  const disposal = new AbortController()
  let resolveFirst: (client: TabsClient) => void
  let current = new Promise<TabsClient>((resolve) => {
    resolveFirst = resolve
  })

  const watch = async (client: TabsClient): Promise<void> => {
    for await (const event of await client.watch({}, { signal: disposal.signal })) {
      for (const listener of listeners) listener(event)
    }
  }

  const host: TabHost = {
    open: async (tab, url) => void (await (await current).open({ tab, url })),
    navigate: async (tab, url) => void (await (await current).navigate({ tab, url })),
    back: async (tab) => void (await (await current).back({ tab })),
    forward: async (tab) => void (await (await current).forward({ tab })),
    reload: async (tab) => void (await (await current).reload({ tab })),
    stop: async (tab) => void (await (await current).stop({ tab })),
    close: async (tab) => void (await (await current).close({ tab })),
    show: async (tab, bounds) => void (await (await current).show({ tab, bounds })),
    setTheme: async (theme) => void (await (await current).setTheme({ theme })),
    dim: async (dimmed) => void (await (await current).dim({ dimmed })),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    dispose() {
      disposal.abort()
      listeners.clear()
    },
  }
  return {
    host,
    use(client) {
      current = Promise.resolve(client)
      resolveFirst(client)
      // The stream ends with its port; the next port brings a new one.
      watch(client).catch((error: unknown) => {
        if (!disposal.signal.aborted) console.warn('The stream of tab events has ended.', error)
      })
    },
  }
}
