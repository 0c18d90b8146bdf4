// What the commands say to a person, for answers that a machine may give.
import { expect, it } from 'vitest'
import type { ConnectionReport } from '../contract/connection.ts'
import type { ListContent } from '../contract/lists.ts'
import { headlineOf } from './doctor.ts'
import { describeWritten } from './list.ts'

it('who writes to a list is told if it holds all of that already', () => {
  const content: ListContent = {
    url: 'file:///list.git',
    entries: 1,
    newest: null,
    machines: [],
    sequence: 1,
    signer: 'y'.repeat(52),
    backup: null,
    pushed: false,
  }
  expect(describeWritten(content).at(-1)).toBe(
    'The list holds all of that already: there was nothing to write.',
  )
  expect(describeWritten({ ...content, pushed: true }).at(-1)).toBe('It was written.')
})

it('the first line of the doctor says that a machine is turned away, and why', () => {
  const headline = (
    state: ConnectionReport['state'],
    admission: ConnectionReport['admission']['state'],
    hearsay = false,
  ): string =>
    headlineOf({
      state,
      admission: {
        kind: 'release',
        state: admission,
        fault: 'RELEASE_REVOKED',
        hearsay,
        message: 'Why.',
      },
    })
  for (const state of ['looking', 'alone'] as const) {
    expect(headline(state, 'refused')).toBe('The others do not let this machine in. Why.')
    expect(headline(state, 'missing')).toBe('The others do not let this machine in. Why.')
    expect(headline(state, 'in')).not.toContain('Why.')
  }
  // One that may lie is not all the others.
  expect(headline('looking', 'refused', true)).toMatch(/^No other machine is linked yet;.* Why\.$/)
  expect(headline('joined', 'refused')).toBe('This machine is linked with others of its cloud.')
})
