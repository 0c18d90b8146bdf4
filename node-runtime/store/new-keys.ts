// New keys: the one place where chance makes them. What derives from a seed is in `core/keys.ts`.
import { keyPair } from '../core/keys.ts'
import type { KeyPair } from '../core/keys.ts'

/** 32 random bytes, from the operating system. */
export function newSeed(): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(32))
}

/** A key pair that nobody else has. */
export function newKeyPair(): KeyPair {
  return keyPair(newSeed())
}
