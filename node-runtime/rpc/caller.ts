// Who is at the other end of a port of the runtime, and what it may call.
import { implement } from '@orpc/server'
import { CloudError } from '../contract/errors.ts'
import { contract } from '../contract/index.ts'
import type { Permission } from '../contract/permissions.ts'
import type { CallMeta } from '../contract/procedure.ts'

/** Fixed when the port is opened, by us, never by the caller. */
export type Caller =
  | { kind: 'owner' }
  | {
      kind: 'system'
      system: string
      /** Asked at every call, so that taking a permission back works at once. */
      hasPermission: (permission: Permission) => boolean
    }

export interface CallContext {
  caller: Caller
}

/** Where a service begins: `os.db.put.handler(({ input, context }) => …)`. */
export const os = implement(contract).$context<CallContext>()

/** Default deny: the owner may all, a system what the contract opens to it and the person granted. */
export function checkCaller({ caller }: CallContext, meta: CallMeta, input: unknown): void {
  if (caller.kind === 'owner') return
  if (meta.access !== 'system') {
    throw new CloudError('FORBIDDEN', 'Only the person at this machine may do this.')
  }
  if (meta.permission !== undefined && !caller.hasPermission(meta.permission)) {
    throw new CloudError(
      'FORBIDDEN',
      `"${caller.system}" has no permission "${meta.permission}". It can be given on the Systems page.`,
      { permission: meta.permission },
    )
  }
  const named =
    typeof input === 'object' && input !== null && 'system' in input ? input.system : caller.system
  if (named !== caller.system) {
    throw new CloudError('FORBIDDEN', 'A system can reach only what is its own.', { system: named })
  }
}
