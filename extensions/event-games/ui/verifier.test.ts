import { expect, test, vi } from 'vitest'
import { CloudError } from '/.dharma/sdk.js'
import type { Calls } from '/.dharma/sdk.js'
import type { ResultRecord } from './records.ts'
import { createVerifier } from './verifier.ts'

const outcome = { scores: [1, 0], reason: '' }
const record = { id: '1', author: 'a', version: '1', value: {} } as unknown as ResultRecord

function cloudThat(verify: () => Promise<unknown>) {
  const spy = vi.fn(verify)
  return { cloud: { sessions: { verify: spy } } as unknown as Calls, spy }
}

async function verdictOf(cloud: Calls) {
  const changed = vi.fn()
  const verifier = createVerifier(cloud, changed)
  expect(verifier.peek(record)).toBeNull()
  expect(verifier.check(record)).toEqual({ state: 'checking' })
  await vi.waitFor(() => expect(changed).toHaveBeenCalled())
  return verifier.check(record)
}

test('a result whose moves give it is verified, whoever signed, and checked only once', async () => {
  const { cloud, spy } = cloudThat(async () => ({ outcome, agreed: [] }))
  expect(await verdictOf(cloud)).toMatchObject({ state: 'verified', found: { outcome } })
  expect(spy).toHaveBeenCalledTimes(1)
})

test('a result whose moves do not give it is refused', async () => {
  const { cloud } = cloudThat(async () => {
    throw new CloudError('SESSION_TRANSCRIPT_FORGED', 'It does not hold.')
  })
  expect(await verdictOf(cloud)).toMatchObject({
    state: 'refused',
    error: { code: 'SESSION_TRANSCRIPT_FORGED' },
  })
})

test.each(['SESSION_TRANSCRIPT_MISSING', 'RULES_MISSING'] as const)(
  '%s says nothing about a result',
  async (code) => {
    const { cloud } = cloudThat(async () => {
      throw new CloudError(code, 'Not in reach.')
    })
    expect(await verdictOf(cloud)).toMatchObject({ state: 'missing' })
  },
)
