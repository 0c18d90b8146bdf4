import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cloudIdOf, genesisBody } from '../core/forms/genesis.ts'
import { decodeKey, domainBytes, encodeKey, hash, toHex, unseal } from '../core/keys.ts'
import { keyOf, keysOf, signTestEntry } from '../testing/entries.ts'
import {
  agree,
  MAX_GREETING_BYTES,
  readGreeting,
  refusalCodec,
  sealGreeting,
  writeGreeting,
} from './greeting.ts'

const genesis = genesisBody({
  name: 'Ours',
  admission: { kind: 'link' },
  keys: [keyOf('owner')],
  nonce: '',
})
const CLOUD = cloudIdOf(genesis)
const keys = keysOf('machine')
const entry = signTestEntry({ keys, cloud: CLOUD })
const ends = {
  handshakeHash: Buffer.alloc(64, 7),
  publicKey: keys.publicKey,
  cloud: CLOUD,
  cloudKey: decodeKey(CLOUD)!,
}
const timeMs = 1_900_000_000_000
const bytes = writeGreeting(ends, { entry, genesis, pass: null, timeMs })

const fields = { kind: 'dharma/greeting/3', entry: entry.form, genesis, pass: null, timeMs }

/** The greeting with other fields. */
function changed(change: object): Uint8Array {
  return sealGreeting(ends, Buffer.from(JSON.stringify({ ...fields, ...change })))
}

describe('a greeting', () => {
  it('says who greets and how the cloud began', () => {
    expect(readGreeting(bytes, ends)).toEqual({ entry, genesis, pass: null, timeMs })
    expect(
      readGreeting(writeGreeting(ends, { entry, genesis: null, pass: null, timeMs }), ends),
    ).toEqual({
      entry,
      genesis: null,
      pass: null,
      timeMs,
    })
  })

  it('of a later version is understood', () => {
    expect(readGreeting(changed({ motto: 'more' }), ends)).toEqual({
      entry,
      genesis,
      pass: null,
      timeMs,
    })
    const other = 'its greeting is not understood'
    expect(readGreeting(changed({ kind: 'dharma/greeting/4' }), ends)).toBe(other)
  })

  it('of a machine that says no time, or one that is none, says none', () => {
    const { timeMs: _, ...silent } = fields
    const bytesOf = (shown: object) => sealGreeting(ends, Buffer.from(JSON.stringify(shown)))
    for (const shown of [silent, { ...fields, timeMs: 'noon' }, { ...fields, timeMs: -1 }]) {
      expect(readGreeting(bytesOf(shown), ends)).toMatchObject({ entry, timeMs: null })
    }
  })

  it('tells who does not know the cloud nothing, and is never twice the same', () => {
    const shown = Buffer.from(bytes).toString('latin1')
    for (const told of [CLOUD, entry.machine, entry.person, entry.name, 'Ours', 'dharma']) {
      expect(shown).not.toContain(told)
    }
    const again = writeGreeting(ends, { entry, genesis, pass: null, timeMs })
    expect(Buffer.from(again).equals(bytes)).toBe(false)
  })

  it('is sealed by the cloud’s id for the ends of one connection', () => {
    const text = `${toHex(ends.handshakeHash)}\n${encodeKey(keys.publicKey)}`
    const key = hash(domainBytes('dharma/greeting-seal/1', text), ends.cloudKey)
    expect(JSON.parse(Buffer.from(unseal(bytes, key)!).toString())).toEqual(fields)
  })

  it('holds on one connection, in one cloud, for one machine', () => {
    const unknown = 'it does not know the key of this cloud'
    expect(readGreeting(bytes, { ...ends, handshakeHash: Buffer.alloc(64, 8) })).toBe(unknown)
    expect(readGreeting(bytes, { ...ends, publicKey: keysOf('other').publicKey })).toBe(unknown)
    const other = keyOf('another cloud')
    expect(readGreeting(bytes, { ...ends, cloud: other, cloudKey: decodeKey(other)! })).toBe(
      unknown,
    )
    expect(readGreeting(Buffer.from(JSON.stringify(fields)), ends)).toBe(unknown)
    for (let at = 0; at < bytes.length; at += 100) {
      const damaged = Buffer.from(bytes)
      damaged[at]! ^= 1
      expect(readGreeting(damaged, ends)).toBe(unknown)
    }
  })

  it('shows the machine’s own genuine description, of this cloud', () => {
    const forged = 'its description of itself is forged'
    const { body, signature } = entry.form
    const renamed = { body: body.replace('Test', 'Mine'), signature }
    expect(readGreeting(changed({ entry: renamed }), ends)).toBe(forged)
    const elsewhere = signTestEntry({ keys, cloud: keyOf('another cloud') })
    expect(readGreeting(changed({ entry: elsewhere.form }), ends)).toBe(forged)
    const borrowed = signTestEntry({ keys: keysOf('other'), cloud: CLOUD })
    expect(readGreeting(changed({ entry: borrowed.form }), ends)).toBe(
      'it speaks for another machine',
    )
  })

  it('names the beginning of this cloud or none', () => {
    const other = genesis.replace('Ours', 'Mine')
    expect(readGreeting(changed({ genesis: other }), ends)).toBe(
      'it names another beginning of this cloud',
    )
  })

  it('has a size that any machine’s description fits in', () => {
    const largest = { body: '"'.repeat(16_384), signature: entry.form.signature }
    const sizeBytes = Buffer.byteLength(JSON.stringify({ entry: largest, genesis }))
    expect(sizeBytes).toBeLessThan(MAX_GREETING_BYTES)
    expect(readGreeting(Buffer.alloc(MAX_GREETING_BYTES + 1, 0x20), ends)).toBe(
      'its greeting is not understood',
    )
  })

  it('never throws, whatever it is', () => {
    const anything = fc.oneof(fc.anything(), fc.json({ maxDepth: 50 }), fc.constant(entry.form))
    fc.assert(
      fc.property(
        fc.record({ entry: anything, genesis: anything, kind: anything }, { requiredKeys: [] }),
        (odd) => {
          const text = JSON.stringify(odd, (_, value: unknown) =>
            typeof value === 'bigint' ? String(value) : value,
          )
          readGreeting(changed(JSON.parse(text) as object), ends)
        },
      ),
    )
    fc.assert(fc.property(fc.uint8Array(), (noise) => void readGreeting(noise, ends)))
    fc.assert(
      fc.property(fc.uint8Array(), (noise) => void readGreeting(sealGreeting(ends, noise), ends)),
    )
  })
})

it('two machines of different age agree on what both can do', () => {
  const old = { version: 2, capabilities: ['a/1', 'b/1'] }
  const later = { version: 3, capabilities: ['c/1', 'b/1', 'a/1'] }
  expect(agree(old, later)).toEqual({ version: 2, capabilities: ['a/1', 'b/1'] })
  expect(agree(later, old)).toEqual({ version: 2, capabilities: ['b/1', 'a/1'] })
})

it('leaves out a genesis that leaves no room for what lets the machine in', () => {
  const long = genesisBody({
    name: 'Long',
    admission: { kind: 'invitation' },
    keys: [keyOf('owner')],
    nonce: '',
    ...{ later: '"'.repeat(7_000) },
  })
  const cloud = cloudIdOf(long)
  const here = { ...ends, cloud, cloudKey: decodeKey(cloud)! }
  const own = signTestEntry({ keys, cloud })
  const chain = Array.from({ length: 16 }, () => ({
    body: '"'.repeat(1_200),
    signature: '0'.repeat(128),
  }))
  const pass = { kind: 'invitation', chain } as const
  const shown = writeGreeting(here, { entry: own, genesis: long, pass, timeMs })
  expect(shown.byteLength).toBeLessThanOrEqual(MAX_GREETING_BYTES)
  expect(readGreeting(shown, here)).toEqual({ entry: own, genesis: null, pass, timeMs })

  const rest = (chars: number) => {
    const last = { body: 'x'.repeat(chars), signature: '0'.repeat(128) }
    return { kind: 'invitation' as const, chain: [...chain.slice(0, 12), last] }
  }
  const usedBytes = writeGreeting(here, {
    entry: own,
    genesis: long,
    pass: rest(0),
    timeMs,
  }).byteLength
  const largest = rest(MAX_GREETING_BYTES - usedBytes)
  const full = writeGreeting(here, { entry: own, genesis: long, pass: largest, timeMs })
  expect(full.byteLength).toBe(MAX_GREETING_BYTES)
  expect(readGreeting(full, here)).toEqual({ entry: own, genesis: long, pass: largest, timeMs })
  const more = rest(MAX_GREETING_BYTES - usedBytes + 1)
  const cut = writeGreeting(here, { entry: own, genesis: long, pass: more, timeMs })
  expect(readGreeting(cut, here)).toEqual({ entry: own, genesis: null, pass: more, timeMs })

  expect(
    readGreeting(writeGreeting(here, { entry: own, genesis: long, pass: null, timeMs }), here),
  ).toEqual({
    entry: own,
    genesis: long,
    pass: null,
    timeMs,
  })
})

it('who is not let in is told why in a word', () => {
  const refusal = { kind: 'dharma/refusal/1', fault: 'F'.repeat(40) } as const
  expect(refusalCodec.decode(refusalCodec.encode(refusal))).toEqual(refusal)
  for (const odd of [
    { ...refusal, fault: 'F'.repeat(41) },
    { ...refusal, fault: 'Send money' },
    { ...refusal, fault: '' },
    { ...refusal, kind: 'dharma/refusal/2' },
    { kind: refusal.kind },
  ]) {
    expect(refusalCodec.decode(Buffer.from(JSON.stringify(odd)))).toBeNull()
  }
})
