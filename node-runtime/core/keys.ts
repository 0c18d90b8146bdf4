// Keys, signatures and hashes: ed25519 and BLAKE2b, and how they are written as text.
import sodium from 'sodium-universal'

export interface KeyPair {
  publicKey: Uint8Array
  secretKey: Uint8Array
}

const ALPHABET = 'ybndrfg8ejkmcpqxot1uwisza345h769'
const KEY_BYTES = 32
const KEY_CHARS = 52

/** 32 bytes as 52 characters of z-base-32 (no look-alike characters). Source: the z-base-32 specification. */
export function encodeKey(bytes: Uint8Array): string {
  if (bytes.length !== KEY_BYTES) throw new RangeError(`a key has ${KEY_BYTES} bytes`)
  let text = ''
  let buffer = 0
  let bits = 0
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET[(buffer >> bits) & 31]
    }
    buffer &= (1 << bits) - 1
  }
  return text + ALPHABET[(buffer << (5 - bits)) & 31]
}

/** The bytes of a key in z-base-32, or null if the text is none. */
export function decodeKey(text: string): Uint8Array | null {
  if (text.length !== KEY_CHARS) return null
  const bytes = new Uint8Array(KEY_BYTES)
  let buffer = 0
  let bits = 0
  let at = 0
  for (const char of text) {
    const value = ALPHABET.indexOf(char)
    if (value < 0) return null
    buffer = (buffer << 5) | value
    bits += 5
    if (bits >= 8) {
      bits -= 8
      if (at < KEY_BYTES) bytes[at++] = (buffer >> bits) & 255
    }
    buffer &= (1 << bits) - 1
  }
  return buffer === 0 ? bytes : null
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}

/** A new random key pair, or the one that belongs to a 32-byte seed. */
export function keyPair(seed?: Uint8Array): KeyPair {
  const publicKey = Buffer.alloc(sodium.crypto_sign_PUBLICKEYBYTES)
  const secretKey = Buffer.alloc(sodium.crypto_sign_SECRETKEYBYTES)
  if (seed === undefined) sodium.crypto_sign_keypair(publicKey, secretKey)
  else sodium.crypto_sign_seed_keypair(publicKey, secretKey, Buffer.from(seed))
  return { publicKey, secretKey }
}

/** A detached ed25519 signature, 64 bytes. */
export function sign(message: Uint8Array, secretKey: Uint8Array): Uint8Array {
  const signature = Buffer.alloc(sodium.crypto_sign_BYTES)
  sodium.crypto_sign_detached(signature, Buffer.from(message), Buffer.from(secretKey))
  return signature
}

/** Does the signature hold? False too for keys and signatures of the wrong length. */
export function verify(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== sodium.crypto_sign_BYTES || publicKey.length !== KEY_BYTES) return false
  return sodium.crypto_sign_verify_detached(
    Buffer.from(signature),
    Buffer.from(message),
    Buffer.from(publicKey),
  )
}

/** BLAKE2b, 32 bytes; with a key (16 to 64 bytes) a message authentication code. */
export function hash(message: Uint8Array, key?: Uint8Array): Uint8Array {
  const digest = Buffer.alloc(32)
  if (key === undefined) sodium.crypto_generichash(digest, Buffer.from(message))
  else sodium.crypto_generichash(digest, Buffer.from(message), Buffer.from(key))
  return digest
}

/** Text as bytes, under a domain, so that a signature for one purpose is none for another. */
export function domainBytes(domain: string, text: string): Uint8Array {
  return Buffer.from(`${domain}\n${text}`, 'utf8')
}
