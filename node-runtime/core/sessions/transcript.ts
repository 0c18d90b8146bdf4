// All signed actions of a session that is over, as one text: whoever has the same end writes the same
// bytes, so that they are found and kept by their hash.
import { sessionDescriptorSchema } from '../../contract/sessions.ts'
import type { SessionDescriptor } from '../../contract/sessions.ts'
import { canonicalJson, parseCanonical } from '../canonical.ts'
import type { Attestation } from '../forms/attestation.ts'
import { domainBytes, hash, toHex } from '../keys.ts'
import { decodeText } from '../text.ts'
import type { Action } from './action.ts'
import { MAX_BLOCK_CHARS, MAX_LOG_BLOCKS, writeBlock } from './block.ts'
import type { Block } from './block.ts'
import { MAX_DESCRIPTOR_CHARS } from './seats.ts'

const KIND = 'transcript'
const HASH_DOMAIN = 'dharma/transcript/1'
/** Some 10,000 actions; a longer one is neither stored nor fetched. */
export const MAX_TRANSCRIPT_BYTES = 8 * 1024 * 1024
/**
 * What the actions of all seats may take of it. Each seat has its share, so that none can fill up a game that
 * it is about to lose.
 */
export const MAX_ACTION_BYTES = (MAX_TRANSCRIPT_BYTES / 8) * 7
/** What the attestations of all persons may take. The rest is for the head, in UTF-8. */
export const MAX_ATTESTATION_BYTES =
  MAX_TRANSCRIPT_BYTES - MAX_ACTION_BYTES - (3 * MAX_DESCRIPTOR_CHARS + 1024)

export interface Transcript {
  descriptor: SessionDescriptor
  /** Attestations and actions, in the form of a log's blocks. */
  blocks: string[]
}

/** Lines of JSON: what the session is, the attestations in the order of their hashes, the actions. */
export function writeTranscript(
  descriptor: SessionDescriptor,
  { actions, attestations }: { actions: readonly Action[]; attestations: readonly Attestation[] },
): Uint8Array {
  const lines = [canonicalJson({ descriptor, kind: KIND, v: 1 })]
  for (const { form } of [...attestations].sort((a, b) => (a.hash < b.hash ? -1 : 1))) {
    lines.push(writeBlock({ type: 'attestation', form }))
  }
  for (const { form } of actions) lines.push(writeBlock({ type: 'action', form }))
  return Buffer.from(lines.join('\n'), 'utf8')
}

/** What a block takes in a transcript, with the end of its line. */
export function bytesInTranscript(block: Block): number {
  return Buffer.byteLength(writeBlock(block)) + 1
}

/** The name of a transcript. Hex. */
export function transcriptHash(bytes: Uint8Array): string {
  return toHex(hash(Buffer.concat([domainBytes(HASH_DOMAIN, ''), bytes])))
}

/** The transcript in these bytes, or null. What its blocks say is unchecked. Never throws. */
export function readTranscript(bytes: Uint8Array): Transcript | null {
  if (bytes.length > MAX_TRANSCRIPT_BYTES) return null
  const text = decodeText(bytes)
  if (text === null) return null
  // One more than there may be: whatever comes after it is not even cut.
  const [head = '', ...blocks] = text.split('\n', 1 + MAX_LOG_BLOCKS + 1)
  if (blocks.length > MAX_LOG_BLOCKS) return null
  const value = parseCanonical(head)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const descriptor = sessionDescriptorSchema.safeParse(value['descriptor'])
  if (value['kind'] !== KIND || !descriptor.success) return null
  if (blocks.some(({ length }) => length === 0 || length > MAX_BLOCK_CHARS)) return null
  return { descriptor: descriptor.data, blocks }
}
