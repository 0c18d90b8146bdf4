// What a person puts in to join a cloud: its key, a link of an invitation, or the words of one.
import { readCloudKey } from './cloud-key.ts'

/** Words of an invitation's code. */
export const CODE_WORDS = 5
/** Of a key's 52 letters and digits, so many at least are there when somebody meant to give one. */
const LEAST_OF_KEY = 20
/** What is behind these is the invitation; in an address of the web it is the part that no server is told. */
const LINK = /^(?:(?:dharma|cloud):(?:\/\/)?invite\/|https:\/\/[^\s#]+#dharma-invite=)([a-z0-9]+)$/i
const CODE = /^[a-z]{3,8}(?:[\s-]+[a-z]{3,8})+$/i

export type JoinText =
  | { kind: 'cloud'; cloud: string }
  /** The invitation, as its link holds it. */
  | { kind: 'link'; invitation: string }
  /** Lower-case words with one space between them. */
  | { kind: 'code'; words: string }

/** Does the address hold an invitation? Whether that holds is not looked at. */
export function isInvitationLink(address: string): boolean {
  return LINK.test(address)
}

/** What the text is; or what is wrong with it, in words. Whether a link or code holds is not looked at. */
export function readJoinText(text: string): JoinText | { fault: string } {
  const trimmed = text.trim()
  const link = LINK.exec(trimmed.replace(/\s+/g, ''))?.[1]
  if (link !== undefined) return { kind: 'link', invitation: link.toLowerCase() }
  // A key in groups may have letters alone; five words never have as many as a key.
  const read = readCloudKey(text)
  if ('key' in read) return { kind: 'cloud', cloud: read.key }
  if (CODE.test(trimmed)) {
    const words = trimmed.toLowerCase().split(/[\s-]+/)
    if (words.length === CODE_WORDS) return { kind: 'code', words: words.join(' ') }
    return { fault: `The code of an invitation has ${CODE_WORDS} words; this has ${words.length}.` }
  }
  // So short a text was no key that lost a few letters.
  if (trimmed.length < LEAST_OF_KEY) {
    return {
      fault: `A link begins with dharma:invite/, a code has ${CODE_WORDS} words, and a key has 52 letters and digits. This is none of them.`,
    }
  }
  return { fault: read.fault }
}
