// @vitest-environment jsdom
import { expect, test, vi } from 'vitest'
import { createConnection } from '../client/connection.ts'
import { createFakeRuntime } from '../test/fake-runtime.ts'
import { OTHER_KEY, SELF_KEY, machine, status } from '../test/samples.ts'
import { openTestPort } from '../test/window.tsx'
import { addLatencies, createCloudStore } from './cloud.ts'

test('the store follows the runtime, also over a lost connection', async () => {
  const fake = createFakeRuntime()
  let opened: ReturnType<typeof openTestPort> | null = null
  const connection = createConnection(async () => (opened = openTestPort(fake)))
  const { store, stop } = createCloudStore(connection)
  await vi.waitFor(() => expect(store.getState().status?.state).toBe('alone'))
  ;(opened as ReturnType<typeof openTestPort> | null)?.far.close()
  await vi.waitFor(() => expect(connection.state.getState().phase).toBe('lost'))
  fake.cloud.set({
    status: status({ state: 'joined', machinesKnown: 2, machinesOnline: 2 }),
    machines: [machine({ self: true }), machine({ machine: OTHER_KEY, latencyMs: 3 })],
  })
  await vi.waitFor(() => expect(store.getState().status?.state).toBe('joined'))
  expect(store.getState().latencies).toEqual({ [OTHER_KEY]: [3] })
  stop()
  connection.close()
})

test('lines of latency keep the last forty, skip silence and forget machines that have gone', () => {
  let lines: Record<string, number[]> = { gone: [1] }
  for (let ms = 1; ms <= 50; ms += 1) {
    lines = addLatencies(lines, [
      machine({ machine: SELF_KEY, self: true }),
      machine({ machine: OTHER_KEY, latencyMs: ms }),
    ])
  }
  lines = addLatencies(lines, [machine({ machine: OTHER_KEY, latencyMs: null })])
  expect(Object.keys(lines)).toEqual([OTHER_KEY])
  expect(lines[OTHER_KEY]).toHaveLength(40)
  expect(lines[OTHER_KEY]?.at(-1)).toBe(50)
})
