import { describe, expect, it } from 'vitest'
import type { ResultValue, SessionDescriptor, SignedAction } from '../../contract/sessions.ts'
import type { Json } from '../../contract/values.ts'
import { encodeKey, keyPair, sign, toHex } from '../keys.ts'
import {
  actionBytes,
  actionHash,
  beginChain,
  extendChain,
  nextAction,
  replay,
  resultValue,
  seatToAct,
  sessionId,
} from './session-chain.ts'
import type { ChainHead, Position, RulesRunner, UnsignedAction } from './session-chain.ts'

const persons = [keyPair(), keyPair()] as const
const stranger = keyPair()

const descriptor: SessionDescriptor = {
  system: 'org.example.games',
  kind: 'nim',
  seats: persons.map(({ publicKey }) => encodeKey(publicKey)),
  seed: 'seed',
  options: {},
  context: { event: 'spring', round: 1 },
}

/** Nim with five matches: take one or two; who takes the last wins. The state is [left, to move]. */
function nimPosition(left: number, seat: number): Position {
  const takes = [1, 2].filter((count) => count <= left)
  return {
    state: [left, seat],
    outcome: left > 0 ? null : { scores: seat === 1 ? [1, 0] : [0, 1], reason: 'took the last' },
    legal: [seat === 0 ? takes : [], seat === 1 ? takes : []],
  }
}

const nim: RulesRunner = {
  start: () => Promise.resolve(nimPosition(5, 0)),
  advance: (_descriptor, state, seat, action) => {
    const [left] = state as [number, number]
    return Promise.resolve(nimPosition(left - (action as number), 1 - seat))
  },
  view: (state) => Promise.resolve(state),
}

function signed(action: UnsignedAction, secretKey: Uint8Array): SignedAction {
  return { ...action, signature: toHex(sign(actionBytes(action), secretKey)) }
}

function honest(head: ChainHead, action: Json): SignedAction {
  const seat = seatToAct(head) ?? 0
  const secretKey = persons[seat === 0 ? 0 : 1].secretKey
  return signed(nextAction(head, { seat, action, atMs: 1_000 }), secretKey)
}

async function played(actions: readonly number[]): Promise<ChainHead> {
  let head = await beginChain(descriptor, nim)
  for (const action of actions) head = await extendChain(head, honest(head, action), nim)
  return head
}

async function result(): Promise<ResultValue> {
  const head = await played([2, 2, 1])
  if (head.position.outcome === null) throw new Error('not over')
  return resultValue(head, head.position.outcome)
}

describe('the chain of a session', () => {
  it('has an id that any change of the descriptor changes, and the order of its keys does not', () => {
    const { seed, ...rest } = descriptor
    expect(sessionId({ seed, ...rest })).toBe(sessionId(descriptor))
    expect(sessionId({ ...descriptor, seed: 'other' })).not.toBe(sessionId(descriptor))
    expect(sessionId({ ...descriptor, context: null })).not.toBe(sessionId(descriptor))
  })

  it('links every action to the one before', async () => {
    const { actions, session } = await played([2, 2, 1])
    expect(actions.map(({ ply, seat }) => [ply, seat])).toEqual([
      [0, 0],
      [1, 1],
      [2, 0],
    ])
    expect(actions[0]?.previous).toBe(session)
    expect(actions[2]?.previous).toBe(actions[1] && actionHash(actions[1]))
  })

  const forgeries: [string, (head: ChainHead) => SignedAction][] = [
    ['an action that the rules forbid', (head) => honest(head, 3)],
    [
      'an action of the other seat',
      (head) => {
        const action = nextAction(head, { seat: 0, action: 1, atMs: 0 })
        return signed(action, persons[0].secretKey)
      },
    ],
    [
      'a seat that does not exist',
      (head) => {
        const action = nextAction(head, { seat: 7, action: 1, atMs: 0 })
        return signed(action, stranger.secretKey)
      },
    ],
    [
      'a signature of somebody else',
      (head) => {
        const action = nextAction(head, { seat: 1, action: 1, atMs: 0 })
        return signed(action, stranger.secretKey)
      },
    ],
    ['a change after signing', (head) => ({ ...honest(head, 1), action: 2 })],
    ['a changed time', (head) => ({ ...honest(head, 1), atMs: 2_000 })],
    [
      'a wrong ply',
      (head) => {
        const { signature: _, ...action } = honest(head, 1)
        return signed({ ...action, ply: 5 }, persons[1].secretKey)
      },
    ],
    [
      'a wrong link',
      (head) => {
        const { signature: _, ...action } = honest(head, 1)
        return signed({ ...action, previous: head.session }, persons[1].secretKey)
      },
    ],
    [
      'another session',
      (head) => {
        const { signature: _, ...action } = honest(head, 1)
        return signed({ ...action, session: '0'.repeat(64) }, persons[1].secretKey)
      },
    ],
  ]

  it.each(forgeries)('refuses %s', async (_what, forge) => {
    const head = await played([2])
    const { seat, ...rest } = forge(head)
    await expect(extendChain(head, { seat, ...rest }, nim)).rejects.toMatchObject({
      code: 'SESSION_TRANSCRIPT_FORGED',
      details: { ply: 1, seat },
    })
    expect((await extendChain(head, honest(head, 1), nim)).actions).toHaveLength(2)
  })

  it('refuses anything after the end', async () => {
    const head = await played([2, 2, 1])
    await expect(extendChain(head, honest(head, 1), nim)).rejects.toMatchObject({
      code: 'SESSION_TRANSCRIPT_FORGED',
    })
  })
})

describe('the replay of a result', () => {
  it('gives every position from the first to the last', async () => {
    const states: Json[] = []
    const head = await replay(await result(), nim, ({ position }) => {
      states.push(position.state)
      return Promise.resolve()
    })
    expect(states).toEqual([
      [5, 0],
      [3, 1],
      [1, 0],
      [0, 1],
    ])
    expect(head.position.outcome).toEqual({ scores: [1, 0], reason: 'took the last' })
  })

  const changes: [string, (value: ResultValue) => ResultValue][] = [
    ['another outcome', (v) => ({ ...v, outcome: { ...v.outcome, scores: [0, 1] } })],
    ['another reason', (v) => ({ ...v, outcome: { ...v.outcome, reason: 'luck' } })],
    ['another session id', (v) => ({ ...v, session: '0'.repeat(64) })],
    [
      'other seats',
      (v) => ({
        ...v,
        descriptor: { ...v.descriptor, seats: [...v.descriptor.seats].reverse() },
      }),
    ],
    ['another kind in the copy', (v) => ({ ...v, kind: 'chess' })],
    ['another context in the copy', (v) => ({ ...v, context: null })],
    ['an action less', (v) => ({ ...v, actions: v.actions.slice(0, -1) })],
    ['an action left out', (v) => ({ ...v, actions: v.actions.filter(({ ply }) => ply !== 1) })],
    ['no actions', (v) => ({ ...v, actions: [] })],
  ]

  it.each(changes)('refuses %s', async (_what, change) => {
    await expect(replay(change(await result()), nim)).rejects.toMatchObject({
      code: 'SESSION_TRANSCRIPT_FORGED',
    })
  })
})
