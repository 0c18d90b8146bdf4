import type { SwarmConnection } from 'hyperswarm'
import Protomux from 'protomux'
import { expect, it } from 'vitest'
import { until } from '../testing/cloud-nodes.ts'
import { keyOf, keysOf, signTestEntry } from '../testing/entries.ts'
import { openStreams } from '../testing/link-ends.ts'
import { untouchedBytes } from './codec.ts'
import { Link } from './link.ts'

it('asks the other side whether it is there when it is told to, whatever it has heard', async () => {
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
  const link = new Link({
    connection: mine as unknown as SwarmConnection,
    entry: signTestEntry({ keys: keysOf('other'), cloud: keyOf('cloud') }),
    agreement: { version: 2, capabilities: [] },
    pass: null,
    obliges: () => true,
    addressOf: () => null,
    onHeartbeat: () => {},
    onDoubted: () => {},
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
