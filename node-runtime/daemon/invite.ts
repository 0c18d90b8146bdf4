// `dharma invite` and `dharma join`: how people come into a cloud.
import type { DhtAddress } from 'hyperdht'
import { CloudError } from '../contract/errors.ts'
import { connectToFolder } from '../host/running-machine.ts'
import { openMachine } from './brief-machine.ts'
import { printJson, printText } from './output.ts'
import { withPhrase } from './phrase.ts'
import { readStdin, STDIN } from './standard-input.ts'

/** A link takes a hundred; its words as many. */
const MAX_JOIN_CHARS = 2_000

/**
 * @param options.page  where the page of `docs/invite/` lies
 * @throws CloudError NO_MACHINE, INVITATION_INVALID, LIMIT_REACHED, BAD_INPUT
 */
export async function invite(
  dataDir: string,
  { uses, expires, page, json }: { uses: number; expires: number; page?: string; json: boolean },
): Promise<void> {
  const behind = page === undefined ? null : readPage(page)
  const { client, close } = await connectToFolder(dataDir)
  const given = await client.cloud.invite({ uses, lastsMs: expires }).finally(close)
  const web = behind === null ? null : `${behind}#dharma-invite=${given.link.split('/').at(-1)}`
  if (json) return printJson(web === null ? given : { ...given, page: web })
  printText(`Link     ${given.link}`)
  if (web !== null) printText(`Page     ${web}`)
  printText(`Code     ${given.code}`)
  printText(`For      ${uses === 1 ? 'one person' : `${uses} persons`}`)
  printText(`Until    ${new Date(given.expiresMs).toISOString()}`)
  printText(`Take it back with: --withdraw ${given.id}`)
  printText('This machine must be on while somebody comes in by it.')
}

/** The address of a page as `docs/invite/` has it, without what would stand before the invitation. */
function readPage(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol === 'https:' && url.hash === '' && url.username === '') return url.href
  throw new CloudError(
    'BAD_INPUT',
    `"${text}" is no address of a page, such as https://host/invite/.`,
    {
      page: text,
    },
  )
}

/** @throws CloudError NO_MACHINE, INVITATION_INVALID */
export async function withdraw(dataDir: string, id: string, json: boolean): Promise<void> {
  const { client, close } = await connectToFolder(dataDir)
  await client.cloud.withdrawInvitation({ id }).finally(close)
  if (json) printJson({ id })
  else printText('The invitation lets nobody in any more.')
}

interface JoinOptions {
  /** `-`: it comes by standard input. */
  text: string
  bootstrap?: DhtAddress[]
  json: boolean
}

/** A machine that is off is started for the moment. @throws CloudError */
export async function join(dataDir: string, options: JoinOptions): Promise<void> {
  const text = options.text === STDIN ? await readStdin(MAX_JOIN_CHARS) : options.text
  const { bootstrap } = options
  const { client, running, close } = await openMachine(
    dataDir,
    bootstrap === undefined ? {} : { bootstrap },
  )
  try {
    await withPhrase(options, (phrase) => client.cloud.join({ cloud: text, ...phrase }))
    const { cloud, machine, state } = await client.cloud.status({})
    if (options.json) return printJson({ cloud, machine, state })
    printText(`Cloud    ${cloud}`)
    printText(`Machine  ${machine}`)
    if (!running) printText('Start the machine, and it looks for the others.')
  } finally {
    await close()
  }
}
