// Answers the `identity` calls.
import { os } from '../../rpc/caller.ts'
import type { Identity } from './identity.ts'

export function createIdentityService(identity: Identity) {
  return {
    whoami: os.identity.whoami.handler(() => ({
      person: identity.person,
      machine: identity.machine,
      name: identity.personName,
    })),
    rename: os.identity.rename.handler(async ({ input }) => {
      await identity.renamePerson(input.name)
      return {}
    }),
    recoveryPhrase: os.identity.recoveryPhrase.handler(() => ({ phrase: identity.recoveryPhrase })),
    restore: os.identity.restore.handler(async ({ input }) => {
      await identity.restore(input.phrase)
      return { person: identity.person }
    }),
  }
}
