// Answers the `identity` calls.
import type { Whoami } from '../../contract/identity.ts'
import { CloudError } from '../../contract/errors.ts'
import { formatVersion } from '../../core/db/hybrid-clock.ts'
import { signRevocation } from '../../core/forms/revocation.ts'
import type { Attested, Revocation } from '../../core/forms/revocation.ts'
import type { SignedForm } from '../../core/forms/signed-form.ts'
import { snapshots } from '../../flow/streams.ts'
import { os } from '../../rpc/caller.ts'
import { personOf } from './identity.ts'
import { readAttested, writeAttested } from './attested-text.ts'
import type { Identity } from './identity.ts'

const LAST_COUNTER = 0xffff

/** What the identity needs of the clouds that this machine is, and was, in. */
export interface IdentityClouds {
  current: () => string
  known: () => readonly string[]
  /** Sequences that the cloud has heard of, of a machine's attestations and revocations by a person. */
  sequencesOf: (whose: Pick<Attested, 'person' | 'machine'>) => readonly number[]
  /** Whose a machine of the cloud is, as far as this one knows. */
  ownerOf: (machine: string) => string | null
  /** How this machine's person came into the present cloud; null if it asks for nothing like that. */
  chain: () => readonly SignedForm[] | null
  /** Who is or will be this machine's person came into the present cloud by this. */
  keepChain: (chain: readonly SignedForm[], person: string) => Promise<void>
  /** Has all machines of the cloud hear of it. */
  spread: (revocation: Revocation) => Promise<void>
}

export function createIdentityService(identity: Identity, clouds: IdentityClouds) {
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
    watch: os.identity.watch.handler(({ signal }) =>
      snapshots(onChange, () => ({ ...whoami(), phraseKept: identity.phraseKept }), signal),
    ),
    rename: os.identity.rename.handler(async ({ input }) => {
      await identity.renamePerson(input.name)
      return {}
    }),
    recoveryPhrase: os.identity.recoveryPhrase.handler(() => ({ phrase: identity.recoveryPhrase })),
    forgetPhrase: os.identity.forgetPhrase.handler(async ({ input }) => {
      await identity.forgetPhrase(input.phrase, clouds.known())
      return {}
    }),
    personOf: os.identity.personOf.handler(({ input }) => ({ person: personOf(input.phrase) })),
    restore: os.identity.restore.handler(async ({ input }) => {
      await identity.restore(input.phrase, { forgetPhrase: input.forgetPhrase })
      return { person: identity.person }
    }),
    attest: os.identity.attest.handler(async ({ input }) => {
      const { machine, phrase, cloud = clouds.current() } = input
      const { person } = identity.keysOf(phrase)
      const heard = cloud === clouds.current() ? clouds.sequencesOf({ person, machine }) : []
      const attested = await identity.attest({ machine, cloud, phrase }, Math.max(0, ...heard))
      const isIn = cloud === clouds.current() && person === identity.person
      const chain = isIn ? (clouds.chain()?.slice() ?? null) : null
      const text = writeAttested({ attestation: attested.form, chain })
      return { person, machine, cloud, expiresMs: attested.expiresMs, text }
    }),
    accept: os.identity.accept.handler(async ({ input }) => {
      const { attestation, chain } = readAttested(input.text)
      const present = clouds.current()
      const { person, cloud } = await identity.accept(attestation, {
        present,
        forgetPhrase: input.forgetPhrase,
        // Whoever is this person's must be let in from the first moment on.
        before: async (attested) => {
          if (chain === null || attested.cloud !== present) return
          await clouds.keepChain(chain, attested.person)
        },
      })
      return { person, cloud }
    }),
    revoke: os.identity.revoke.handler(async ({ input }) => {
      const { machine, phrase, keepUntilMs: timeMs = Date.now() } = input
      const cloud = clouds.current()
      const { person, secretKey } = identity.keysOf(phrase)
      const heard = clouds.sequencesOf({ person, machine })
      const owner = clouds.ownerOf(machine)
      if (heard.length === 0 && owner !== null && owner !== person) {
        const message = 'This is a machine of somebody else, whom alone it is for to revoke it.'
        throw new CloudError('MACHINE_UNKNOWN', message, { machine, person: owner })
      }
      const sequence = Math.max(Date.now(), ...heard.map((one) => one + 1))
      const validUntil = timeMs === null ? null : formatVersion({ timeMs, counter: LAST_COUNTER })
      const statement = { person, machine, cloud, sequence, validUntil }
      await clouds.spread(signRevocation(statement, secretKey))
      return { person, machine, cloud, validUntil }
    }),
  }
}
