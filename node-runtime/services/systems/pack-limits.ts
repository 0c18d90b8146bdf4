// Bounds what a pack from a stranger may unpack to, before anything unpacks it: a few kilobytes can
// claim to be gigabytes.
import { inflateSync } from 'node:zlib'
import type { InflateRaw } from 'node:zlib'
import { CloudError } from '../../contract/errors.ts'

export interface PackLimits {
  /** All objects together, unpacked. */
  totalBytes: number
  /** Any one object, unpacked. */
  objectBytes: number
  objects: number
}

const HEADER_BYTES = 12
const TRAILER_BYTES = 20
const OFS_DELTA = 6
const REF_DELTA = 7
const OID_BYTES = 20

function damaged(): CloudError {
  return new CloudError('REPO_UNREACHABLE', 'The server sent a pack that is damaged.', {
    reason: 'pack-damaged',
  })
}

function tooLarge(limits: PackLimits): CloudError {
  return new CloudError(
    'SYSTEM_TOO_LARGE',
    `The repository is too large: more than ${limits.totalBytes >> 20} MB or ${limits.objects} objects are needed to read it.`,
    { ...limits },
  )
}

/**
 * Throws unless every object of the pack has the size it declares and all are within the limits.
 * Format: git's `gitformat-pack`, version 2.
 * @throws CloudError SYSTEM_TOO_LARGE, or REPO_UNREACHABLE for a pack that is damaged
 */
export function checkPack(pack: Uint8Array, limits: PackLimits): void {
  const bytes = Buffer.from(pack.buffer, pack.byteOffset, pack.byteLength)
  if (bytes.length < HEADER_BYTES + TRAILER_BYTES) throw damaged()
  if (bytes.toString('latin1', 0, 4) !== 'PACK' || bytes.readUInt32BE(4) !== 2) throw damaged()
  const objects = bytes.readUInt32BE(8)
  if (objects > limits.objects) throw tooLarge(limits)

  const end = bytes.length - TRAILER_BYTES
  let at = HEADER_BYTES
  let totalBytes = 0

  const readByte = (): number => {
    const byte = at < end ? bytes[at] : undefined
    if (byte === undefined) throw damaged()
    at += 1
    return byte
  }
  const count = (sizeBytes: number): void => {
    totalBytes += sizeBytes
    if (sizeBytes > limits.objectBytes || totalBytes > limits.totalBytes) throw tooLarge(limits)
  }

  for (let index = 0; index < objects; index++) {
    const first = readByte()
    const type = (first >> 4) & 7
    let sizeBytes = first & 15
    if (first & 0x80) sizeBytes += readVarint(readByte) * 16
    count(sizeBytes)
    if (type === OFS_DELTA) while (readByte() & 0x80);
    if (type === REF_DELTA) at += OID_BYTES

    const { content, packedBytes } = inflate(bytes.subarray(at, end), sizeBytes)
    at += packedBytes
    if (type === OFS_DELTA || type === REF_DELTA) count(deltaResultBytes(content))
  }
}

/** Little-endian base-128 number, as git writes sizes. */
function readVarint(readByte: () => number): number {
  let value = 0
  let factor = 1
  for (;;) {
    const byte = readByte()
    value += (byte & 0x7f) * factor
    if (!(byte & 0x80)) return value
    factor *= 128
    if (factor > Number.MAX_SAFE_INTEGER) throw damaged()
  }
}

function inflate(packed: Buffer, sizeBytes: number): { content: Buffer; packedBytes: number } {
  try {
    // With `info`, zlib also tells how far it read; its types do not know that form.
    const { buffer, engine } = inflateSync(packed, {
      info: true,
      // Zero means no limit to zlib.
      maxOutputLength: Math.max(sizeBytes, 1),
    }) as unknown as { buffer: Buffer; engine: InflateRaw }
    if (buffer.length !== sizeBytes) throw damaged()
    return { content: buffer, packedBytes: engine.bytesWritten }
  } catch {
    throw damaged()
  }
}

/** A delta begins with the size of what it applies to and the size of what it makes. */
function deltaResultBytes(delta: Buffer): number {
  let at = 0
  const readByte = (): number => {
    const byte = delta[at]
    if (byte === undefined) throw damaged()
    at += 1
    return byte
  }
  readVarint(readByte)
  return readVarint(readByte)
}
