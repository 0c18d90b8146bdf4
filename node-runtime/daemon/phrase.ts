// The recovery phrase of who uses the command line: from a file, from standard input, or as they type it.
import { readFile } from 'node:fs/promises'
import { CloudError } from '../contract/errors.ts'
import { askSecret, canAsk } from './secret-prompt.ts'
import { readStdin, STDIN } from './standard-input.ts'

/** A phrase takes 215 characters at most. */
const MAX_PHRASE_CHARS = 500

export interface PhraseOptions {
  /** A file with the recovery phrase, or `-` for stdin: an argument would be seen by other programs. */
  phraseFile?: string | undefined
  json: boolean
}

/**
 * Asks a machine, with the phrase if it was given. If the machine has none and needs one, the person is asked for it,
 * where there is one at a terminal.
 * @throws CloudError BAD_INPUT, CANCELLED, and what asking throws
 */
export async function withPhrase<T>(
  { phraseFile, json }: PhraseOptions,
  ask: (given: { phrase?: string }) => Promise<T>,
): Promise<T> {
  if (phraseFile !== undefined) return ask({ phrase: await readPhrase(phraseFile) })
  try {
    return await ask({})
  } catch (error) {
    const isNeeded = error instanceof CloudError && error.code === 'IDENTITY_PHRASE_NEEDED'
    if (!isNeeded || json || !canAsk()) throw error
    return ask({ phrase: checked(await typed()) })
  }
}

async function readPhrase(file: string): Promise<string> {
  if (file !== STDIN) return checked(await readText(file))
  return checked(canAsk() ? await typed() : await readStdin(2 * MAX_PHRASE_CHARS))
}

function typed(): Promise<string> {
  return askSecret('Recovery phrase (24 words, not shown): ')
}

function checked(text: string): string {
  const phrase = text.trim()
  if (phrase !== '' && phrase.length <= MAX_PHRASE_CHARS) return phrase
  throw new CloudError('BAD_INPUT', 'That is no recovery phrase: it has 24 words.', {
    chars: phrase.length,
  })
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CloudError('BAD_INPUT', `The file ${file} can’t be read: ${reason}`, { file })
  }
}
