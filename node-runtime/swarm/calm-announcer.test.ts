import { EventEmitter } from 'node:events'
import type { DhtServer } from 'hyperdht'
import { expect, it, vi } from 'vitest'
import { keyPair } from '../core/keys.ts'
import { ASK_NODES_MS, calmAnnouncer } from './calm-announcer.ts'
import { HintedDht } from './hinted-dht.ts'
import { startTestnet } from './testnet.ts'

function server() {
  const said: string[] = []
  const announcer = {
    refresh: () => void said.push('refresh'),
    _sleeper: {
      pause: async (ms: number) => void said.push(`pause ${ms}`),
      resume: () => void said.push('resume'),
    },
  }
  const listening = Object.assign(new EventEmitter(), {
    listen: async () => {},
    close: async () => {},
    _announcer: announcer,
  })
  return { listening: listening as DhtServer, announcer, said }
}

it('nodes are asked every ten seconds, and this machine is announced anew every five minutes', async () => {
  const { listening, announcer, said } = server()
  calmAnnouncer(listening)
  for (let asked = 0; asked < 30; asked++) await announcer._sleeper.pause(3_000)
  expect(said.filter((what) => what === `pause ${ASK_NODES_MS}`)).toHaveLength(30)
  expect(said.slice(-2)).toEqual(['refresh', 'pause 10000'])
  expect(said.filter((what) => what === 'refresh')).toHaveLength(1)
  expect(said).not.toContain('resume')
})

it('another network is not waited for', () => {
  const { listening, announcer, said } = server()
  calmAnnouncer(listening)
  announcer.refresh()
  expect(said).toEqual(['refresh', 'resume'])
})

it('the stack has what this takes hold of', async () => {
  const testnet = await startTestnet()
  const dht = new HintedDht(
    { bootstrap: [...testnet.bootstrap], host: '127.0.0.1' },
    {
      through: () => null,
      hasFresh: () => false,
      addressOf: () => null,
      isKnown: () => false,
      isMember: () => false,
      served: () => {},
      failed: () => {},
      dialAgain: () => {},
    },
  )
  try {
    const listening = dht.createServer({}, () => {})
    await listening.listen(keyPair(new Uint8Array(32).fill(7)))
    const announcer = listening._announcer!
    const { pause } = announcer._sleeper
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const asked = new Promise<number[]>((resolve) => {
      announcer._sleeper.pause = (ms) => {
        timers.mockClear()
        const paused = pause(ms)
        resolve(timers.mock.calls.map(([, afterMs]) => afterMs ?? 0))
        return paused
      }
    })
    // The pause that is under way ends at once, and another one begins after the nodes were asked.
    announcer.refresh()
    expect(await asked).toEqual([ASK_NODES_MS])
  } finally {
    vi.restoreAllMocks()
    await dht.destroy()
    await testnet.close()
  }
})
