// `dharma list`: begins, shows and writes look-up lists, through the running machine of a folder.
import { readFile } from 'node:fs/promises'
import type { ListContent } from '../contract/lists.ts'
import { CloudError } from '../contract/errors.ts'
import { connectToFolder } from '../host/running-machine.ts'
import { printJson, printText } from './output.ts'

interface Printing {
  json: boolean
}

interface Writing extends Printing {
  user: string
  tokenFile?: string
}

type Cloud = Awaited<ReturnType<typeof connectToFolder>>['client']['cloud']

/** @throws CloudError NO_MACHINE, LIST_NO_KEY, and what `pushList` throws */
export async function createList(
  url: string,
  dataDir: string,
  options: Writing & { backup?: string },
): Promise<void> {
  const { backup, json } = options
  const access = await readAccess(options)
  const more = backup === undefined ? {} : { backup }
  await withCloud(dataDir, json, (cloud) => cloud.createList({ url, ...access, ...more }))
}

/** @throws CloudError NO_MACHINE, LIST_URL_INVALID, LIST_MISSING, LIST_UNREACHABLE, LIST_INVALID */
export async function showList(url: string, dataDir: string, { json }: Printing): Promise<void> {
  await withCloud(dataDir, json, (cloud) => cloud.readList({ url }))
}

/** @throws CloudError BAD_INPUT, LIST_DENIED, LIST_CONFLICT, and what `showList` throws */
export async function pushList(url: string, dataDir: string, options: Writing): Promise<void> {
  const access = await readAccess(options)
  await withCloud(dataDir, options.json, (cloud) => cloud.pushList({ url, ...access }))
}

async function withCloud(
  dataDir: string,
  json: boolean,
  ask: (cloud: Cloud) => Promise<ListContent>,
): Promise<void> {
  const { client, close } = await connectToFolder(dataDir)
  try {
    const content = await ask(client.cloud)
    if (json) printJson(content)
    else for (const line of describe(content)) printText(line)
  } finally {
    close()
  }
}

async function readAccess({
  user: username,
  tokenFile,
}: Writing): Promise<{ access?: { username: string; secret: string } }> {
  if (tokenFile === undefined) return {}
  const text = await readFile(tokenFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const message = `The file of the token can not be read (${error.code ?? 'no reason given'}).`
    throw new CloudError('BAD_INPUT', message, { file: tokenFile })
  })
  return { access: { username, secret: text.trim() } }
}

function describe({ url, entries, newest, machines, backup, pushed }: ListContent): string[] {
  const age = newest === null ? '' : `, the newest signed ${new Date(newest).toISOString()}`
  return [
    `List    ${url}`,
    `Entries ${entries}${age}`,
    ...(backup === null ? [] : [`Backup  ${backup}`]),
    ...(pushed ? ['It was written.'] : []),
    ...machines.map(
      ({ name, machine, addresses }) =>
        `  ${machine.slice(0, 8)}  ${name.padEnd(20)}  ${addresses.join(', ')}`,
    ),
  ]
}
