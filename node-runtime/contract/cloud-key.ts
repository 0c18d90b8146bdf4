// What a person pastes as the key of a cloud: read, or refused in words.

const KEY_CHARS = 52
const WRONG_LETTER = /[^ybndrfg8ejkmcpqxot1uwisza345h769]/u
/** 32 bytes leave the last letter one bit: one key has one text. */
const LAST_LETTER = /[yo]$/
/** The addresses in which a key may stand. */
const ADDRESS = /^(dharma|cloud):(\/\/)?(join\/)?/

/** Spaces and line breaks, as in a key that is written in groups, are left out. */
export function readCloudKey(text: string): { key: string } | { fault: string; length: number } {
  const key = text.replace(/\s+/g, '').replace(ADDRESS, '')
  const { length } = key
  if (length !== KEY_CHARS) {
    const fault = `A cloud key has ${KEY_CHARS} letters and digits; this has ${length}. Copy it whole.`
    return { fault, length }
  }
  const wrong = WRONG_LETTER.exec(key)?.[0] ?? (LAST_LETTER.test(key) ? null : key.slice(-1))
  if (wrong === null) return { key }
  const fault = `No cloud key has “${wrong}” where this one has it. Compare it with the one you were given.`
  return { fault, length }
}
