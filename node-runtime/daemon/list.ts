// `dharma list`: begins, shows and writes look-up lists, through the machine of a folder, running or not; and writes
// down what a build needs to write to them.
import { readFile } from 'node:fs/promises'
import type { BuiltLists, ListContent } from '../contract/lists.ts'
import { CloudError } from '../contract/errors.ts'
import { parseListAddress } from '../core/finding/list-address.ts'
import { openMachine } from './brief-machine.ts'
import type { BriefMachine } from './brief-machine.ts'
import { writeNew } from './new-file.ts'
import { printJson, printText } from './output.ts'

interface Printing {
  json: boolean
}

interface Writing extends Printing {
  user: string
  tokenFile?: string
}

type Cloud = BriefMachine['client']['cloud']

/** @throws CloudError LIST_NO_KEY, and what `pushList` throws */
export async function createList(
  url: string,
  dataDir: string,
  options: Writing & { backup?: string },
): Promise<void> {
  const { backup, json } = options
  const access = await readAccess(options)
  const more = backup === undefined ? {} : { backup }
  await withCloud(dataDir, json, describeWritten, (cloud) =>
    cloud.createList({ url, ...access, ...more }),
  )
}

/** @throws CloudError LIST_URL_INVALID, LIST_MISSING, LIST_UNREACHABLE, LIST_INVALID */
export async function showList(url: string, dataDir: string, { json }: Printing): Promise<void> {
  await withCloud(dataDir, json, describeList, (cloud) => cloud.readList({ url }))
}

/** @throws CloudError BAD_INPUT, LIST_DENIED, LIST_CONFLICT, and what `showList` throws */
export async function pushList(url: string, dataDir: string, options: Writing): Promise<void> {
  const access = await readAccess(options)
  await withCloud(dataDir, options.json, describeWritten, (cloud) =>
    cloud.pushList({ url, ...access }),
  )
}

/**
 * Writes a file for `DHARMA_LISTS`: a build that is made with it reads the list, and writes to it.
 * @throws CloudError BAD_INPUT, LIST_URL_INVALID
 */
export async function bakeList(
  url: string,
  dataDir: string,
  { file, ...options }: Writing & { file: string },
): Promise<void> {
  const { access = null } = await readAccess(options)
  const place = parseListAddress(url)
  const { client, close } = await openMachine(dataDir, { ways: [] })
  const { cloud } = await client.cloud.status({}).finally(close)
  const built: BuiltLists = {
    listsFile: 1,
    cloud,
    lists: [{ url: place.url, keeps: true, access }],
  }
  await writeNew(file, async () => `${JSON.stringify(built, null, 2)}\n`)
  if (options.json) return printJson({ file, cloud, url: place.url })
  printText(`File     ${file}`)
  printText('Build with it: DHARMA_LISTS=<file> npm run pack')
  printText('Whoever has that build can write to the list. Keep it to yourself.')
}

async function withCloud(
  dataDir: string,
  json: boolean,
  describe: (content: ListContent) => string[],
  ask: (cloud: Cloud) => Promise<ListContent>,
): Promise<void> {
  // One that is off looks for nobody: what it knows is on its disk.
  const { client, close } = await openMachine(dataDir, { ways: [] })
  try {
    const content = await ask(client.cloud)
    if (json) printJson(content)
    else for (const line of describe(content)) printText(line)
  } finally {
    await close()
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

/** What came of writing to a list. */
export function describeWritten(content: ListContent): string[] {
  const what = content.pushed
    ? 'It was written.'
    : 'The list holds all of that already: there was nothing to write.'
  return [...describeList(content), what]
}

function describeList({ url, entries, newest, machines, backup }: ListContent): string[] {
  const age = newest === null ? '' : `, the newest signed ${new Date(newest).toISOString()}`
  return [
    `List    ${url}`,
    `Entries ${entries}${age}`,
    ...(backup === null ? [] : [`Backup  ${backup}`]),
    ...machines.map(
      ({ name, machine, addresses }) =>
        `  ${machine.slice(0, 8)}  ${name.padEnd(20)}  ${addresses.join(', ')}`,
    ),
  ]
}
