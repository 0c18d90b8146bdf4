// The calls of the contract, as the command line knows them: derived, never listed by hand.
import { getEventIteratorSchemaDetails, isContractProcedure } from '@orpc/contract'
import { CloudError } from '../contract/errors.ts'
import { contract } from '../contract/index.ts'
import type { CallMeta } from '../contract/procedure.ts'

export interface CallDescription {
  /** As in `db.put`. */
  call: string
  access: CallMeta['access']
  /** Whose things a system reaches by it: see `contract/procedure.ts`. */
  scope?: NonNullable<CallMeta['scope']>
  /** What a system must have been granted. */
  permission?: string
  /** Answers with events until it is interrupted. */
  stream: boolean
  errors: string[]
}

/** Every call, service by service. */
export function listCalls(): CallDescription[] {
  return Object.entries(contract).flatMap(([service, calls]) =>
    Object.entries(calls)
      .filter(([, procedure]) => isContractProcedure(procedure))
      .map(([name, procedure]) => {
        const { meta, outputSchema, errorMap } = procedure['~orpc']
        const { access, scope, permission } = meta
        return {
          call: `${service}.${name}`,
          access,
          ...(scope === undefined ? {} : { scope }),
          ...(permission === undefined ? {} : { permission }),
          stream: getEventIteratorSchemaDetails(outputSchema) !== undefined,
          errors: Object.keys(errorMap),
        }
      }),
  )
}

/** The list for people. */
export function describeCalls(calls: readonly CallDescription[]): string {
  const width = Math.max(...calls.map(({ call }) => call.length))
  return calls
    .map(({ call, access, permission, stream }) => {
      const who = access === 'owner' ? 'owner' : `systems with "${permission ?? 'nothing'}"`
      return `${call.padEnd(width)}  ${stream ? 'stream' : 'answer'}  ${who}`
    })
    .join('\n')
}

/** `db.put` as a path of the contract. @throws CloudError UNKNOWN_CALL */
export function parseCall(text: string): [service: string, name: string] {
  if (!listCalls().some(({ call }) => call === text)) {
    throw new CloudError('UNKNOWN_CALL', `There is no call "${text}". See: dharma calls`, {
      call: text,
    })
  }
  const [service = '', name = ''] = text.split('.')
  return [service, name]
}
