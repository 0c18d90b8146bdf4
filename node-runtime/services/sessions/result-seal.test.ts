import { expect, test } from 'vitest'
import { resultValueSchema } from '../../contract/sessions.ts'
import { canonicalJson } from '../../core/canonical.ts'
import { transcriptHash } from '../../core/sessions/transcript.ts'
import { descriptorOf, exchange, holder, race, Table } from '../../testing/session-tables.ts'
import { forgedLog } from '../../testing/signed-actions.ts'
import { sealResult } from './result-seal.ts'

const ANN = holder('ann')

test('a result names its transcript, and has the agreements of all seats', () => {
  const others = Array.from({ length: 15 }, (_, number) => holder(`other ${number}`))
  const of = descriptorOf([ANN, ...others])
  const tables = [ANN, ...others].map((by) => new Table(of, race, by))
  expect(tables[0]?.act({ type: 'resign' })).toBe(0)
  exchange(...tables)
  for (const { referee } of tables) {
    const { value, transcript } = sealResult(referee)
    expect(resultValueSchema.parse(value)).toEqual(value)
    expect(value.transcript).toEqual({
      core: null,
      hash: transcriptHash(transcript),
      length: transcript.length,
    })
    expect(value.signatures).toHaveLength(16)
  }
})

test.each([
  ['statement', { more: 'x'.repeat(10_000) }, {}],
  ['attestation', {}, { more: 'x'.repeat(10_000) }],
])('an agreement whose %s is fat keeps nobody’s result from being stored', (_what, said, held) => {
  const eve = holder('eve', 'her machine', held)
  const of = descriptorOf([ANN, eve])
  const ann = new Table(of, race, ANN)
  expect(ann.act(3)).toBe(0)
  const moved = ann.referee.transcript.actions[0]?.hash ?? ''
  const resigning = forgedLog(of, eve, [{ heads: [moved, null], type: 'resign' }])
  ann.read(resigning)
  const body = ann.referee.ending?.outcome ?? null
  const heads = [moved, resigning.actions[0]?.hash ?? '']
  const agreeing = forgedLog(of, eve, [{ heads, type: 'agree', seq: 1, body, ...said }])
  ann.read({ ...agreeing, name: 'the rest' })
  expect(ann.referee.agreements.map((one) => one !== null)).toEqual([true, true])
  const { value } = sealResult(ann.referee)
  expect(value.signatures).toHaveLength(1)
  expect(canonicalJson(value).length).toBeLessThan(8_192)
})
