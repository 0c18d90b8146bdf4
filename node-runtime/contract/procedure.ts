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

export interface CallMeta {
  access: Access
  /** What a system must have been granted. The owner needs none. */
  permission?: Permission
}

interface CallDeclaration<I, O> {
  input: I
  output: O
  /** The expected errors, beside the general ones (BAD_INPUT, FORBIDDEN, TIMEOUT, INTERNAL …). */
  errors?: readonly ErrorCode[]
  access?: Access
  permission?: Permission
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
  const { input, output, errors = [], access = 'owner', permission } = declaration
  return base
    .meta(permission === undefined ? { access } : { access, permission })
    .errors(Object.fromEntries(errors.map((code) => [code, {}])) as ErrorMap)
    .input(knownOnly(input))
    .output(output) as unknown as ContractProcedure<I, O, ErrorMap, CallMeta>
}
