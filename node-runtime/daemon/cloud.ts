// `dharma cloud create`, `info`, `release` and `revoke`: for whoever begins a cloud.
import type { CloudInfo } from '../contract/cloud.ts'
import { connectIfRunning, connectToFolder } from '../host/running-machine.ts'
import type { Connection } from '../host/running-machine.ts'
import { createCloudIn } from '../machine/new-cloud.ts'
import type { NewCloud } from '../services/cloud/cloud-service.ts'
import { writeNew } from './new-file.ts'
import { printJson, printText } from './output.ts'
import { withPhrase } from './phrase.ts'

const ADMITS: Record<CloudInfo['admission'], string> = {
  link: 'whoever knows its key comes in',
  open: 'whoever knows its key and does a moment of work comes in',
  invitation: 'whom somebody of it invites comes in',
  release: 'builds of its owner come in',
  unknown: 'in a way of a later version of Dharma',
}

/** Running or not. @throws CloudError */
export async function createCloud(
  dataDir: string,
  { name, admission, json }: NewCloud & { json: boolean },
): Promise<void> {
  const running = await connectIfRunning(dataDir)
  const created =
    running === null
      ? { cloud: await createCloudIn(dataDir, { name, admission }), name, admission }
      : await withPhrase({ json }, (phrase) =>
          running.client.cloud.create({ name, admission, ...phrase }),
        ).finally(() => running.close())
  if (json) return printJson(created)
  printText('A new cloud began. This machine has the only key that speaks for it.')
  printText(`Cloud      ${created.cloud}`)
  printText(`Admission  ${created.admission}: ${ADMITS[created.admission]}`)
}

/** @throws CloudError NO_MACHINE */
export async function showCloud(dataDir: string, { json }: { json: boolean }): Promise<void> {
  const info = await ask(dataDir, ({ client }) => client.cloud.info({}))
  if (json) return printJson(info)
  printText(`Cloud      ${info.cloud}`)
  printText(`Name       ${info.name ?? 'not known yet'}`)
  printText(`Admission  ${info.admission}: ${ADMITS[info.admission]}`)
  printText(`Owner      ${info.owner ? 'this machine' : 'another machine'}`)
  for (const release of info.revokedReleases) printText(`Revoked    ${release}`)
}

/** Writes the file for the owner's eyes only. @throws CloudError NO_MACHINE, NOT_OWNER, BAD_INPUT */
export async function makeRelease(
  dataDir: string,
  options: { file: string; name: string; expires?: number; json: boolean },
): Promise<void> {
  const { file, name, expires, json } = options
  const expiresMs = expires === undefined ? null : Date.now() + expires
  let release = ''
  await writeNew(file, async () => {
    const made = await ask(dataDir, ({ client }) => client.cloud.release({ name, expiresMs }))
    ;({ release } = made)
    return `${JSON.stringify(made.file, null, 2)}\n`
  })
  if (json) return printJson({ release, file, expiresMs })
  printText(`Release  ${release}`)
  printText(`File     ${file}`)
  printText('Whoever has the file comes in. Build with it: DHARMA_RELEASE=<file> npm run pack')
}

/** @throws CloudError NO_MACHINE, NOT_OWNER */
export async function listReleases(dataDir: string, { json }: { json: boolean }): Promise<void> {
  const answer = await ask(dataDir, ({ client }) => client.cloud.releases({}))
  if (json) return printJson(answer)
  if (answer.releases.length === 0) printText('No release was made on this machine.')
  for (const { release, name, expiresMs, state } of answer.releases) {
    const until = expiresMs === null ? '' : `  until ${new Date(expiresMs).toISOString()}`
    printText(`${release}  ${state.padEnd(8)}${name ?? '(made elsewhere)'}${until}`)
  }
}

/**
 * @param options.release  its key, or the name that it alone has
 * @throws CloudError NO_MACHINE, NOT_OWNER, LIMIT_REACHED, RELEASE_UNKNOWN
 */
export async function revokeRelease(
  dataDir: string,
  { release, json }: { release: string; json: boolean },
): Promise<void> {
  const revoked = await ask(dataDir, ({ client }) => client.cloud.revokeRelease({ release }))
  if (json) printJson(revoked)
  else
    printText('Machines that run this release come in no more, as soon as the others hear of it.')
}

async function ask<T>(dataDir: string, call: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await connectToFolder(dataDir)
  return call(connection).finally(() => connection.close())
}
