import { expect, test, vi } from 'vitest'
import { CloudError } from '/.dharma/sdk.js'
import type { Calls } from '/.dharma/sdk.js'
import type { ResultRecord } from './records.ts'
import { createVerifier } from './verifier.ts'

const ANN = 'a'.repeat(52)
const BOB = 'b'.repeat(52)
const outcome = { scores: [1, 0], reason: '' }
const record = {
  signature: '1',
  value: { descriptor: { seats: [ANN, BOB] } },
} as unknown as ResultRecord

function cloudThat(replay: () => Promise<unknown>, verify = async (): Promise<unknown> => ({})) {
  const spy = vi.fn(replay)
  const cloud = { db: { verify }, sessions: { replay: spy } } as unknown as Calls
  return { cloud, spy }
}

async function verdictOf(cloud: Calls) {
  const changed = vi.fn()
  const verifier = createVerifier(cloud, changed)
  expect(verifier.peek(record)).toBeNull()
  expect(verifier.check(record)).toEqual({ state: 'checking' })
  await vi.waitFor(() => expect(changed).toHaveBeenCalled())
  return verifier.check(record)
}

test('a result that replays, signed by every seat, is verified, and checked only once', async () => {
  const { cloud, spy } = cloudThat(async () => ({ frames: [], outcome, signers: [BOB, ANN] }))
  expect(await verdictOf(cloud)).toMatchObject({ state: 'verified' })
  expect(spy).toHaveBeenCalledTimes(1)
})

test('a result that a seat has not signed is refused', async () => {
  const { cloud } = cloudThat(async () => ({ frames: [], outcome, signers: [ANN] }))
  expect(await verdictOf(cloud)).toMatchObject({
    state: 'refused',
    error: { code: 'SESSION_TRANSCRIPT_FORGED' },
  })
})

test('a forged record is refused before it is replayed', async () => {
  const { cloud, spy } = cloudThat(
    async () => ({ frames: [], outcome, signers: [ANN, BOB] }),
    () => Promise.reject(new CloudError('DB_RECORD_FORGED', 'Forged.')),
  )
  expect(await verdictOf(cloud)).toMatchObject({
    state: 'refused',
    error: { code: 'DB_RECORD_FORGED' },
  })
  expect(spy).not.toHaveBeenCalled()
})
