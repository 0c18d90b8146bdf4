// @vitest-environment jsdom
import { afterEach, expect, test, vi } from 'vitest'
import { CloudError } from '../../node-runtime/contract/errors.ts'
import { createFakeRuntime } from '../test/fake-runtime.ts'
import { openTestPort } from '../test/window.tsx'
import { createConnection } from './connection.ts'
import type { Connection } from './connection.ts'

let connection: Connection | null = null
afterEach(() => {
  connection?.close()
  vi.useRealTimers()
})

test('a connection that is lost is opened again, and its calls work again', async () => {
  const fake = createFakeRuntime()
  const opened: ReturnType<typeof openTestPort>[] = []
  connection = createConnection(async () => {
    const port = openTestPort(fake)
    opened.push(port)
    return port
  })
  const { state } = connection
  await vi.waitFor(() => expect(state.getState().phase).toBe('connected'))
  await expect(state.getState().client.cloud.status({})).resolves.toMatchObject({ state: 'alone' })

  opened[0]?.far.close()
  await vi.waitFor(() => expect(state.getState().phase).toBe('lost'))
  await expect(state.getState().client.cloud.status({})).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  })

  await vi.waitFor(() => expect(state.getState().phase).toBe('connected'))
  expect(opened).toHaveLength(2)
  await expect(state.getState().client.cloud.status({})).resolves.toMatchObject({ state: 'alone' })
})

test('why a try failed is kept, and "try now" does not wait', async () => {
  const fake = createFakeRuntime()
  let tries = 0
  connection = createConnection(async () => {
    tries += 1
    if (tries < 3) throw new CloudError('TIMEOUT', 'It takes long.')
    return openTestPort(fake)
  })
  const { state } = connection
  await vi.waitFor(() => expect(state.getState().failure?.code).toBe('TIMEOUT'))
  expect(state.getState().phase).toBe('lost')
  expect(state.getState().retryAtMs).toBeGreaterThan(Date.now() - 1000)

  connection.retry()
  await vi.waitFor(() => expect(tries).toBe(2))
  await vi.waitFor(() => expect(state.getState().retryAtMs).not.toBeNull())
  connection.retry()
  await vi.waitFor(() => expect(state.getState().phase).toBe('connected'))
  expect(state.getState().failure).toBeNull()
})

test('who is refused is not tried again: a machine that was started again knows no old key', async () => {
  vi.useFakeTimers()
  let tries = 0
  connection = createConnection(async () => {
    tries += 1
    throw new CloudError('UNAUTHENTICATED', 'The key is old.')
  })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(tries).toBe(1)
  const { phase, failure, retryAtMs } = connection.state.getState()
  expect([phase, failure?.code, retryAtMs]).toEqual(['lost', 'UNAUTHENTICATED', null])
})
