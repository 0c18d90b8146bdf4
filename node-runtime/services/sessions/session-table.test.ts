import { expect, test, vi } from 'vitest'
import { CloudError } from '../../contract/errors.ts'
import { MAX_LOG_BLOCKS, writeBlock } from '../../core/sessions/block.ts'
import { Referee } from '../../core/sessions/referee.ts'
import { CLOUD, descriptorOf, holder } from '../../testing/session-tables.ts'
import type { SeatLog } from '../../store/session-logs.ts'
import { silentLog } from '../../testing/silent-log.ts'
import { SessionTable } from './session-table.ts'

/** On a machine that has other things to do. */
const PATIENCE = { timeout: 20_000 }
const [ANN, BOB] = [holder('ann'), holder('bob')]

function logOf(read: SeatLog['read']): SeatLog {
  const log: Partial<SeatLog> = {
    key: 'a log',
    isOver: false,
    read,
    close: () => Promise.resolve(),
  }
  return log as SeatLog
}

/** A table whose rules never answer, what its log was warned of, and how many blocks its referee saw. */
function tableOf() {
  const descriptor = descriptorOf([ANN, BOB])
  const referee = new Referee({ descriptor, cloud: CLOUD, viewer: 'spectator', own: null })
  const warn = vi.fn()
  const never = (): Promise<never> => new Promise(() => {})
  const table = new SessionTable({
    referee,
    rules: { hash: descriptor.rules, start: never, play: never, view: never, replay: never },
    nowMs: () => 0,
    wallMs: () => 0,
    log: { ...silentLog, warn },
  })
  const step = vi.spyOn(referee, 'step')
  const blocks = (): number => step.mock.calls.filter(([{ type }]) => type === 'block').length
  return { table, warn, blocks }
}

test('a transcript is read no further than its first block that is none, and that is said once', async () => {
  const { table, warn, blocks } = tableOf()
  const lines = Array.from({ length: 1_000 }, () => 'x')
  await table.feed('a transcript', lines)
  expect(blocks()).toBe(1)
  expect(warn).toHaveBeenCalledTimes(1)
  await table.feed('a transcript', lines)
  expect(blocks()).toBe(1)
  await table.feed('another', lines)
  expect(warn).toHaveBeenCalledTimes(2)
})

test('a long transcript leaves others their turn', async () => {
  const { table, blocks } = tableOf()
  const line = writeBlock({ type: 'attestation', form: ANN.attestation.form })
  const seen: number[] = []
  const look = (): void => {
    seen.push(blocks())
    if (blocks() < 1_000) setImmediate(look)
  }
  setImmediate(look)
  await table.feed(
    'a transcript',
    Array.from({ length: 1_000 }, () => line),
  )
  expect(blocks()).toBe(1_000)
  expect(seen.length).toBeGreaterThan(10)
})

test('a log that the disk does not give is read on once it does, and that was said', async () => {
  const { table, warn, blocks } = tableOf()
  const line = writeBlock({ type: 'attestation', form: ANN.attestation.form })
  const full = new CloudError('DISK_FULL', 'The disk is full.')
  const read = vi.fn((index: number) =>
    index === 2 ? new Promise<string>(() => {}) : Promise.resolve(line),
  )
  read.mockRejectedValueOnce(full).mockResolvedValueOnce(line).mockRejectedValueOnce(full)
  table.follow(logOf(read))
  await vi.waitFor(() => expect(read).toHaveBeenLastCalledWith(2), PATIENCE)
  expect(blocks()).toBe(2)
  expect(warn.mock.calls).toMatchObject([
    ['a log could not be read', { block: 0, error: full }],
    ['a log could not be read', { block: 1, error: full }],
  ])
})

test.each(['the log', 'the table'])('%s that is over is not read on', async (what) => {
  const { table, warn } = tableOf()
  const log = logOf(vi.fn(() => Promise.reject(new Error('closed'))))
  table.follow(log)
  await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(1), PATIENCE)
  if (what === 'the log') Object.assign(log, { isOver: true })
  else await table.close()
  await vi.waitFor(() => expect(log.read).toHaveBeenCalledTimes(2), PATIENCE)
  await new Promise((resolve) => setImmediate(resolve))
  expect(warn).toHaveBeenCalledTimes(1)
})

test('a log is read no further than it may be long, whatever is written into it', async () => {
  const { table, blocks } = tableOf()
  const text = writeBlock({ type: 'attestation', form: ANN.attestation.form })
  const read: number[] = []
  const log = logOf((index) => {
    read.push(index)
    return Promise.resolve(text)
  })
  table.follow(log)
  await vi.waitFor(() => expect(blocks()).toBeGreaterThanOrEqual(MAX_LOG_BLOCKS), PATIENCE)
  await table.close()
  expect([blocks(), read.length, read.at(-1)]).toEqual([65_536, 65_536, 65_535])
})

test('an action that waits for what goes before it is rejected when the table is closed', async () => {
  const { table } = tableOf()
  expect(table.referee.isSettled).toBe(false)
  const acting = table.act({ type: 'move', body: null })
  await table.close()
  await expect(acting).rejects.toMatchObject({ code: 'CANCELLED' })
  await expect(table.act({ type: 'move', body: null })).rejects.toMatchObject({ code: 'CANCELLED' })
})

test('a transcript is read no further once the table is closed', async () => {
  const { table, blocks } = tableOf()
  const line = writeBlock({ type: 'attestation', form: ANN.attestation.form })
  const feeding = table.feed(
    'a transcript',
    Array.from({ length: 1_000 }, () => line),
  )
  await table.close()
  await feeding
  expect(blocks()).toBeLessThan(100)
})
