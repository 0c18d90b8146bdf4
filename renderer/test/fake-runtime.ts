// A runtime for tests: the real contract, server and checks, over handlers that keep all in memory.
import { CloudError } from '../../node-runtime/contract/errors.ts'
import type {
  CloudInfo,
  CloudStatus,
  InvitationOffer,
  InvitationsReport,
  KnownCloud,
} from '../../node-runtime/contract/cloud.ts'
import type { ConnectionReport } from '../../node-runtime/contract/connection.ts'
import type { RingReport, MachineInfo } from '../../node-runtime/contract/machines.ts'
import type { ListReport } from '../../node-runtime/contract/lists.ts'
import { snapshots } from '../../node-runtime/flow/streams.ts'
import type { OwnIdentity } from '../../node-runtime/contract/identity.ts'
import type { InstalledSystem, SystemPreview } from '../../node-runtime/contract/systems.ts'
import { createCallerCheck, noSessions, os } from '../../node-runtime/rpc/caller.ts'
import type { CallContext } from '../../node-runtime/rpc/caller.ts'
import { createServer } from '../../node-runtime/rpc/server.ts'
import type { AnyPort } from '../../node-runtime/rpc/port.ts'
import {
  CLOUD_KEY,
  CONNECTION,
  INVITATION,
  OTHER_KEY,
  PERSON_KEY,
  PHRASE,
  PREVIEW,
  SELF_KEY,
  detailsOf,
  given,
  installedFrom,
  listContent,
  lookUpList,
  machine,
  status,
} from './samples.ts'

/** Something that can be watched: the value now, and again after every change. */
class Watched<T> {
  value: T
  readonly #listeners = new Set<() => void>()

  constructor(value: T) {
    this.value = value
  }

  set(value: T): void {
    this.value = value
    for (const listener of this.#listeners) listener()
  }

  watch(signal: AbortSignal | undefined): AsyncGenerator<T, void> {
    const subscribe = (listener: () => void): (() => void) => {
      this.#listeners.add(listener)
      return () => this.#listeners.delete(listener)
    }
    return snapshots(subscribe, () => this.value, signal)
  }
}

async function* mapped<T, U>(
  values: AsyncIterable<T>,
  change: (value: T) => U,
): AsyncGenerator<U, void> {
  for await (const value of values) yield change(value)
}

export interface FakeRuntime {
  cloud: Watched<{ status: CloudStatus; machines: MachineInfo[] }>
  connection: Watched<ConnectionReport>
  ring: Watched<RingReport>
  systems: Watched<{ systems: InstalledSystem[] }>
  identity: Watched<OwnIdentity>
  /** The clouds that this machine was in before. */
  earlier: Omit<KnownCloud, 'current'>[]
  /** How the present cloud began. */
  info: Omit<CloudInfo, 'cloud'>
  invitations: InvitationsReport
  /** What `cloud.readInvitation` answers, or how it fails; it waits for a promise. */
  offer: InvitationOffer | CloudError | Promise<InvitationOffer>
  /** What `systems.preview` answers, or how it fails. */
  preview: SystemPreview | CloudError
  /** The addresses that previews were asked for. */
  previewed: string[]
  /** How inviting, taking back a release and writing to a list fail; null if they do not. */
  refusal: CloudError | null
  /** The invitations that were asked where they lead. */
  asked: string[]
  /** The calls that changed something, in order. */
  calls: [name: string, input: unknown][]
  serve: (port: AnyPort) => void
}

export function createFakeRuntime(): FakeRuntime {
  const cloud = new Watched({
    status: status({}),
    machines: [machine({ self: true })],
  })
  const connection = new Watched(CONNECTION)
  const ring = new Watched<RingReport>({ machines: [SELF_KEY], lap: null, tick: null })
  const systems = new Watched<{ systems: InstalledSystem[] }>({ systems: [] })
  const calls: FakeRuntime['calls'] = []
  const identity = new Watched<OwnIdentity>({
    person: PERSON_KEY,
    machine: SELF_KEY,
    name: 'Ada',
    phraseKept: true,
  })
  const fake: FakeRuntime = {
    cloud,
    connection,
    ring,
    systems,
    identity,
    earlier: [],
    info: { name: '', admission: 'open', owner: true, keys: [SELF_KEY], revokedReleases: [] },
    invitations: { given: [], invitedBy: [], showing: false, shown: [] },
    offer: INVITATION,
    preview: PREVIEW,
    previewed: [],
    asked: [],
    refusal: null,
    calls,
    serve: () => undefined,
  }
  const personOf = (phrase: string): string => {
    if (phrase === PHRASE) return OTHER_KEY
    throw new CloudError('IDENTITY_PHRASE_INVALID', 'A recovery phrase has 24 words; this has 3.')
  }
  /** As for a cloud in which the machine was not yet. */
  const checkPhrase = (phrase: string | undefined): void => {
    if (phrase === undefined && !identity.value.phraseKept) {
      throw new CloudError('IDENTITY_PHRASE_NEEDED', 'This needs your recovery phrase.')
    }
    if (phrase !== undefined && phrase !== PHRASE) {
      throw new CloudError('IDENTITY_PHRASE_OTHER', 'These are the words of another person.')
    }
  }
  const notHere = (): never => {
    throw new CloudError('UNKNOWN_CALL', 'The test runtime does not have this call.')
  }

  const router = {
    cloud: {
      status: os.cloud.status.handler(() => cloud.value.status),
      machines: os.cloud.machines.handler(() => ({ machines: cloud.value.machines })),
      machine: os.cloud.machine.handler(({ input }) => detailsOf(cloud.value, input.machine)),
      watchMachine: os.cloud.watchMachine.handler(({ input, signal }) =>
        mapped(cloud.watch(signal), (value) => detailsOf(value, input.machine)),
      ),
      watch: os.cloud.watch.handler(({ signal }) => cloud.watch(signal)),
      connection: os.cloud.connection.handler(() => connection.value),
      watchConnection: os.cloud.watchConnection.handler(({ signal }) => connection.watch(signal)),
      ring: os.cloud.ring.handler(() => ring.value),
      watchRing: os.cloud.watchRing.handler(({ signal }) => ring.watch(signal)),
      join: os.cloud.join.handler(({ input }) => {
        calls.push(['cloud.join', input])
        checkPhrase(input.phrase)
        const key = input.cloud.length === 52 ? input.cloud : INVITATION.cloud
        const { cloud: before, originated } = cloud.value.status
        const known = fake.earlier.find((earlier) => earlier.cloud === key)
        fake.earlier = [
          ...fake.earlier.filter((earlier) => earlier !== known),
          { cloud: before, originated },
        ]
        const joined = status({
          cloud: key,
          originated: known?.originated ?? false,
          state: 'looking',
        })
        cloud.set({ ...cloud.value, status: joined })
        return { cloud: key }
      }),
      create: os.cloud.create.handler(({ input }) => {
        calls.push(['cloud.create', input])
        checkPhrase(input.phrase)
        const { cloud: before, originated } = cloud.value.status
        fake.earlier = [...fake.earlier, { cloud: before, originated }]
        cloud.set({ ...cloud.value, status: status({ cloud: OTHER_KEY }) })
        return { cloud: OTHER_KEY, name: input.name, admission: input.admission }
      }),
      info: os.cloud.info.handler(() => ({ ...fake.info, cloud: cloud.value.status.cloud })),
      release: os.cloud.release.handler(({ input }) => {
        calls.push(['cloud.release', input])
        const release = { body: 'made', signature: 'b'.repeat(128) }
        const secretKey = 'a'.repeat(128)
        return {
          release: OTHER_KEY,
          file: { releaseFile: 1 as const, genesis: 'begun', release, secretKey },
        }
      }),
      revokeRelease: os.cloud.revokeRelease.handler(({ input }) => {
        calls.push(['cloud.revokeRelease', input])
        if (fake.refusal !== null) throw fake.refusal
        fake.info = {
          ...fake.info,
          revokedReleases: [...fake.info.revokedReleases, input.release],
        }
        return { release: input.release }
      }),
      releases: os.cloud.releases.handler(() => ({
        releases: fake.info.revokedReleases.map((release) => ({
          release,
          name: null,
          madeMs: null,
          expiresMs: null,
          state: 'revoked' as const,
        })),
      })),
      invite: os.cloud.invite.handler(({ input }) => {
        calls.push(['cloud.invite', input])
        if (fake.refusal !== null) throw fake.refusal
        const made = given({ uses: input.uses, expiresMs: Date.now() + input.lastsMs })
        fake.invitations = { ...fake.invitations, given: [made, ...fake.invitations.given] }
        return made
      }),
      invitations: os.cloud.invitations.handler(() => fake.invitations),
      withdrawInvitation: os.cloud.withdrawInvitation.handler(({ input }) => {
        calls.push(['cloud.withdrawInvitation', input])
        fake.invitations = {
          ...fake.invitations,
          given: fake.invitations.given.map((one) =>
            one.id === input.id ? { ...one, state: 'withdrawn' as const } : one,
          ),
        }
        return {}
      }),
      readInvitation: os.cloud.readInvitation.handler(async ({ input }) => {
        fake.asked.push(input.invitation)
        const offer = await fake.offer
        if (offer instanceof CloudError) throw offer
        return offer
      }),
      addList: os.cloud.addList.handler(({ input }) => {
        calls.push(['cloud.addList', input])
        if (!input.url.includes(':'))
          throw new CloudError('LIST_URL_INVALID', 'This is no address.')
        const before = connection.value.lists.find(({ url }) => url === input.url)
        const list: ListReport = {
          ...(before ?? lookUpList(input.url)),
          ...(input.keeps === undefined ? {} : { keeps: input.keeps }),
          ...(input.access === undefined ? {} : { hasAccess: input.access !== null }),
        }
        const others = connection.value.lists.filter((other) => other !== before)
        connection.set({ ...connection.value, lists: [...others, list] })
        return list
      }),
      removeList: os.cloud.removeList.handler(({ input }) => {
        calls.push(['cloud.removeList', input])
        const lists = connection.value.lists.filter(({ url }) => url !== input.url)
        connection.set({ ...connection.value, lists })
        return {}
      }),
      createList: os.cloud.createList.handler(({ input }) => {
        calls.push(['cloud.createList', input])
        const list = { ...lookUpList(input.url), keeps: true }
        connection.set({ ...connection.value, lists: [...connection.value.lists, list] })
        return listContent(input.url)
      }),
      pushList: os.cloud.pushList.handler(({ input }) => {
        calls.push(['cloud.pushList', input])
        if (fake.refusal !== null) throw fake.refusal
        return listContent(input.url)
      }),
      readList: os.cloud.readList.handler(({ input }) => listContent(input.url)),
      lists: os.cloud.lists.handler(() => ({ lists: connection.value.lists })),
      known: os.cloud.known.handler(() => {
        const { cloud: key, originated } = cloud.value.status
        return {
          clouds: [
            ...fake.earlier.map((earlier) => ({ ...earlier, current: false })),
            { cloud: key, originated, current: true },
          ],
        }
      }),
      setPortMapping: os.cloud.setPortMapping.handler(({ input }) => {
        calls.push(['cloud.setPortMapping', input])
        if (fake.refusal !== null) throw fake.refusal
        const { ports } = connection.value
        connection.set({ ...connection.value, ports: { ...ports, on: input.on } })
        return {}
      }),
      showInvitations: os.cloud.showInvitations.handler(({ input }) => {
        calls.push(['cloud.showInvitations', input])
        if (fake.refusal !== null) throw fake.refusal
        fake.invitations = { ...fake.invitations, showing: input.on }
        return {}
      }),
      renameMachine: os.cloud.renameMachine.handler(({ input }) => {
        calls.push(['cloud.renameMachine', input])
        cloud.set({ ...cloud.value, status: { ...cloud.value.status, machineName: input.name } })
        return {}
      }),
    },
    identity: {
      whoami: os.identity.whoami.handler(() => identity.value),
      watch: os.identity.watch.handler(({ signal }) => identity.watch(signal)),
      rename: os.identity.rename.handler(({ input }) => {
        calls.push(['identity.rename', input])
        identity.set({ ...identity.value, name: input.name })
        return {}
      }),
      recoveryPhrase: os.identity.recoveryPhrase.handler(() => ({ phrase: PHRASE })),
      forgetPhrase: os.identity.forgetPhrase.handler(({ input }) => {
        calls.push(['identity.forgetPhrase', input])
        if (input.phrase !== PHRASE) {
          throw new CloudError('IDENTITY_PHRASE_OTHER', 'These are the words of another person.')
        }
        identity.set({ ...identity.value, phraseKept: false })
        return {}
      }),
      attest: os.identity.attest.handler(({ input }) => {
        calls.push(['identity.attest', input])
        const { person } = identity.value
        return { person, machine: input.machine, cloud: CLOUD_KEY, expiresMs: 0, text: 'eyJh' }
      }),
      accept: os.identity.accept.handler(({ input }) => {
        calls.push(['identity.accept', input])
        if (identity.value.phraseKept && !input.forgetPhrase) {
          throw new CloudError('IDENTITY_PHRASE_KEPT', 'The recovery phrase would be deleted.')
        }
        return { person: identity.value.person, cloud: CLOUD_KEY }
      }),
      revoke: os.identity.revoke.handler(({ input }) => {
        calls.push(['identity.revoke', input])
        const { person } = identity.value
        return { person, machine: input.machine, cloud: CLOUD_KEY, validUntil: null }
      }),
      personOf: os.identity.personOf.handler(({ input }) => ({ person: personOf(input.phrase) })),
      restore: os.identity.restore.handler(({ input }) => {
        calls.push(['identity.restore', input])
        if (identity.value.phraseKept && !input.forgetPhrase) {
          throw new CloudError('IDENTITY_PHRASE_KEPT', 'The recovery phrase would be deleted.')
        }
        return { person: personOf(input.phrase) }
      }),
    },
    systems: {
      preview: os.systems.preview.handler(({ input }) => {
        fake.previewed.push(input.url)
        if (fake.preview instanceof CloudError) throw fake.preview
        return fake.preview
      }),
      install: os.systems.install.handler(({ input }) => {
        calls.push(['systems.install', input])
        if (fake.preview instanceof CloudError) throw fake.preview
        const { id, key, host, version, commit } = fake.preview
        systems.set({
          systems: [
            ...systems.value.systems.filter((system) => system.key !== key),
            installedFrom(fake.preview, input.grant),
          ],
        })
        return { id, key, host, version, commit }
      }),
      list: os.systems.list.handler(() => systems.value),
      watch: os.systems.watch.handler(({ signal }) => systems.watch(signal)),
      setGrant: os.systems.setGrant.handler(({ input }) => {
        calls.push(['systems.setGrant', input])
        systems.set({
          systems: systems.value.systems.map((system) =>
            system.key === input.system ? { ...system, granted: input.grant } : system,
          ),
        })
        return {}
      }),
      uninstall: os.systems.uninstall.handler(({ input }) => {
        calls.push(['systems.uninstall', input])
        systems.set({ systems: systems.value.systems.filter(({ key }) => key !== input.system) })
        return {}
      }),
      forgetPublisher: os.systems.forgetPublisher.handler(({ input }) => {
        calls.push(['systems.forgetPublisher', input])
        fake.preview = PREVIEW
        return {}
      }),
      asset: os.systems.asset.handler(notHere),
    },
  }
  const serve = createServer<CallContext>(router, {
    access: createCallerCheck(noSessions),
    onInternalError: (error, path) => console.error(path.join('.'), error),
  })
  fake.serve = (port) => serve(port, { caller: { kind: 'owner' } })
  return fake
}
