import { describe, expect, it } from 'vitest'
import vector from '../fixtures/relay-v1.json' with { type: 'json' }
import { encodeKey, fromHex, hash, keyPair } from '../keys.ts'
import { isPunchOf, isRelayOf, provePunch, proveRelay } from './key-proofs.ts'

const keysOf = (name: string) => keyPair(hash(Buffer.from(name)))
const keyOf = (name: string): string => encodeKey(keysOf(name).publicKey)
const [machine, cloud] = [keyOf('ada'), keyOf('a cloud')]

describe('the proof of a relay', () => {
  it('is that of the frozen vector', () => {
    const { seed, key, proof } = vector
    expect(proveRelay(keyPair(fromHex(seed)), vector.machine, vector.cloud)).toEqual({ key, proof })
  })

  it('holds for its machine and cloud, and for no others', () => {
    const proved = proveRelay(keysOf('relay'), machine, cloud)
    expect(isRelayOf(proved, machine, cloud)).toBe(true)
    expect(isRelayOf(proved, keyOf('ben'), cloud)).toBe(false)
    expect(isRelayOf(proved, machine, keyOf('another cloud'))).toBe(false)
    expect(isRelayOf({ ...proved, key: keyOf('another relay') }, machine, cloud)).toBe(false)
    expect(isRelayOf({ ...proved, key: 'none' }, machine, cloud)).toBe(false)
    expect(isRelayOf({ ...proved, proof: '00'.repeat(64) }, machine, cloud)).toBe(false)
    expect(isRelayOf({ ...proved, proof: '' }, machine, cloud)).toBe(false)
  })
})

describe('the proof of a key for one dial', () => {
  it('is that of the frozen vector', () => {
    const { seed, key, machine: from, punch } = vector
    const proved = provePunch(keyPair(fromHex(seed)), from, punch.to)
    expect(proved).toEqual({ key, proof: punch.proof })
  })

  it('holds from one machine to another, not the other way around, and is none of a relay', () => {
    const [from, to] = [keyOf('ada'), keyOf('ben')]
    const proved = provePunch(keysOf('once'), from, to)
    expect(isPunchOf(proved, from, to)).toBe(true)
    expect(isPunchOf(proved, to, from)).toBe(false)
    expect(isPunchOf(proved, from, keyOf('cleo'))).toBe(false)
    expect(isPunchOf({ ...proved, key: keyOf('cleo') }, from, to)).toBe(false)
    expect(isRelayOf(proved, to, from)).toBe(false)
  })
})
