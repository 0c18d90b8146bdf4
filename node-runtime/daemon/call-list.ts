// The calls of the contract, as the command line knows them: derived, never listed by hand.
import { getEventIteratorSchemaDetails, isContractProcedure } from '@orpc/contract'
import * as z from 'zod'
import { CloudError } from '../contract/errors.ts'
import { contract } from '../contract/index.ts'
import type { CallMeta } from '../contract/procedure.ts'
import { COMMAND } from '../host/command-name.ts'
import { describeShape } from './shape.ts'
import type { JsonSchema } from './shape.ts'

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
  /** JSON Schemas of what it takes, and of its answer or of each event. */
  input: JsonSchema
  output: JsonSchema
}

function jsonSchemaOf(schema: unknown, io: 'input' | 'output'): JsonSchema {
  return z.toJSONSchema(schema as z.ZodType, { io }) as JsonSchema
}

/** Every call, service by service. */
export function listCalls(): CallDescription[] {
  return Object.entries(contract).flatMap(([service, calls]) =>
    Object.entries(calls)
      .filter(([, procedure]) => isContractProcedure(procedure))
      .map(([name, procedure]) => {
        const { meta, inputSchema, outputSchema, errorMap } = procedure['~orpc']
        const { access, scope, permission } = meta
        const events = getEventIteratorSchemaDetails(outputSchema)
        return {
          call: `${service}.${name}`,
          access,
          ...(scope === undefined ? {} : { scope }),
          ...(permission === undefined ? {} : { permission }),
          stream: events !== undefined,
          errors: Object.keys(errorMap),
          input: jsonSchemaOf(inputSchema, 'input'),
          output: jsonSchemaOf(events === undefined ? outputSchema : events.yields, 'output'),
        }
      }),
  )
}

function describeAccess({ access, permission }: CallDescription): string {
  return access === 'owner' ? 'owner' : `systems with "${permission ?? 'nothing'}"`
}

/** The list for people. */
export function describeCalls(calls: readonly CallDescription[]): string {
  const width = Math.max(...calls.map(({ call }) => call.length))
  const lines = calls.map(
    (each) =>
      `${each.call.padEnd(width)}  ${each.stream ? 'stream' : 'answer'}  ${describeAccess(each)}`,
  )
  return [...lines, '', `What a call takes and answers: ${COMMAND} calls CALL`].join('\n')
}

/** One call for people: what it takes, what it answers, how it can fail. */
export function describeCall(call: CallDescription): string {
  const sections = [
    `${call.call}  ${describeAccess(call)}`,
    `Takes ${describeShape(call.input)}`,
    `${call.stream ? 'Answers, again and again,' : 'Answers'} ${describeShape(call.output)}`,
  ]
  if (call.errors.length > 0) sections.push(`Can fail with ${call.errors.join(', ')}`)
  sections.push(`As JSON Schemas: ${COMMAND} calls ${call.call} --json`)
  return sections.join('\n\n')
}

/** @throws CloudError UNKNOWN_CALL */
export function findCall(name: string): CallDescription {
  const found = listCalls().find(({ call }) => call === name)
  if (found !== undefined) return found
  throw new CloudError('UNKNOWN_CALL', `There is no call "${name}". See: ${COMMAND} calls`, {
    call: name,
  })
}

/** `db.put` as a path of the contract. @throws CloudError UNKNOWN_CALL */
export function parseCall(text: string): [service: string, name: string] {
  const [service = '', name = ''] = findCall(text).call.split('.')
  return [service, name]
}
