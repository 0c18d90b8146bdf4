// That a machine may be gone through under a key: the machine says so over its own link, and the key has signed for
// whom it relays. Else a member could name the keys of others as its own: they would be looked for where it is, and be
// blamed for what it does.
import { decodeKey, domainBytes, encodeKey, fromHex, sign, toHex, verify } from '../keys.ts'
import type { KeyPair } from '../keys.ts'

export interface ProvedRelay {
  /** Under which the machine relays. */
  key: string
  /** The signature by that key, in hex. */
  proof: string
}

/** @param keys  those of the relay, one for each machine and cloud */
export function proveRelay(keys: KeyPair, machine: string, cloud: string): ProvedRelay {
  const proof = toHex(sign(signedBytes(machine, cloud), keys.secretKey))
  return { key: encodeKey(keys.publicKey), proof }
}

/** Does the key relay for this machine in this cloud? */
export function isRelayOf({ key, proof }: ProvedRelay, machine: string, cloud: string): boolean {
  const publicKey = decodeKey(key)
  return publicKey !== null && verify(signedBytes(machine, cloud), fromHex(proof), publicKey)
}

function signedBytes(machine: string, cloud: string): Uint8Array {
  return domainBytes('dharma/relay-proof/1', `${cloud}\n${machine}`)
}
