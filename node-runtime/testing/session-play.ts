// What persons do at their machines in a session, for tests: sit down, move, watch, and look at the result.
import type {
  ResultValue,
  ResultVerdict,
  SessionDescriptor,
  SessionFrame,
} from '../contract/sessions.ts'
import type { OwnAction } from '../core/sessions/referee-events.ts'
import { SEATS_COLLECTION } from '../core/sessions/seats.ts'
import type { Announcement } from '../core/sessions/seats.ts'
import { readResult } from '../services/sessions/results.ts'
import { until } from './cloud-nodes.ts'
import { gamesManifest } from './session-machines.ts'
import type { game, SessionMachine } from './session-machines.ts'

/** Seat 0 wins with its fourth disc in column 3. */
export const WINNING = [3, 0, 3, 0, 3, 0, 3]

export const SEATS = { system: 'dharma', collection: SEATS_COLLECTION }

/**
 * What a call gives once it can. A machine that is so busy that rules take too long says `UNAVAILABLE`, and
 * to try again.
 */
export async function once<T>(call: () => Promise<T>, ...more: string[]): Promise<T> {
  let given: { value: T } | undefined
  await until(async () => {
    try {
      given = { value: await call() }
      return true
    } catch (error) {
      if (['UNAVAILABLE', ...more].includes((error as { code?: string }).code ?? '')) return false
      throw error
    }
  })
  if (given === undefined) throw new Error('no answer')
  return given.value
}

/** Watches a session until its machine is closed; `last()` is what the page would show now. */
export async function watch(
  machine: SessionMachine,
  session: string,
): Promise<{ last: () => SessionFrame; stop: () => void }> {
  const abort = new AbortController()
  let newest: SessionFrame | undefined
  const signal = AbortSignal.any([abort.signal, machine.closing])
  const frames = await machine.sessions.watch(session, signal)
  void (async () => {
    for await (const frame of frames) newest = frame
  })()
  await until(() => newest !== undefined)
  return {
    last: () => {
      if (newest === undefined) throw new Error('no frame yet')
      return newest
    },
    stop: () => abort.abort(),
  }
}

export async function openBoth(
  descriptor: ReturnType<typeof game>,
  ...machines: SessionMachine[]
): Promise<string> {
  const [first] = machines
  if (first === undefined) throw new Error('nobody plays')
  const session = await once(() => first.sessions.open(descriptor))
  for (const machine of machines) {
    const there = await once(() => machine.sessions.open(descriptor))
    if (there !== session) throw new Error(`the same game is ${session} and ${there}`)
  }
  return session
}

/** Makes a move as soon as it is this machine's turn. */
export function move(machine: SessionMachine, session: string, column: number): Promise<void> {
  return act(machine, session, { type: 'move', body: column })
}

/** Acts as soon as the machine has worked out the position, and may. */
export async function act(
  machine: SessionMachine,
  session: string,
  action: OwnAction,
): Promise<void> {
  await once(() => machine.sessions.act(session, action), 'SESSION_NOT_YOUR_TURN')
}

export async function play(
  players: readonly SessionMachine[],
  session: string,
  columns: readonly number[],
  from = 0,
): Promise<void> {
  for (const [i, column] of columns.entries()) {
    const player = players[(from + i) % players.length]
    if (player !== undefined) await move(player, session, column)
  }
}

/** The result as this machine's person has stored it. */
export function resultOf(
  { identity, cloudRecords }: SessionMachine,
  session: string,
): ResultValue | null {
  const place = { system: gamesManifest.id, collection: 'results', id: session }
  const record = cloudRecords.get({ ...place, author: identity.person })
  return record === null ? null : (readResult(record)?.value ?? null)
}

/** That result, once it is stored. */
export async function storedBy(machine: SessionMachine, session: string): Promise<ResultValue> {
  await until(() => resultOf(machine, session) !== null)
  const result = resultOf(machine, session)
  if (result === null) throw new Error('no result')
  return result
}

/** The frame that has the end. A result can be here before the moves that it is about. */
export async function ended({ last }: { last: () => SessionFrame }): Promise<SessionFrame> {
  await until(() => last().outcome !== null && last().resultId !== null)
  return last()
}

/** Stores what no moves give: that seat 1 has won. @returns the descriptor */
export async function storeWord(by: SessionMachine, session: string): Promise<SessionDescriptor> {
  const [announced] = (await by.records.query({ ...SEATS, prefix: session, limit: 1 })).records
  if (announced === undefined) throw new Error('nobody announced a seat')
  const { descriptor } = announced.value as unknown as Announcement
  const result: ResultValue = {
    session,
    descriptor,
    outcome: { scores: [0, 1], reason: 'so I say' },
    by: 'rules',
    plies: 2,
    endedMs: 1,
    transcript: { core: null, hash: 'a'.repeat(64), length: 1 },
    signatures: [],
    kind: descriptor.kind,
    context: descriptor.context,
  }
  const place = { system: gamesManifest.id, collection: 'results', id: session }
  await by.records.put(place, JSON.parse(JSON.stringify(result)))
  return descriptor
}

/** What a machine finds out about a result, once it has a link to one that has the moves. */
export async function judge(machine: SessionMachine, result: ResultValue): Promise<ResultVerdict> {
  const missing = ['SESSION_TRANSCRIPT_MISSING', 'RULES_MISSING']
  return (await once(() => machine.sessions.judge(result), ...missing)).judged
}
