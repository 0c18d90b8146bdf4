// That a machine has a key which is not its own: it says so over its link, and the key has signed for whom that is. Else
// a member could name the keys of others: as relays, to have them looked for where it is and blamed for what it does; as
// keys that are about to dial only to make way for a link, to have those machines kept from linking.
import type { Domain } from '../domains.ts'
import { decodeKey, domainBytes, encodeKey, fromHex, sign, toHex, verify } from '../keys.ts'
import type { KeyPair } from '../keys.ts'

export interface ProvedKey {
  key: string
  /** The signature by that key, in hex. */
  proof: string
}

/** @param keys  those of the relay, one for each machine and cloud */
export function proveRelay(keys: KeyPair, machine: string, cloud: string): ProvedKey {
  return prove(keys, 'dharma/relay-proof/1', `${cloud}\n${machine}`)
}

/** Does the key relay for this machine in this cloud? */
export function isRelayOf(proved: ProvedKey, machine: string, cloud: string): boolean {
  return isProved(proved, 'dharma/relay-proof/1', `${cloud}\n${machine}`)
}

/** @param keys  made for one dial of `from` to `to` */
export function provePunch(keys: KeyPair, from: string, to: string): ProvedKey {
  return prove(keys, 'dharma/punch-proof/1', `${from}\n${to}`)
}

/** Was the key made by `from`, to dial `to` under it? */
export function isPunchOf(proved: ProvedKey, from: string, to: string): boolean {
  return isProved(proved, 'dharma/punch-proof/1', `${from}\n${to}`)
}

function prove(keys: KeyPair, domain: Domain, text: string): ProvedKey {
  const proof = toHex(sign(domainBytes(domain, text), keys.secretKey))
  return { key: encodeKey(keys.publicKey), proof }
}

function isProved({ key, proof }: ProvedKey, domain: Domain, text: string): boolean {
  const publicKey = decodeKey(key)
  return publicKey !== null && verify(domainBytes(domain, text), fromHex(proof), publicKey)
}
