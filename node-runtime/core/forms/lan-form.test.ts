import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import vectors from '../fixtures/lan-v1.json' with { type: 'json' }
import { cloudIdOf } from './genesis.ts'
import { decodeKey, encodeKey, fromHex, seal, toHex } from '../keys.ts'
import { lanKeyOf, openSighting, SEALED_SIGHTING_BYTES, sealSighting } from './lan-form.ts'

const { cloud, machine, port, nonce, key, sealed } = vectors
const lanKey = lanKeyOf(cloud)

describe('the name of a machine on the local network', () => {
  it('is that of the frozen vector', () => {
    expect(toHex(lanKey)).toBe(key)
    expect(toHex(sealSighting({ machine, port }, fromHex(nonce), lanKey))).toBe(sealed)
    expect(openSighting(fromHex(sealed), lanKey)).toEqual({ machine, port })
  })

  it('says nothing to who does not know the cloud’s id, not even that it is the same one', () => {
    const others = lanKeyOf(cloudIdOf('another cloud'))
    expect(openSighting(fromHex(sealed), others)).toBeNull()
    const again = sealSighting({ machine, port }, Buffer.alloc(24, 8), lanKey)
    for (let at = 0; at + 8 <= SEALED_SIGHTING_BYTES; at++) {
      expect(toHex(again)).not.toContain(sealed.slice(2 * at, 2 * at + 16))
    }
  })

  it('can not be made or changed by such a one', () => {
    for (let at = 0; at < SEALED_SIGHTING_BYTES; at++) {
      const changed = fromHex(sealed)
      changed[at]! ^= 1
      expect(openSighting(changed, lanKey)).toBeNull()
    }
  })

  it('has one length, and is of a machine', () => {
    const longer = seal(
      Buffer.concat([decodeKey(machine)!, Buffer.of(1, 2, 3)]),
      fromHex(nonce),
      lanKey,
    )
    expect(openSighting(longer, lanKey)).toBeNull()
    expect(() => sealSighting({ machine: 'nobody', port }, fromHex(nonce), lanKey)).toThrow(
      'not the key of a machine',
    )
  })

  it('names no port 0', () => {
    expect(
      openSighting(sealSighting({ machine, port: 0 }, fromHex(nonce), lanKey), lanKey),
    ).toBeNull()
  })

  it('whatever the bytes are, is read or is none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(openSighting(bytes, lanKey)).toBeNull()
      }),
    )
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.integer({ min: 0, max: 65_535 }),
        (bytes, anyPort) => {
          const sighting = { machine: encodeKey(bytes), port: anyPort }
          const opened = openSighting(sealSighting(sighting, fromHex(nonce), lanKey), lanKey)
          expect(opened).toEqual(anyPort === 0 ? null : sighting)
        },
      ),
    )
  })
})
