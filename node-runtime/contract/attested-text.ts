// What a person brings from one of their machines to another, as they may paste it: the word alone, the whole command
// that `dharma person attest` printed, or its JSON.

const IN_JSON = /"text"\s*:\s*"([\w\s-]+)"/u
const COMMAND = /\bperson\s+accept\s/u
const WORD = /^[\w-]+$/u

/** The one word of an attestation, in whatever was printed around it; null if there is none. */
export function attestedWordOf(pasted: string): string | null {
  const text = IN_JSON.exec(pasted)?.[1] ?? pasted.split(COMMAND).at(-1) ?? ''
  // Mail and terminals break long lines.
  const word = text.replaceAll(/\s/gu, '')
  return WORD.test(word) ? word : null
}
