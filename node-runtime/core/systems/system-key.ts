// What a system is called in records, sessions, storage and folders. People see and type its id; the
// key says whose it is, so that another author's system with the same id is another system.
import { encodeKey, hash } from '../keys.ts'
import { canonicalOrigin } from './canonical-origin.ts'
import type { CanonicalOrigin } from './canonical-origin.ts'

const DOMAIN = 'dharma/system-key/1'

function keyOf(...parts: readonly string[]): string {
  return encodeKey(hash(Buffer.from([DOMAIN, ...parts].join('\n'), 'utf8')))
}

/**
 * The key of a system whose repository is signed: the same wherever the repository lies.
 * @param publisher  the first key of the publisher (52 characters of z-base-32), whichever of its
 *   successors signs today
 */
export function signedSystemKey(publisher: string, id: string): string {
  return keyOf('signed', publisher, id)
}

/**
 * The key of a system that nobody signed: it is what lies at this address.
 * @param machine  the key of the machine on which a `file:` address means what it means
 */
export function originSystemKey(
  { origin, path }: CanonicalOrigin,
  id: string,
  machine: string,
): string {
  return keyOf('origin', origin.replace(/^file:\/\//, `file://${machine}`), path, id)
}

/** The key of an unsigned system at an address; one that has no canonical form stands for itself. */
export function systemKeyAt(address: string, id: string, machine: string): string {
  return originSystemKey(canonicalOrigin(address) ?? { origin: address, path: '' }, id, machine)
}
