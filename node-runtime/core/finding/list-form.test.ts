import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../canonical.ts'
import { cloudIdOf, genesisBody } from '../forms/genesis.ts'
import { domainBytes, encodeKey, sign, toHex } from '../keys.ts'
import { keysOf, signTestEntry } from '../../testing/entries.ts'
import {
  isListable,
  isWorthWriting,
  LISTED_MS,
  MAX_SHARD_BYTES,
  mergeListed,
  readHead,
  readShard,
  signListManifest,
  writeHead,
  writeShard,
} from './list-form.ts'
import type { ListedMachine } from './list-form.ts'
import { PER_SHARD } from './list-sample.ts'
import { listSeal, sealFile } from './list-seal.ts'

const NOW = 1_800_000_000_000
const DAY = 24 * 3_600_000
const owner = keysOf('owner')
const genesisOf = (nonce: string): string =>
  genesisBody({
    name: 'Ours',
    admission: { kind: 'link' },
    keys: [encodeKey(owner.publicKey)],
    nonce,
  })
const genesis = genesisOf('1')
const cloud = cloudIdOf(genesis)
const seal = listSeal(cloud)
const manifest = signListManifest(
  { cloud, signer: encodeKey(owner.publicKey), sequence: 5, backup: 'https://host.example/b.git' },
  owner.secretKey,
)
const head = { genesis, manifest, shards: 4 as const }

function listed(
  name: string,
  { sinceMs = NOW - DAY, sequence = NOW, ...more } = {},
): ListedMachine {
  const entry = signTestEntry({
    keys: keysOf(name),
    cloud,
    sequence,
    more: {
      addresses: [{ host: '192.0.2.1', port: 4_000 }],
      listedUntilMs: NOW + LISTED_MS,
      ...more,
    },
  })
  return { entry, sinceMs }
}

describe('the head of a list', () => {
  it('is read by whoever knows the cloud’s id, with all that it says', () => {
    expect(readHead(writeHead(head, seal), cloud, seal)).toEqual(head)
  })

  it('says nothing to others, and is the same whenever it is written', () => {
    const file = writeHead(head, seal)
    expect(file.includes('Ours')).toBe(false)
    expect(file.includes(cloud)).toBe(false)
    expect(writeHead(head, seal).equals(file)).toBe(true)
    const other = writeHead({ ...head, shards: 1 }, seal)
    expect(other.subarray(46, 70).equals(file.subarray(46, 70))).toBe(false)
  })

  it('of another cloud is told from garbage', () => {
    const otherGenesis = genesisOf('2')
    const other = cloudIdOf(otherGenesis)
    const theirs = writeHead({ ...head, genesis: otherGenesis }, listSeal(other))
    expect(readHead(theirs, cloud, seal)).toEqual({ fault: 'other-cloud' })
    expect(readHead(Buffer.from('<!doctype html>'), cloud, seal)).toEqual({ fault: 'garbage' })
    expect(readHead(Buffer.from('dharma-list/2\nxyz'), cloud, seal)).toEqual({ fault: 'too-new' })
    expect(readHead(writeHead(head, seal).subarray(0, -1), cloud, seal)).toEqual({
      fault: 'garbage',
    })
    const flipped = writeHead(head, seal)
    flipped[100]! ^= 1
    expect(readHead(flipped, cloud, seal)).toEqual({ fault: 'garbage' })
  })

  it('is forged if no key of the cloud signed it, or for another cloud', () => {
    const stranger = keysOf('stranger')
    const forged = signListManifest(
      { cloud, signer: encodeKey(stranger.publicKey), sequence: 9 },
      stranger.secretKey,
    )
    const faultOf = (changes: object): unknown =>
      readHead(writeHead({ ...head, ...changes }, seal), cloud, seal)
    expect(faultOf({ manifest: forged })).toEqual({ fault: 'forged' })
    const named = signListManifest(
      { cloud, signer: encodeKey(owner.publicKey), sequence: 9 },
      stranger.secretKey,
    )
    expect(faultOf({ manifest: named })).toEqual({ fault: 'forged' })
    const moved = signListManifest(
      { cloud: cloudIdOf(genesisOf('2')), signer: encodeKey(owner.publicKey), sequence: 9 },
      owner.secretKey,
    )
    expect(faultOf({ manifest: moved })).toEqual({ fault: 'forged' })
    const theirs = genesisBody({
      name: 'Theirs',
      admission: { kind: 'link' },
      keys: [encodeKey(stranger.publicKey)],
      nonce: '1',
    })
    expect(faultOf({ manifest: forged, genesis: theirs })).toEqual({ fault: 'forged' })
  })

  it('of a later version holds with one field more, and with a wrong one it does not', () => {
    const resign = (changes: object): unknown => {
      const body = canonicalJson({ ...(JSON.parse(manifest.form.body) as object), ...changes })
      const signature = toHex(sign(domainBytes('dharma/list/1', body), owner.secretKey))
      return readHead(
        writeHead({ ...head, manifest: { ...manifest, form: { body, signature } } }, seal),
        cloud,
        seal,
      )
    }
    expect(resign({ v: 2, mirrors: ['x'] })).toMatchObject({ manifest: { sequence: 5 } })
    for (const changes of [
      { sequence: -1 },
      { sequence: 'x' },
      { backup: '' },
      { backup: 'x'.repeat(1_001) },
      { kind: 'machine' },
    ]) {
      expect(resign(changes), JSON.stringify(changes)).toEqual({ fault: 'forged' })
    }
  })
})

describe('a shard', () => {
  const read = (file: Uint8Array, nowMs = NOW) => readShard(file, cloud, seal, nowMs)

  it('gives back its machines', () => {
    const machines = [listed('a'), listed('b')]
    const { file, written } = writeShard(machines, seal)
    expect(written).toEqual(machines)
    expect(read(file)).toEqual(machines)
  })

  it('passes over what is forged, expired, of no use or from the future, beside what holds', () => {
    const good = listed('good')
    const { form } = listed('forged').entry
    const forged = {
      ...good,
      entry: { ...good.entry, form: { ...form, signature: '0'.repeat(128) } },
    }
    const bad = [
      forged,
      listed('expired', { listedUntilMs: NOW } as object),
      listed('nowhere', { addresses: [] } as object),
      listed('not to be listed', { listedUntilMs: undefined } as object),
      listed('for ever', { listedUntilMs: NOW + LISTED_MS + 2 * DAY } as object),
      listed('fat', { appVersion: '1', extra: 'x'.repeat(5_000) } as object),
    ]
    expect(read(writeShard([...bad, good], seal).file)).toEqual([good])
    expect(read(writeShard([good], seal).file, NOW + LISTED_MS)).toEqual([])
  })

  it('has room for 32 entries and 128 KiB, whatever is to be written', () => {
    const many = Array.from({ length: PER_SHARD + 3 }, (_, index) => listed(`machine ${index}`))
    expect(writeShard(many, seal).written).toHaveLength(PER_SHARD)
    const fat = many.map((_, index) =>
      listed(`machine ${index}`, { extra: 'é'.repeat(12_000) } as object),
    )
    const { file, written } = writeShard([...fat, ...many], seal)
    expect(file.length).toBeLessThanOrEqual(MAX_SHARD_BYTES)
    expect(written.length).toBeGreaterThan(3)
  })

  it('with more entries than there may be is none', () => {
    const { form } = listed('a').entry
    const entries = Array.from({ length: PER_SHARD + 1 }, () => ({ form, sinceMs: 0 }))
    expect(read(sealFile(JSON.stringify({ entries }), seal))).toEqual({ fault: 'garbage' })
    expect(read(sealFile('['.repeat(100_000), seal))).toEqual({ fault: 'garbage' })
    expect(read(sealFile('{"entries":[', seal))).toEqual({ fault: 'garbage' })
  })

  it('is read without a throw, whatever it holds', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 6 }),
        fc.uint8Array({ maxLength: 300, size: 'max' }),
        (text, bytes) => {
          for (const file of [
            sealFile(text, seal),
            bytes,
            Buffer.concat([writeHead(head, seal).subarray(0, 46), bytes]),
          ]) {
            for (const answer of [read(file), readHead(file, cloud, seal)]) {
              expect(Array.isArray(answer) || 'fault' in answer).toBe(true)
            }
          }
        },
      ),
    )
  })
})

describe('what several have written', () => {
  it('is merged to the newest entry of each machine, whichever comes first', () => {
    const old = listed('a', { sequence: NOW - 10, sinceMs: 7 })
    const fresh = listed('a', { sequence: NOW, sinceMs: 9 })
    for (const sources of [[[old], [fresh]], [[fresh], [old]], [[old, fresh]]]) {
      expect([...mergeListed(sources, NOW).values()]).toEqual([{ entry: fresh.entry, sinceMs: 7 }])
    }
  })

  it('does not count once it has expired', () => {
    expect(mergeListed([[listed('a')]], NOW + LISTED_MS).size).toBe(0)
    expect(isListable(listed('a').entry, NOW + LISTED_MS - 1)).toBe(true)
  })
})

describe('a public place is written to', () => {
  const before = mergeListed(
    [
      [
        listed('a', { sequence: NOW - 5 * DAY, listedUntilMs: NOW + 9 * DAY } as object),
        listed('b', { sequence: NOW - DAY }),
      ],
    ],
    NOW,
  )

  it('if a machine is new, has moved, or would expire before long', () => {
    const moved = { addresses: [{ host: '192.0.2.2', port: 4_000 }] } as object
    expect(isWorthWriting(before, [listed('c')], NOW)).toBe(true)
    expect(isWorthWriting(before, [listed('b', moved)], NOW)).toBe(true)
    expect(isWorthWriting(before, [listed('a')], NOW)).toBe(true)
  })

  it('not because entries were signed anew, nor for older ones', () => {
    expect(isWorthWriting(before, [listed('b')], NOW)).toBe(false)
    const older = { sequence: NOW - 6 * DAY, addresses: [{ host: '192.0.2.9', port: 1 }] } as object
    expect(isWorthWriting(before, [listed('a', older), listed('b', older)], NOW)).toBe(false)
    expect(isWorthWriting(before, [], NOW)).toBe(false)
  })
})
