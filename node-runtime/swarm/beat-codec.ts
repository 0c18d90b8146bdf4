// A beat as bytes. It goes as a datagram beside the link's stream: sealed by the stack, neither acknowledged nor repeated.
import type { Beat } from '../core/membership/liveness.ts'

const KIND = 1
const WATCHES = 1
const ASKS = 2
const NEXT_UNIT_MS = 100
const MOST_HELD_MS = 0xffff
const NEXT_AT = 2
const NUMBER_AT = 3
const ECHO_AT = 7
const HELD_AT = 11
export const BEAT_BYTES = 13

export function encodeBeat(beat: Beat): Uint8Array {
  const bytes = Buffer.alloc(BEAT_BYTES)
  const { heldMs } = beat
  bytes[0] = KIND
  bytes[1] = (beat.watches ? WATCHES : 0) | (beat.asks ? ASKS : 0)
  bytes[NEXT_AT] = Math.min(0xff, Math.max(1, Math.ceil(beat.nextMs / NEXT_UNIT_MS)))
  bytes.writeUInt32LE(beat.number, NUMBER_AT)
  // What is too long ago says nothing of the round trip.
  bytes.writeUInt32LE(heldMs > MOST_HELD_MS ? 0 : beat.echo, ECHO_AT)
  bytes.writeUInt16LE(Math.min(MOST_HELD_MS, Math.round(heldMs)), HELD_AT)
  return bytes
}

/** Null if it is none that this version knows; later ones may be longer. Never throws. */
export function decodeBeat(bytes: Uint8Array): Beat | null {
  if (bytes.length < BEAT_BYTES || bytes[0] !== KIND) return null
  const { buffer, byteOffset, length } = bytes
  const view = new DataView(buffer, byteOffset, length)
  const flags = bytes[1]!
  const next = bytes[NEXT_AT]!
  return {
    number: view.getUint32(NUMBER_AT, true),
    echo: view.getUint32(ECHO_AT, true),
    heldMs: view.getUint16(HELD_AT, true),
    nextMs: Math.max(1, next) * NEXT_UNIT_MS,
    watches: (flags & WATCHES) !== 0,
    asks: (flags & ASKS) !== 0,
  }
}
