// The short form of an invitation, to be spoken: five words. They hold 55 bits, so what they stand for is made
// slowly, in a lot of memory: whoever wants to guess needs that for each guess.
import { randomInt, scrypt } from 'node:crypto'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { CODE_WORDS } from '../../contract/join-text.ts'
import { SEED_BYTES } from '../../core/admission/invitation.ts'

/** 64 MB and a quarter of a second. */
const COST = { N: 65_536, r: 8, p: 1, maxmem: 128 * 1024 * 1024 }
/** The same for all: who guesses does not know for whom. */
const SALT = 'dharma/invitation-code/1'

/** Words by chance, with a space between them. */
export function newCode(): string {
  return Array.from({ length: CODE_WORDS }, () => wordlist[randomInt(wordlist.length)]).join(' ')
}

/** The first word that is in no code; null if all can be. */
export function unknownWordOf(code: string): string | null {
  return code.split(' ').find((word) => !wordlist.includes(word)) ?? null
}

/** The seed of the invitation with this code. */
export function seedOfCode(code: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    scrypt(code, SALT, SEED_BYTES, COST, (error, seed) => {
      if (error === null) resolve(new Uint8Array(seed))
      else reject(error)
    })
  })
}
