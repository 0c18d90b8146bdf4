import { expect, test } from 'vitest'
import { describeCall, findCall, listCalls } from './call-list.ts'
import { describeShape } from './shape.ts'

test('every call says what it takes and answers, as JSON Schemas and in words', () => {
  for (const call of listCalls()) {
    expect([call.call, call.input.type]).toEqual([call.call, 'object'])
    expect(Object.keys(call.output)).not.toEqual([])
    const words = describeCall(call)
    for (const name of Object.keys(call.input.properties ?? {})) expect(words).toContain(name)
    for (const error of call.errors) expect(words).toContain(error)
  }
})

test('what a call takes can be read at a glance', () => {
  expect(describeShape(findCall('db.query').input)).toBe(
    [
      '{',
      '  system: string',
      '  collection: string',
      '  prefix?: string',
      '  where?: {',
      '    [name]: JSON',
      '  }',
      '  author?: string',
      '  limit?: integer (1…1000)  (100 if absent)',
      '  cursor?: string',
      '  proof?: boolean  (false if absent)',
      '}',
    ].join('\n'),
  )
  expect(describeShape(findCall('systems.install').input)).toContain(
    'grant: ("db" | "sessions" | "identity")[]',
  )
  expect(describeShape(findCall('sessions.act').input)).toContain('action: JSON')
})

test('a stream says what its events are', () => {
  const { stream, output } = findCall('db.watch')
  expect(stream).toBe(true)
  expect(describeShape(output)).toMatch(/^\{\n {2}ready: true\n\} \| \{\n {2}system: string/)
})
