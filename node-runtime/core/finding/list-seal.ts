// The files of a look-up list as they lie on public places: sealed with a key that whoever knows the cloud's id
// can work out, and nobody else. The id lets machines in, and an entry says where somebody's machine is: neither
// is for every passer-by.
import { domainBytes, hash, seal, SEAL_NONCE_BYTES, unseal } from '../keys.ts'

/** What the bytes of a file are, if they are no list of this cloud that can be read. */
export type SealFault = 'garbage' | 'other-cloud' | 'too-new'

const MAGIC = Buffer.from('dharma-list/1\n', 'latin1')
/** Files of every version begin so. */
const ANY_VERSION = Buffer.from('dharma-list/', 'latin1')
const TAG_BYTES = 32

/** By which files of one cloud's lists are known, sealed and opened. */
export interface ListSeal {
  /** Tells lists of one cloud from those of another; says nothing of its id. */
  tag: Buffer
  key: Buffer
}

export function listSeal(cloud: string): ListSeal {
  return {
    tag: Buffer.from(hash(domainBytes('dharma/list-tag/1', cloud))),
    key: Buffer.from(hash(domainBytes('dharma/list-key/1', cloud))),
  }
}

/**
 * The file that holds this text. The nonce is made of key and text, so that one text has one file and what did not
 * change is not stored again; all that this tells is that two files are equal.
 */
export function sealFile(text: string, { tag, key }: ListSeal): Buffer {
  const nonce = hash(domainBytes('dharma/list-nonce/1', text), key).subarray(0, SEAL_NONCE_BYTES)
  return Buffer.concat([MAGIC, tag, seal(Buffer.from(text, 'utf8'), nonce, key)])
}

/** The text of a file, or why there is none. Never throws; the caller has limited the length. */
export function openFile(
  bytes: Uint8Array,
  { tag, key }: ListSeal,
): { text: string } | { fault: SealFault } {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!file.subarray(0, MAGIC.length).equals(MAGIC)) {
    const isLater = file.subarray(0, ANY_VERSION.length).equals(ANY_VERSION)
    return { fault: isLater ? 'too-new' : 'garbage' }
  }
  const sealedAt = MAGIC.length + TAG_BYTES
  if (file.length < sealedAt) return { fault: 'garbage' }
  if (!file.subarray(MAGIC.length, sealedAt).equals(tag)) return { fault: 'other-cloud' }
  const message = unseal(file.subarray(sealedAt), key)
  if (message === null) return { fault: 'garbage' }
  return { text: Buffer.from(message).toString('utf8') }
}
