import { describe, expect, it, vi } from 'vitest'
import { encodeKey, hash } from '../keys.ts'
import { drawSample, networkOf, PER_SHARD, shardCountFor, shardOf } from './list-sample.ts'
import type { Candidate } from './list-sample.ts'

/** How often a key was hashed or decoded: nearly all of the work of a draw. */
const work = vi.hoisted(() => ({ hashed: 0, decoded: 0 }))
vi.mock('../keys.ts', async (importOriginal) => {
  const keys = await importOriginal<typeof import('../keys.ts')>()
  return {
    ...keys,
    hash: (...of: Parameters<typeof keys.hash>) => {
      work.hashed += 1
      return keys.hash(...of)
    },
    decodeKey: (key: string) => {
      work.decoded += 1
      return keys.decodeKey(key)
    },
  }
})

const NOW = 1_800_000_000_000
const DAY = 24 * 3_600_000

function machinesOf(
  count: number,
  describeOne: (index: number) => { network: string; sinceMs?: number },
): Candidate[] {
  return Array.from({ length: count }, (_, index) => ({
    machine: encodeKey(hash(Buffer.from(`machine ${index}`))),
    sinceMs: NOW,
    ...describeOne(index),
  }))
}

describe('of 100,000 machines', () => {
  // A fifth is of one network, the others of 2,000; every tenth has been there for two months.
  const cloud = machinesOf(100_000, (index) => ({
    network: index % 5 === 0 ? 'crowd' : `net ${index % 2_000}`,
    sinceMs: index % 10 === 1 ? NOW - 60 * DAY : NOW - (index % 3) * DAY,
  }))
  Object.assign(work, { hashed: 0, decoded: 0 })
  const shards = drawSample(cloud, NOW)
  const done = { ...work }
  const byKey = new Map(cloud.map((machine) => [machine.machine, machine]))
  const drawn = shards.flat().map((machine) => byKey.get(machine)!)

  it('512 are named, in 16 files, each machine once and in its own', () => {
    expect(shards.map(({ length }) => length)).toEqual(Array.from({ length: 16 }, () => PER_SHARD))
    expect(new Set(shards.flat()).size).toBe(512)
    shards.forEach((shard, at) => {
      expect(shard.every((machine) => shardOf(machine, 16) === at)).toBe(true)
    })
  })

  it('the key of each is decoded once and hashed once, however often it is compared', () => {
    expect(done).toEqual({ hashed: cloud.length, decoded: cloud.length })
  })

  it('no network has more than four in a file', () => {
    for (const shard of shards) {
      const crowd = shard.filter((machine) => byKey.get(machine)?.network === 'crowd')
      expect(crowd.length).toBeLessThanOrEqual(4)
    }
    expect(new Set(drawn.map(({ network }) => network)).size).toBeGreaterThan(250)
  })

  it('three of four have been there for long, the others are drawn from all', () => {
    const old = drawn.filter(({ sinceMs }) => sinceMs === NOW - 60 * DAY).length
    expect(old).toBeGreaterThanOrEqual(16 * 24)
    expect(old).toBeLessThan(16 * 24 + 50)
  })

  it('all who know of the same draw the same, and another week draws others', () => {
    const part = cloud.slice(0, 10_000)
    const here = drawSample(part, NOW)
    expect(drawSample(part.toReversed(), NOW + 1_000)).toEqual(here)
    const later = new Set(drawSample(part, NOW + 7 * DAY).flat())
    expect(here.flat().filter((machine) => later.has(machine)).length).toBeLessThan(400)
  })

  it('each has about the same chance', () => {
    const alike = machinesOf(2_000, (index) => ({ network: `net ${index}` }))
    const times = new Map<string, number>()
    for (let week = 0; week < 40; week++) {
      for (const machine of drawSample(alike, NOW + week * 7 * DAY).flat()) {
        times.set(machine, (times.get(machine) ?? 0) + 1)
      }
    }
    // 512 of 2,000 in each of 40 weeks: ten times on average.
    const never = alike.filter(({ machine }) => !times.has(machine)).length
    expect(never).toBeLessThan(5)
    expect(Math.max(...times.values())).toBeLessThan(25)
  })
})

describe('of a small cloud', () => {
  it('all are named, in as few files as there can be', () => {
    const small = machinesOf(20, () => ({ network: 'private' }))
    expect(drawSample(small, NOW)).toEqual([small.map(({ machine }) => machine).sort()])
    expect([0, 32, 33, 128, 129, 1_000_000].map(shardCountFor)).toEqual([1, 1, 4, 4, 16, 16])
    expect(drawSample([], NOW)).toEqual([[]])
  })

  it('of one network a file is filled all the same', () => {
    const house = machinesOf(400, () => ({ network: 'private' }))
    expect(drawSample(house, NOW).every(({ length }) => length > 10)).toBe(true)
  })
})

describe('a network', () => {
  it('is the /16 of the first address that is no private one', () => {
    const at = (...hosts: string[]): string => networkOf(hosts.map((host) => ({ host, port: 1 })))
    expect(at('192.168.1.4', '203.0.113.9')).toBe('203.0')
    for (const host of [
      '10.0.0.1',
      '127.0.0.1',
      '172.16.0.1',
      '172.31.9.9',
      '169.254.1.1',
      '100.64.0.1',
    ]) {
      expect(at(host), host).toBe('private')
    }
    expect(at('172.32.0.1')).toBe('172.32')
    expect(at('100.128.0.1')).toBe('100.128')
    expect(at('192.167.0.1')).toBe('192.167')
    expect(at()).toBe('private')
  })
})

it('the network of a machine is that of its first address of the internet', () => {
  for (const host of [
    ...['10.0.0.1', '127.0.0.1', '172.16.0.1', '172.31.0.1', '192.168.0.1', '169.254.0.1'],
    ...['100.64.0.1', '100.127.0.1'],
  ]) {
    expect(networkOf([{ host, port: 1 }]), host).toBe('private')
  }
  for (const [host, network] of [
    ...[
      ['172.15.0.1', '172.15'],
      ['172.32.0.1', '172.32'],
      ['192.167.0.1', '192.167'],
    ],
    ...[
      ['169.253.0.1', '169.253'],
      ['100.63.0.1', '100.63'],
      ['100.128.0.1', '100.128'],
    ],
    ...[
      ['20.168.0.1', '20.168'],
      ['20.254.0.1', '20.254'],
      ['20.20.0.1', '20.20'],
    ],
    ...[['20.100.0.1', '20.100']],
  ] as const) {
    const addresses = [
      { host: '10.0.0.1', port: 1 },
      { host, port: 1 },
    ]
    expect(networkOf(addresses), host).toBe(network)
  }
})
