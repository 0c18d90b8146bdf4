// How a machine names itself on the local network: sealed with a key that derives from the cloud's id. Who does
// not know the id learns neither the machine nor its cloud from it, and can name nobody.
import { domainBytes, decodeKey, encodeKey, hash, seal, SEAL_NONCE_BYTES, unseal } from '../keys.ts'

const KEY_BYTES = 32
/** Nonce, key of the machine, port, and 16 bytes that prove who sealed it. */
export const SEALED_SIGHTING_BYTES = SEAL_NONCE_BYTES + KEY_BYTES + 2 + 16

/** A machine that says that it is here. Nothing of it is proved but that the speaker knows the cloud's id. */
export interface LanSighting {
  machine: string
  /** UDP, of its node of the DHT. */
  port: number
}

/** The key of all such names in a cloud. */
export function lanKeyOf(cloud: string): Uint8Array {
  return hash(domainBytes('dharma/lan/1', cloud))
}

/** @param nonce  24 random bytes, new each time, so that nobody knows a machine again by them */
export function sealSighting(
  { machine, port }: LanSighting,
  nonce: Uint8Array,
  lanKey: Uint8Array,
): Uint8Array {
  const key = decodeKey(machine)
  if (key === null) throw new RangeError('not the key of a machine')
  const message = Buffer.alloc(KEY_BYTES + 2)
  message.set(key)
  message.writeUInt16BE(port, KEY_BYTES)
  return seal(message, nonce, lanKey)
}

/** Null if it is no such name, or one of another cloud. */
export function openSighting(sealed: Uint8Array, lanKey: Uint8Array): LanSighting | null {
  if (sealed.length !== SEALED_SIGHTING_BYTES) return null
  const message = unseal(sealed, lanKey)
  if (message === null) return null
  const port = Buffer.from(message).readUInt16BE(KEY_BYTES)
  return port === 0 ? null : { machine: encodeKey(message.subarray(0, KEY_BYTES)), port }
}
