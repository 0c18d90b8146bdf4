// Answers the `identity` calls.
import type { Whoami } from '../../contract/identity.ts'
import { snapshots } from '../../flow/streams.ts'
import { os } from '../../rpc/caller.ts'
import { personOf } from './identity.ts'
import type { Identity } from './identity.ts'

export function createIdentityService(identity: Identity) {
  const whoami = (): Whoami => ({
    person: identity.person,
    machine: identity.machine,
    name: identity.personName,
  })
  const onChange = (listener: () => void): (() => void) => {
    identity.on('changed', listener)
    return () => identity.off('changed', listener)
  }
  return {
    whoami: os.identity.whoami.handler(() => whoami()),
    watch: os.identity.watch.handler(({ signal }) => snapshots(onChange, whoami, signal)),
    rename: os.identity.rename.handler(async ({ input }) => {
      await identity.renamePerson(input.name)
      return {}
    }),
    recoveryPhrase: os.identity.recoveryPhrase.handler(() => ({ phrase: identity.recoveryPhrase })),
    personOf: os.identity.personOf.handler(({ input }) => ({ person: personOf(input.phrase) })),
    restore: os.identity.restore.handler(async ({ input }) => {
      await identity.restore(input.phrase)
      return { person: identity.person }
    }),
  }
}
