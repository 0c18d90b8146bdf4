// Versions and places in the order, as they stand in messages: words of 32 bits, big-endian.
import { keyVersion, VERSION_WORDS, versionKey } from './item.ts'
import type { Key } from './item.ts'
import type { ByteReader, ByteWriter } from './wire.ts'

export function writeWords(writer: ByteWriter, words: Readonly<Uint32Array>): void {
  for (const word of words) {
    writer.byte(word >>> 24).byte((word >>> 16) & 0xff)
    writer.byte((word >>> 8) & 0xff).byte(word & 0xff)
  }
}

/** So many words; zeros where they are missing, as the reader says. */
export function readWords(reader: ByteReader, count: number): Key {
  const bytes = reader.raw(count * 4)
  const words = new Uint32Array(count)
  if (bytes.length === 0) return words
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  for (let i = 0; i < count; i++) words[i] = view.getUint32(i * 4)
  return words
}

export function writeVersion(writer: ByteWriter, version: string): void {
  writeWords(writer, versionKey(version).subarray(0, VERSION_WORDS))
}

export function readVersion(reader: ByteReader): string {
  return keyVersion(readWords(reader, VERSION_WORDS))
}
