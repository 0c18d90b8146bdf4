// `dharma person`: attests and revokes the machines of a person, on the running machine of a folder.
import { CloudError } from '../contract/errors.ts'
import { MAX_ATTESTED_CHARS } from '../contract/identity.ts'
import { keySchema, MAX_VERSION_MS } from '../contract/values.ts'
import { COMMAND } from '../host/command-name.ts'
import { connectToFolder } from '../host/running-machine.ts'
import { printJson, printText } from './output.ts'
import { withPhrase } from './phrase.ts'
import type { PhraseOptions } from './phrase.ts'
import { readStdin, STDIN } from './standard-input.ts'

export interface PersonOptions extends PhraseOptions {
  dataDir: string
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
  options: PersonOptions,
): Promise<void> {
  const { dataDir, json } = options
  const { client, close } = await connectToFolder(dataDir)
  try {
    const self = await client.identity.whoami({})
    const key = machine === undefined ? self.machine : readKey(machine)
    const attested = await withPhrase(options, (phrase) =>
      client.identity.attest({ machine: key, ...phrase }),
    )
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
 * @param text  what `attestMachine` printed, all of it or its last word; `-`: it comes on stdin
 * @throws CloudError as identity.accept, NO_MACHINE
 */
export async function acceptAttestation(
  text: string,
  { dataDir, json, forgetPhrase }: Omit<PersonOptions, 'phraseFile'> & { forgetPhrase: boolean },
): Promise<void> {
  const given = text === STDIN ? await readStdin(MAX_ATTESTED_CHARS) : text
  const { client, close } = await connectToFolder(dataDir)
  try {
    const accepted = await client.identity
      .accept({ text: given, forgetPhrase })
      .catch((error: unknown) => {
        throw withHint(error)
      })
    if (json) printJson(accepted)
    else printText(`This machine is now one of ${accepted.person}.`)
  } finally {
    close()
  }
}

function withHint(error: unknown): unknown {
  if (!(error instanceof CloudError) || error.code !== 'IDENTITY_PHRASE_KEPT') return error
  const hint = `${COMMAND} call identity.recoveryPhrase shows it, --yes lets it go.`
  return new CloudError(error.code, `${error.message} ${hint}`, error.details, { cause: error })
}

/**
 * Revokes a machine in the present cloud.
 * @param keepUntil  a time; what it wrote until then stays. `never`: nothing stays; absent: all until now
 * @throws CloudError any of identity.revoke, NO_MACHINE, BAD_INPUT
 */
export async function revokeMachine(
  machine: string,
  options: PersonOptions & { keepUntil: string | undefined },
): Promise<void> {
  const { dataDir, json, keepUntil } = options
  const key = readKey(machine)
  const time = readTime(keepUntil)
  const { client, close } = await connectToFolder(dataDir)
  try {
    const revoked = await withPhrase(options, (phrase) =>
      client.identity.revoke({ machine: key, ...time, ...phrase }),
    )
    if (json) return printJson(revoked)
    const what = revoked.validUntil === null ? 'Nothing that it wrote' : 'What it wrote until then'
    printText(`The machine is revoked. ${what} stays; all machines of the cloud hear of it.`)
    printText('Whom it has let in by invitation since then is let in no more.')
  } finally {
    close()
  }
}
