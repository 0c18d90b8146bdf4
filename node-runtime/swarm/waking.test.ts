// What a machine does when its computer has woken.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { TestCloud, until } from '../testing/cloud-nodes.ts'
import type { TestMachine } from '../testing/cloud-nodes.ts'
import { Link } from './link.ts'
import { watchSleep } from './sleep-watch.ts'
import { Ways } from './ways.ts'

vi.mock('./sleep-watch.ts', () => ({ watchSleep: vi.fn(() => stop) }))
const stop = vi.hoisted(() => vi.fn())

let cloud: TestCloud
beforeEach(async () => {
  cloud = await TestCloud.create()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await cloud.close()
})

const isLinked = ({ node }: TestMachine): boolean => node.swarm.linkCount > 0

it('it asks all ways and its links at once, and no more once it is closed', async () => {
  const [first, second] = [await cloud.start(), await cloud.start()]
  await until(() => [first, second].every(isLinked))
  const onWake = vi.mocked(watchSleep).mock.calls[0]?.[0]
  const asked = vi.spyOn(Ways.prototype, 'networkChanged')
  const checked = vi.spyOn(Link.prototype, 'check')
  onWake?.(60_000)
  expect(asked).toHaveBeenCalledOnce()
  expect(checked).toHaveBeenCalledOnce()
  expect(stop).not.toHaveBeenCalled()
  await cloud.stop(first)
  expect(stop).toHaveBeenCalledOnce()
  onWake?.(60_000)
  expect(asked).toHaveBeenCalledOnce()
})
