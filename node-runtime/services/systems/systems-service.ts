// The `systems` part of the router.
import { CloudError } from '../../contract/errors.ts'
import { snapshots } from '../../flow/streams.ts'
import { os } from '../../rpc/caller.ts'
import type { SystemStore } from './system-store.ts'

export interface SystemsServiceOptions {
  store: SystemStore
  /** Deletes the records that this person wrote in a system's collections (by its key), in the whole cloud. */
  deleteOwnRecords: (system: string) => Promise<void>
}

interface NamedSystem {
  system?: string | undefined
  id?: string | undefined
}

/** The handlers of the `systems` service. */
export function createSystemsService({ store, deleteOwnRecords }: SystemsServiceOptions) {
  const { systems } = os

  /** @throws CloudError SYSTEM_NOT_INSTALLED, SYSTEM_ID_AMBIGUOUS */
  function keyOf({ system, id }: NamedSystem): string {
    // The contract demands one of them.
    const name = String(system ?? id)
    const key = store.resolve(name)
    if (key !== null) return key
    throw new CloudError('SYSTEM_NOT_INSTALLED', `"${name}" is not installed on this machine.`, {
      id: name,
    })
  }

  return {
    preview: systems.preview.handler(({ input }) => store.preview(input.url)),

    install: systems.install.handler(async ({ input }) => {
      const { id, key, host, version, commit } = await store.install(input)
      return { id, key, host, version, commit }
    }),

    list: systems.list.handler(() => ({ systems: store.list() })),

    watch: systems.watch.handler(({ signal }) =>
      snapshots(store.onChange, () => ({ systems: store.list() }), signal),
    ),

    setGrant: systems.setGrant.handler(async ({ input }) => {
      await store.setGrant(keyOf(input), input.grant)
      return {}
    }),

    uninstall: systems.uninstall.handler(async ({ input }) => {
      const key = keyOf(input)
      // First the records: deleting them needs the collections that the manifest declares.
      if (input.deleteData) await deleteOwnRecords(key)
      await store.uninstall(key)
      return {}
    }),

    forgetPublisher: systems.forgetPublisher.handler(async ({ input }) => {
      await store.forgetPublisher(input.publisher)
      return {}
    }),

    asset: systems.asset.handler(async ({ input }) => {
      const { contentType, headers, body } = await store.asset(keyOf(input), input.path)
      return { contentType, headers, bodyBase64: Buffer.from(body).toString('base64') }
    }),
  }
}
