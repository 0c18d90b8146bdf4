import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Corestore from 'corestore'
import * as fc from 'fast-check'
import Hypercore from 'hypercore'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { until } from '../testing/cloud-nodes.ts'
import { openGuardedEnds, openLinkEnds } from '../testing/link-ends.ts'
import type { LinkEnds } from '../testing/link-ends.ts'
import { faultOf, guardHypercore, HYPERCORE_MESSAGES } from './hypercore-guard.ts'

const LIMITS = { maxBlocks: 100, maxBlockBytes: 1_000 }
/** Far beyond the core, and yet so near that an unguarded machine gets over it: a failure is said, not hung in. */
const HUGE = 2 ** 23
const NOTHING = { id: 1, fork: 0, block: null, hash: null, seek: null, upgrade: null }
const LENGTH = { fork: 0, remoteLength: 0, canUpgrade: true, uploading: true, downloading: true }
const SYNC = { ...LENGTH, length: 0, hasManifest: false, allowPush: false }

let folder: string
const closers: (() => Promise<unknown> | unknown)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-guard-'))
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  await rm(folder, { recursive: true, force: true })
})

async function openCore(blocks: number): Promise<Hypercore> {
  const store = new Corestore(join(folder, `store-${closers.length}`))
  closers.push(() => store.close())
  const core = store.get({ name: 'core' })
  await core.ready()
  for (let block = 0; block < blocks; block++) await core.append(Buffer.from([block]))
  return core
}

/** A machine that serves a core, and the other side's own Hypercore, whose channel sends anything. */
async function openAttack(): Promise<{
  ends: LinkEnds
  core: Hypercore
  send: (kind: (typeof HYPERCORE_MESSAGES)[number], message: object) => void
}> {
  const ends = await openLinkEnds()
  closers.push(() => ends.close())
  const core = await openCore(4)
  ends.guarded.allowCore(core.discoveryKey, LIMITS)
  core.replicate(ends.guarded)
  const theirs = new Hypercore(join(folder, 'theirs'), core.key)
  closers.push(() => theirs.close())
  await theirs.ready()
  theirs.replicate(ends.raw)
  await until(() => core.peers.length === 1)
  const channel = ends.raw.getLastChannel({ protocol: 'hypercore/alpha', id: core.discoveryKey })!
  return {
    ends,
    core,
    send: (kind, message) => {
      channel.messages[HYPERCORE_MESSAGES.indexOf(kind)]!.send(message)
    },
  }
}

describe('a member that sends on Hypercore’s channel', () => {
  it.each([
    ['a range without an end', 'range', { drop: false, start: 1, length: HUGE }],
    ['a range beyond the core', 'range', { drop: false, start: 100, length: 1 }],
    ['a drop without an end', 'range', { drop: true, start: 1, length: HUGE }],
    ['a want beyond all blocks', 'want', { start: HUGE, length: 2_097_152, any: false }],
    ['a want without an end', 'want', { start: 0, length: HUGE, any: true }],
    ['a bitfield far away', 'bitfield', { start: HUGE, bitfield: new Uint32Array(1_024) }],
    ['a bitfield that is crooked', 'bitfield', { start: 5, bitfield: new Uint32Array(1) }],
    ['a length beyond the core', 'sync', { ...SYNC, length: HUGE }],
    ['a fork', 'sync', { ...SYNC, fork: 7 }],
    ['a request for a block far away', 'request', { ...NOTHING, block: { index: HUGE, nodes: 0 } }],
    ['a request for many nodes', 'request', { ...NOTHING, block: { index: 0, nodes: HUGE } }],
    ['a request for a hash far away', 'request', { ...NOTHING, hash: { index: HUGE, nodes: 0 } }],
    ['a seek far away', 'request', { ...NOTHING, seek: { bytes: HUGE, padding: 0 } }],
    ['an upgrade far away', 'request', { ...NOTHING, upgrade: { start: 0, length: HUGE } }],
  ] as const)('%s loses that channel, and no more', async (_, kind, message) => {
    const { ends, core, send } = await openAttack()
    send(kind, message)
    await until(() => core.peers.length === 0)
    expect(ends.faults).toEqual([])
    expect(ends.guarded.stream.destroyed).toBe(false)
  })

  it('odd requests, thousands of them, neither ends nor stalls the machine', async () => {
    const { ends, core, send } = await openAttack()
    send('sync', { ...SYNC, downloading: false, uploading: true, length: 4 })
    for (let id = 1; id < 3_000; id++) {
      const nodes = id % 70
      send('request', { ...NOTHING, id, block: { index: id % 100, nodes } })
      send('request', { ...NOTHING, id, hash: { index: id % 200, nodes } })
      send('request', { ...NOTHING, id, seek: { bytes: id, padding: 0 }, manifest: true })
      send('request', { ...NOTHING, id, upgrade: { start: id % 50, length: id % 50 } })
    }
    await until(() => core.peers.length === 0 || ends.guarded.stream.destroyed)
    // The core is as it was, for others.
    expect(await core.get(3)).toEqual(Buffer.from([3]))
  })

  it('what is wrong eight times loses its link', async () => {
    const { ends, core, send } = await openAttack()
    send('range', { drop: false, start: 1, length: HUGE })
    await until(() => core.peers.length === 0)
    for (let attempt = 1; attempt < 8; attempt++) {
      const again = new Hypercore(join(folder, `again-${attempt}`), core.key)
      await again.ready()
      again.replicate(ends.raw)
      await until(() => core.peers.length === 1)
      const id = core.discoveryKey
      const channel = ends.raw.getLastChannel({ protocol: 'hypercore/alpha', id })
      channel!.messages[8]!.send({ drop: false, start: 1, length: HUGE })
      await until(() => core.peers.length === 0)
      await again.close()
    }
    expect(ends.faults.map(({ reason }) => reason)).toEqual([
      'a range beyond the core on Hypercore’s channel',
    ])
    await until(() => ends.guarded.stream.destroyed)
  })
})

it('a core that is not allowed on a link is not there, and one that is forgotten no longer', async () => {
  const [a, b] = await openGuardedEnds()
  closers.push(() => void a.stream.destroy())
  const core = await openCore(1)
  const secret = await openCore(1)
  for (const mux of [a, b]) mux.allowCore(core.discoveryKey, LIMITS)
  b.allowCore(secret.discoveryKey, LIMITS)
  core.replicate(a)
  secret.replicate(a)
  const copies = [core, secret].map(({ key }, at) => {
    const copy = new Hypercore(join(folder, `copy-${at}`), key)
    closers.push(() => copy.close())
    return copy
  })
  for (const copy of copies) {
    await copy.ready()
    copy.replicate(b)
  }
  expect(await copies[0]!.get(0)).toEqual(Buffer.from([0]))
  expect(secret.peers).toHaveLength(0)
  expect(a.createChannel({ protocol: 'hypercore/alpha', id: secret.discoveryKey })).toBeNull()
  a.forgetCore(core.discoveryKey)
  for (const peer of core.replicator.peers) peer.channel.close()
  await until(() => copies[0]!.peers.length === 0)
})

it.each(['hypercore/alpha', 'hypercore'])(
  'nobody looks in the store for a core that is not allowed (%s)',
  async (protocol) => {
    const { guarded, raw, close } = await openLinkEnds()
    closers.push(close)
    const asked: string[] = []
    for (const name of ['hypercore/alpha', 'hypercore']) {
      guarded.pair({ protocol: name }, (id) => void asked.push(String(id?.[0])))
    }
    guarded.allowCore(Buffer.alloc(32, 2), LIMITS)
    let refused = 0
    for (const number of [1, 2, 3]) {
      const id = Buffer.alloc(32, number)
      raw.createChannel({ protocol, id, onclose: () => refused++ })?.open()
    }
    await until(() => refused === 3)
    expect(asked).toEqual(['2'])
  },
)

it('an honest copy of a core of the greatest size gets through', async () => {
  const [a, b] = await openGuardedEnds()
  closers.push(() => void a.stream.destroy())
  const core = await openCore(0)
  await core.append(Array.from({ length: 100 }, (_, at) => Buffer.alloc(1_000, at)))
  for (const mux of [a, b]) mux.allowCore(core.discoveryKey, LIMITS)
  core.replicate(a)
  const copy = new Hypercore(join(folder, 'copy'), core.key)
  closers.push(() => copy.close())
  await copy.ready()
  copy.replicate(b)
  await copy.update({ wait: true })
  await copy.download({ start: 0, end: 100 }).done()
  expect(copy.contiguousLength).toBe(100)
})

it('this version of Hypercore has the channel that the guard knows', async () => {
  const { core } = await openAttack()
  // The guard reads these of what Hypercore keeps with a channel.
  const [peer] = core.replicator.peers as unknown as {
    channel: { messages: unknown[]; protocol: string; userData: unknown }
    remoteRequests: unknown
    receiverQueue: { length: unknown }
    replicator: { _inflight: { get(id: number): unknown } }
  }[]
  expect(peer?.channel.protocol).toBe('hypercore/alpha')
  expect(peer?.channel.messages).toHaveLength(HYPERCORE_MESSAGES.length)
  expect(peer?.channel.userData).toBe(peer)
  expect(peer?.remoteRequests).toBeInstanceOf(Map)
  expect(peer?.receiverQueue.length).toBe(0)
  expect(peer?.replicator._inflight.get(1)).toBeFalsy()
  for (const [at, kind] of HYPERCORE_MESSAGES.entries()) {
    const stat = `wire${kind[0]!.toUpperCase()}${kind.slice(1)}`
    expect((peer as unknown as Record<string, unknown>)[stat]).toBe(peer?.channel.messages[at])
  }
  expect(() =>
    guardHypercore(
      { protocol: 'hypercore/alpha', messages: [] },
      { limits: LIMITS, onViolation: () => {}, nowMs: () => 0 },
    ),
  ).toThrow(TypeError)
})

test('no message makes the guard throw', () => {
  const number = fc.oneof(fc.nat(200), fc.double(), fc.constant(HUGE), fc.maxSafeInteger())
  const part = fc.option(
    fc.record(
      {
        index: number,
        nodes: fc.oneof(number, fc.array(fc.anything())),
        bytes: number,
        padding: number,
        start: number,
        length: number,
        value: fc.uint8Array(),
        additionalNodes: fc.array(fc.anything()),
      },
      { requiredKeys: [] },
    ),
  )
  const message = fc.record(
    {
      fork: fc.constantFrom(0, 0, 0, 1),
      start: number,
      length: number,
      remoteLength: number,
      bitfield: fc.oneof(fc.uint32Array(), fc.anything()),
      block: part,
      hash: part,
      seek: part,
      upgrade: part,
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.constantFrom(...HYPERCORE_MESSAGES), message, (kind, content) => {
      const fault = faultOf(kind, content, LIMITS)
      if (kind !== 'range' || fault !== null) return
      expect(Number(content.start) + Number(content.length)).toBeLessThanOrEqual(LIMITS.maxBlocks)
    }),
  )
})
