// Work that a machine does once for a cloud that is open to all: keys are free, and this makes each of them
// cost a moment of a processor. It is for one machine in one cloud, and is checked with one hash.
import { domainBytes, hash } from '../keys.ts'

export interface WorkTask {
  cloud: string
  machine: string
  /** Zero bits with which the hash must begin; each doubles the work. */
  bits: number
}

export function isWork({ cloud, machine, bits }: WorkTask, nonce: string): boolean {
  const digest = hash(domainBytes('dharma/work/1', `${cloud}\n${machine}\n${nonce}`))
  return leadingZeroBits(digest) >= bits
}

/** The first that is work of `count` nonces, counted from `from` on; null if none is. */
export function searchWork(task: WorkTask, from: number, count: number): string | null {
  for (let at = from; at < from + count; at++) {
    const nonce = at.toString(36)
    if (isWork(task, nonce)) return nonce
  }
  return null
}

function leadingZeroBits(bytes: Uint8Array): number {
  let bits = 0
  for (const byte of bytes) {
    if (byte === 0) {
      bits += 8
      continue
    }
    return bits + Math.clz32(byte) - 24
  }
  return bits
}
