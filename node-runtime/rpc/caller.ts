// Who is at the other end of a port of the runtime, and what it may call.
import { implement } from '@orpc/server'
import { CloudError } from '../contract/errors.ts'
import { contract } from '../contract/index.ts'
import type { Permission } from '../contract/permissions.ts'
import type { CallMeta, Scope } from '../contract/procedure.ts'
import { OWNER_SHARE, systemShare } from './budget.ts'
import type { AccessCheck } from './server.ts'

/** Fixed when the port is opened, by us, never by the caller. */
export type Caller =
  | { kind: 'owner' }
  | {
      kind: 'system'
      /** The system's key. */
      system: string
      /** Asked at every call, so that taking a permission back works at once. */
      hasPermission: (permission: Permission) => boolean
    }

export interface CallContext {
  caller: Caller
}

/** Where a service begins: `os.db.put.handler(({ input, context }) => …)`. */
export const os = implement(contract).$context<CallContext>()

/** Who knows whose a thing is that a call names. */
export interface Owners {
  /** The system of a session. @throws CloudError SESSION_UNKNOWN */
  systemOfSession: (session: string) => string | Promise<string>
  /** The key of the installed system whose sessions are those under a key; null if there is none. */
  ownerOf: (system: string) => string | null
}

/** What a call of a system needs that can be taken back while it runs. @throws CloudError FORBIDDEN */
function checkGrant({ caller }: CallContext, { access, permission }: CallMeta): void {
  if (caller.kind === 'owner') return
  if (access !== 'system') {
    throw new CloudError('FORBIDDEN', 'Only the person at this machine may do this.')
  }
  if (permission !== undefined && !caller.hasPermission(permission)) {
    throw new CloudError(
      'FORBIDDEN',
      `This system has no permission "${permission}". It can be given on the Systems page.`,
      { permission },
    )
  }
}

/** For a server that has no sessions. */
export const noSessions: Owners = {
  systemOfSession: () => {
    throw new CloudError('SESSION_UNKNOWN', 'There are no sessions here.')
  },
  ownerOf: (system) => system,
}

/** A text of the input, by the names on the way to it; null if there is none. */
function textAt(input: unknown, ...names: string[]): string | null {
  let value = input
  for (const name of names) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return null
    value = (value as Record<string, unknown>)[name]
  }
  return typeof value === 'string' ? value : null
}

/** The one place where it is decided whose the things are that a system names. */
function systemOf(
  scope: Exclude<Scope, 'none'>,
  input: unknown,
  { systemOfSession }: Owners,
): string | null | Promise<string> {
  if (scope === 'own-system') return textAt(input, 'system')
  if (scope === 'own-result') return textAt(input, 'result', 'descriptor', 'system')
  const session = textAt(input, 'session')
  return session === null ? null : systemOfSession(session)
}

/** What a system calls by its own key; sessions and results are kept under the key that it had then. */
function isOwn(named: string | null, system: string, scope: Scope, { ownerOf }: Owners): boolean {
  if (named === null) return false
  return named === system || (scope !== 'own-system' && ownerOf(named) === system)
}

/**
 * Default deny: the owner may all, a system what the contract opens to it, the person granted, and
 * is its own. The check throws FORBIDDEN, or what `owners` throw.
 */
export function createCallerCheck(owners: Owners): AccessCheck<CallContext> {
  return {
    async beforeCall(context, meta, input) {
      checkGrant(context, meta)
      const { caller } = context
      if (caller.kind === 'owner' || meta.scope === 'none') return
      const { scope } = meta
      const named = scope === undefined ? null : await systemOf(scope, input, owners)
      if (scope === undefined || !isOwn(named, caller.system, scope, owners)) {
        throw new CloudError('FORBIDDEN', 'A system can reach only what is its own.', {
          system: named,
        })
      }
    },
    beforeEvent: checkGrant,
    shareOf: ({ caller }) => (caller.kind === 'owner' ? OWNER_SHARE : systemShare(caller.system)),
  }
}

/**
 * Puts a system's key in the place of the id or host by which the owner named it. Systems name
 * themselves by the key that they were handed; they have no say in whose an id is.
 * @param resolve  as `SystemStore.resolve`; a name that means nothing is left for the call to refuse
 */
export function createInputReader(
  resolve: (name: string) => string | null,
): (context: CallContext, input: unknown) => unknown {
  return ({ caller }, input) => {
    const name = textAt(input, 'system')
    if (caller.kind !== 'owner' || name === null) return input
    return { ...(input as object), system: resolve(name) ?? name }
  }
}
