// Keys, signatures and hashes: ed25519 and BLAKE2b, and how they are written as text.
import sodium from 'sodium-universal'
import z32 from 'z32'
import type { Domain } from './domains.ts'

export interface KeyPair {
  publicKey: Uint8Array
  secretKey: Uint8Array
}

const KEY_BYTES = 32

/** 32 bytes as 52 characters of z-base-32, which has no look-alike characters. */
export function encodeKey(bytes: Uint8Array): string {
  if (bytes.length !== KEY_BYTES) throw new RangeError(`a key has ${KEY_BYTES} bytes`)
  return z32.encode(Buffer.from(bytes))
}

/** The bytes of a key in z-base-32, or null if the text is none. One key has one text. */
export function decodeKey(text: string): Uint8Array | null {
  if (!/^[ybndrfg8ejkmcpqxot1uwisza345h769]{52}$/.test(text)) return null
  const bytes = z32.decode(text).subarray(0, KEY_BYTES)
  return z32.encode(bytes) === text ? new Uint8Array(bytes) : null
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}

/** The same bytes as the library takes them. */
function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The key pair that belongs to a 32-byte seed. Seeds of new keys are random; see `store/new-keys.ts`. */
export function keyPair(seed: Uint8Array): KeyPair {
  const publicKey = Buffer.alloc(sodium.crypto_sign_PUBLICKEYBYTES)
  const secretKey = Buffer.alloc(sodium.crypto_sign_SECRETKEYBYTES)
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, Buffer.from(seed))
  return { publicKey, secretKey }
}

/** A detached ed25519 signature, 64 bytes. */
export function sign(message: Uint8Array, secretKey: Uint8Array): Uint8Array {
  const signature = Buffer.alloc(sodium.crypto_sign_BYTES)
  sodium.crypto_sign_detached(signature, viewOf(message), viewOf(secretKey))
  return signature
}

/** Does the signature hold? False too for keys and signatures of the wrong length. */
export function verify(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== sodium.crypto_sign_BYTES || publicKey.length !== KEY_BYTES) return false
  return sodium.crypto_sign_verify_detached(viewOf(signature), viewOf(message), viewOf(publicKey))
}

/** BLAKE2b, 32 bytes; with a key (16 to 64 bytes) a message authentication code. */
export function hash(message: Uint8Array, key?: Uint8Array): Uint8Array {
  const digest = Buffer.alloc(32)
  if (key === undefined) sodium.crypto_generichash(digest, viewOf(message))
  else sodium.crypto_generichash(digest, viewOf(message), viewOf(key))
  return digest
}

/** Bytes of a nonce for `seal`; what is sealed is by as many longer, and by 16. */
export const SEAL_NONCE_BYTES = sodium.crypto_secretbox_NONCEBYTES

/**
 * Seals a message for whoever has the key: `nonce ‖ XSalsa20-Poly1305` (libsodium's secretbox).
 * @param nonce  24 random bytes, never the same twice
 */
export function seal(message: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array {
  const box = Buffer.alloc(message.length + sodium.crypto_secretbox_MACBYTES)
  sodium.crypto_secretbox_easy(box, viewOf(message), viewOf(nonce), viewOf(key))
  return Buffer.concat([nonce, box])
}

/** What was sealed with this key; null if it was not. */
export function unseal(sealed: Uint8Array, key: Uint8Array): Uint8Array | null {
  const length = sealed.length - SEAL_NONCE_BYTES - sodium.crypto_secretbox_MACBYTES
  if (length < 0) return null
  const bytes = viewOf(sealed)
  const nonce = bytes.subarray(0, SEAL_NONCE_BYTES)
  const message = Buffer.alloc(length)
  const isGenuine = sodium.crypto_secretbox_open_easy(
    message,
    bytes.subarray(SEAL_NONCE_BYTES),
    nonce,
    viewOf(key),
  )
  return isGenuine ? message : null
}

/** Text as bytes, under a domain, so that a signature for one purpose is none for another. */
export function domainBytes(domain: Domain, text: string): Uint8Array {
  return Buffer.from(`${domain}\n${text}`, 'utf8')
}
