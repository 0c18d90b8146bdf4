// How one call of the contract is declared. Client types, validation on both ends, access checks and
// `dharma call` all derive from this one declaration.
import { oc } from '@orpc/contract'
import type { ContractProcedure, ErrorMap, Schema } from '@orpc/contract'
import * as z from 'zod'
import type { ErrorCode } from './errors.ts'
import type { Permission } from './permissions.ts'

/**
 * Who may make a call: `owner` is the person at this machine (the shell, the command line);
 * `system` is also a system's page, which is potentially hostile, within what the person granted.
 */
export type Access = 'owner' | 'system'

/**
 * Whose data a call of a system touches, and where its input says so. `own-system`: the system in
 * `input.system`. `own-session`: the system of the session in `input.session`. `own-result`: the
 * system in the descriptor of `input.result`. In each of these it must be the caller itself. `none`
 * is for calls that touch nobody's data.
 */
export type Scope = 'own-system' | 'own-session' | 'own-result' | 'none'

export interface CallMeta {
  access: Access
  /** Of every call with access `system`, and of no other. */
  scope?: Scope
  /** What a system must have been granted. The owner needs none. */
  permission?: Permission
}

/** Who may make a call. One that is open to systems must say whose data it touches. */
type Reach =
  | { access?: 'owner'; scope?: never; permission?: never }
  | { access: 'system'; scope: Scope; permission?: Permission }

type CallDeclaration<I, O> = Reach & {
  input: I
  output: O
  /** The expected errors, beside the general ones (BAD_INPUT, FORBIDDEN, TOO_BUSY, INTERNAL …). */
  errors?: readonly ErrorCode[]
}

const base = oc.$meta<CallMeta>({ access: 'owner' })

/** A misspelt argument is said to be one, instead of being passed over. */
function knownOnly<I>(input: I): I {
  return input instanceof z.ZodObject ? (input.strict() as I) : input
}

/** Declares one call: its input, output, errors and who may make it. */
export function call<I extends Schema<unknown, unknown>, O extends Schema<unknown, unknown>>(
  declaration: CallDeclaration<I, O>,
): ContractProcedure<I, O, ErrorMap, CallMeta> {
  const { input, output, errors = [], access = 'owner', scope, permission } = declaration
  return base
    .meta({
      access,
      ...(scope === undefined ? {} : { scope }),
      ...(permission === undefined ? {} : { permission }),
    })
    .errors(Object.fromEntries(errors.map((code) => [code, {}])) as ErrorMap)
    .input(knownOnly(input))
    .output(output) as unknown as ContractProcedure<I, O, ErrorMap, CallMeta>
}
