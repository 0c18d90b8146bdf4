import type { SwarmConnection } from 'hyperswarm'
import Protomux from 'protomux'
import { afterEach, expect, it, vi } from 'vitest'
import { until } from '../testing/cloud-nodes.ts'
import { keyOf, keysOf, signTestEntry } from '../testing/entries.ts'
import { openStreams } from '../testing/link-ends.ts'
import { untouchedBytes } from './codec.ts'
import { Link } from './link.ts'

afterEach(() => {
  vi.useRealTimers()
})

it('asks the other side whether it is there when it is told to, not only each second', async () => {
  const [mine, theirs] = await openStreams()
  const pings: unknown[] = []
  const channel = new Protomux(theirs).createChannel({ protocol: 'dharma/heartbeat/1' })
  channel?.addMessage({
    encoding: untouchedBytes,
    onmessage: (bytes: Uint8Array) => {
      pings.push(JSON.parse(Buffer.from(bytes).toString()))
    },
  })
  channel?.open()
  // Seconds do not pass here.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const link = new Link({
    connection: mine as unknown as SwarmConnection,
    entry: signTestEntry({ keys: keysOf('other'), cloud: keyOf('cloud') }),
    agreement: { version: 2, capabilities: [] },
    pass: null,
    onHeartbeat: () => {},
    onClosed: () => {},
    onFault: () => {},
  })
  try {
    await until(() => pings.length === 1)
    link.check()
    await until(() => pings.length === 2)
    expect(pings).toEqual([
      { kind: 'ping', number: 1 },
      { kind: 'ping', number: 2 },
    ])
  } finally {
    link.close()
    theirs.destroy()
  }
})
