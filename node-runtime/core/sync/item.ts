// Where a record stands in the order in which machines compare what they hold: by version, then by id.
// As words, so that a million of them fit in memory and compare quickly.

/** A record's place in the order. */
export interface Item {
  /** As a hybrid clock writes it. */
  version: string
  /** 64 hex digits; see `HeldRecord.id32`. */
  id: string
}

/** 8 bytes of version and 32 of id, as big-endian 32-bit words. */
export type Key = Uint32Array

export const VERSION_WORDS = 2
export const ID_WORDS = 8
export const KEY_WORDS = VERSION_WORDS + ID_WORDS
export const KEY_BYTES = KEY_WORDS * 4

const WORD_DIGITS = 8

/** The first key of a version: no item of that version comes before it. */
export function versionKey(version: string): Key {
  const key = new Uint32Array(KEY_WORDS)
  key[0] = Number.parseInt(version.slice(0, 8), 16)
  key[1] = Number.parseInt(version.slice(8, 12) + version.slice(13, 17), 16)
  return key
}

export function itemKey(item: Item): Key {
  const key = versionKey(item.version)
  for (let i = 0; i < ID_WORDS; i++) {
    const start = i * WORD_DIGITS
    key[VERSION_WORDS + i] = Number.parseInt(item.id.slice(start, start + WORD_DIGITS), 16)
  }
  return key
}

function wordText(word: number): string {
  return word.toString(16).padStart(WORD_DIGITS, '0')
}

/** The version part of a key, as text. */
export function keyVersion(words: Readonly<Key>, offset = 0): string {
  const low = wordText(words[offset + 1]!)
  return `${wordText(words[offset]!)}${low.slice(0, 4)}-${low.slice(4)}`
}

export function keyItem(words: Readonly<Key>, offset = 0): Item {
  let id = ''
  for (let i = VERSION_WORDS; i < KEY_WORDS; i++) id += wordText(words[offset + i]!)
  return { version: keyVersion(words, offset), id }
}

/** Negative, zero or positive, as the key at `a[aOffset]` comes before, is, or comes after `b`'s. */
export function compareKeys(a: Readonly<Key>, b: Readonly<Key>, aOffset = 0, bOffset = 0): number {
  for (let i = 0; i < KEY_WORDS; i++) {
    const difference = a[aOffset + i]! - b[bOffset + i]!
    if (difference !== 0) return difference
  }
  return 0
}

/** The 32 bytes of a key's id. */
export function keyIdBytes(words: Readonly<Key>, offset = 0): Uint8Array {
  const bytes = new Uint8Array(ID_WORDS * 4)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < ID_WORDS; i++) view.setUint32(i * 4, words[offset + VERSION_WORDS + i]!)
  return bytes
}
