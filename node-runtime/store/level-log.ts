// Is the journal of a LevelDB whole? LevelDB itself drops what it can't read without a word.
// Format: https://github.com/google/leveldb/blob/main/doc/log_format.md
import { readdir, readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'

const BLOCK_BYTES = 32_768
/** Checksum (4), length (2), type (1). */
const HEADER_BYTES = 7
const LAST_TYPE = 4
const CRC_POLYNOMIAL = 0x82f63b78
const MASK_DELTA = 0xa282ead8

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? CRC_POLYNOMIAL : 0)
  return value
})

function maskedCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0)
  crc = (crc ^ 0xffffffff) >>> 0
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0
}

/** Where the whole pieces of a journal end; its length if it is whole. */
function wholeLength(journal: Buffer): number {
  let at = 0
  while (at < journal.length) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES)
    if (left < HEADER_BYTES) {
      at += left
      continue
    }
    if (at + HEADER_BYTES > journal.length) return at
    const length = journal.readUInt16LE(at + 4)
    const type = journal.readUInt8(at + 6)
    const end = at + HEADER_BYTES + length
    if (type === 0 && length === 0) return at
    if (type > LAST_TYPE || length > left - HEADER_BYTES || end > journal.length) return at
    if (maskedCrc32c(journal.subarray(at + 6, end)) !== journal.readUInt32LE(at)) return at
    at = end
  }
  return Math.min(at, journal.length)
}

/**
 * Does a LevelDB's folder have its journals, each of them whole? A journal that ends in zeros is:
 * some file systems lengthen a file before they fill it.
 */
export async function isJournalWhole(folder: string): Promise<boolean> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.log'))
  for (const name of names) {
    const journal = await readFile(join(folder, name))
    const rest = journal.subarray(wholeLength(journal))
    if (rest.some((byte) => byte !== 0)) return false
  }
  return names.length > 0
}

/** Cuts off what a failed write left at the end of the journals of a LevelDB that is closed. */
export async function trimJournals(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.log'))
  for (const name of names) {
    const path = join(folder, name)
    await truncate(path, wholeLength(await readFile(path)))
  }
}
