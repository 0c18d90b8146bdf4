// `dharma person`: attests and revokes the machines of a person, on the running machine of a folder.
import { readFile } from 'node:fs/promises'
import { CloudError } from '../contract/errors.ts'
import { MAX_ATTESTED_CHARS } from '../contract/identity.ts'
import { keySchema, MAX_VERSION_MS } from '../contract/values.ts'
import { COMMAND } from '../host/command-name.ts'
import { connectToFolder } from '../host/running-machine.ts'
import { printJson, printText } from './output.ts'
import { readStdin, STDIN } from './standard-input.ts'

/** A phrase takes 215 characters at most. */
const MAX_PHRASE_CHARS = 500

export interface PersonOptions {
  dataDir: string
  json: boolean
  /** A file with the recovery phrase, or `-` for stdin: an argument would be seen by other programs. */
  phraseFile: string | undefined
}

/** @throws CloudError BAD_INPUT */
async function readPhrase(file: string | undefined): Promise<{ phrase?: string }> {
  if (file === undefined) return {}
  const phrase = (
    file === STDIN ? await readStdin(2 * MAX_PHRASE_CHARS) : await readText(file)
  ).trim()
  if (phrase !== '' && phrase.length <= MAX_PHRASE_CHARS) return { phrase }
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

/** @throws CloudError BAD_INPUT */
function readKey(machine: string): string {
  const key = keySchema.safeParse(machine)
  if (key.success) return key.data
  throw new CloudError(
    'BAD_INPUT',
    `"${machine}" is not the key of a machine. See: ${COMMAND} call cloud.machines`,
    { machine },
  )
}

/** A time as `Date` reads it, or `never`. @throws CloudError BAD_INPUT */
function readTime(text: string | undefined): { keepUntilMs?: number | null } {
  if (text === undefined) return {}
  if (text === 'never') return { keepUntilMs: null }
  const timeMs = Date.parse(text)
  if (timeMs >= 0 && timeMs <= MAX_VERSION_MS) return { keepUntilMs: timeMs }
  throw new CloudError('BAD_INPUT', `"${text}" is no time, such as 2026-11-30T12:00:00Z.`, {
    text,
  })
}

/**
 * Attests a machine in the present cloud: this one if none is named. What another is to take is printed.
 * @throws CloudError any of identity.attest, NO_MACHINE, BAD_INPUT
 */
export async function attestMachine(
  machine: string | undefined,
  { dataDir, json, phraseFile }: PersonOptions,
): Promise<void> {
  const phrase = await readPhrase(phraseFile)
  const { client, close } = await connectToFolder(dataDir)
  try {
    const self = await client.identity.whoami({})
    const key = machine === undefined ? self.machine : readKey(machine)
    const attested = await client.identity.attest({ machine: key, ...phrase })
    if (json) return printJson(attested)
    if (key === self.machine) return printText('This machine is attested anew.')
    printText(
      'On that machine, which must have joined the same cloud, put this in. It is no secret.',
    )
    printText(`  ${COMMAND} person accept ${attested.text}`)
  } finally {
    close()
  }
}

/**
 * Makes this machine the person's who has attested it.
 * @param text  what `attestMachine` printed; `-`: it comes on stdin
 * @throws CloudError as identity.accept, NO_MACHINE
 */
export async function acceptAttestation(
  text: string,
  { dataDir, json }: Omit<PersonOptions, 'phraseFile'>,
): Promise<void> {
  const given = text === STDIN ? await readStdin(MAX_ATTESTED_CHARS) : text
  const { client, close } = await connectToFolder(dataDir)
  try {
    const accepted = await client.identity.accept({ text: given })
    if (json) printJson(accepted)
    else printText(`This machine is now one of ${accepted.person}.`)
  } finally {
    close()
  }
}

/**
 * Revokes a machine in the present cloud.
 * @param keepUntil  a time; what it wrote until then stays. `never`: nothing stays; absent: all until now
 * @throws CloudError any of identity.revoke, NO_MACHINE, BAD_INPUT
 */
export async function revokeMachine(
  machine: string,
  { dataDir, json, phraseFile, keepUntil }: PersonOptions & { keepUntil: string | undefined },
): Promise<void> {
  const key = readKey(machine)
  const time = readTime(keepUntil)
  const phrase = await readPhrase(phraseFile)
  const { client, close } = await connectToFolder(dataDir)
  try {
    const revoked = await client.identity.revoke({ machine: key, ...time, ...phrase })
    if (json) return printJson(revoked)
    const what = revoked.validUntil === null ? 'Nothing that it wrote' : 'What it wrote until then'
    printText(`The machine is revoked. ${what} stays; all machines of the cloud hear of it.`)
  } finally {
    close()
  }
}
