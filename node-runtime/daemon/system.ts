// `dharma system sign` and `dharma system verify`: for authors of systems.
import { access, realpath, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { CloudError } from '../contract/errors.ts'
import { encodeKey } from '../core/keys.ts'
import type { KeyPair } from '../core/keys.ts'
import { SIGNATURE_PATH } from '../core/systems/signature.ts'
import { openPublisherKey } from '../services/systems/publisher-key.ts'
import { signFolder } from '../services/systems/sign-folder.ts'
import { verifyFolder } from '../services/systems/verify-folder.ts'
import { COMMAND } from '../host/command-name.ts'
import { makeFolder, placeError } from '../store/folder-place.ts'
import { printJson, printText } from './output.ts'

/** Where an author's key lies if no other place is named. */
const KEY_NAME = 'publisher-key.json'

export interface SignOptions {
  folder: string
  dataDir: string
  /** The file of the key; by default in the data folder. */
  key?: string
  /** The file of the key that takes over. */
  next?: string
  json: boolean
}

/** @throws CloudError BAD_INPUT, FOLDER_UNUSABLE */
async function checkFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
    throw placeError(error, folder) ?? error
  })
  if (found?.isDirectory() === true) return
  throw new CloudError(
    'BAD_INPUT',
    `There is no folder ${folder}. Name the folder of the system’s repository.`,
    { folder },
  )
}

/** A secret that lies in a repository is committed one day. */
async function checkOutside(folder: string, file: string): Promise<void> {
  const from = relative(await realpath(folder), await realpath(dirname(file)))
  if (from === '..' || from.startsWith(`..${sep}`) || resolve(from) === from) return
  throw new CloudError(
    'BAD_INPUT',
    `The key must not lie in the folder that is published: ${file}. Choose a place outside of it.`,
    { file },
  )
}

async function openKey(file: string, { folder, json }: SignOptions): Promise<KeyPair> {
  await makeFolder(dirname(file))
  await checkOutside(folder, file)
  const { keys, isNew } = await openPublisherKey(file)
  if (isNew && !json) {
    printText(`A new key, ${encodeKey(keys.publicKey)}, is in ${file}.`)
    printText('Keep a copy of that file in a safe place: without it you cannot publish updates.')
  }
  return keys
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}

/** A new key can never go on with what another one has signed: then none is made. */
async function checkKeyIsHere(file: string, folder: string): Promise<void> {
  if ((await exists(file)) || !(await exists(join(folder, SIGNATURE_PATH)))) return
  throw new CloudError(
    'SYSTEM_SIGNATURE_INVALID',
    `This system is signed already, and its publisher’s key is not in ${file}. Name the file that it is in with --key. If you remove ${SIGNATURE_PATH}, it becomes another system, without the data of this one.`,
    { file },
  )
}

/** Signs the files of a folder; makes the key if there is none and the folder was never signed. */
export async function signSystemFolder(options: SignOptions): Promise<void> {
  const { folder, dataDir, key, next, json } = options
  const file = key ?? join(dataDir, KEY_NAME)
  await checkFolder(folder)
  await checkKeyIsHere(file, folder)
  const keys = await openKey(file, options)
  const successor = next === undefined ? undefined : await openKey(next, options)
  const signed = await signFolder(folder, keys, successor)
  if (json) return printJson(signed)
  printText(`Signed "${signed.id}" ${signed.version}, ${signed.fileCount} files.`)
  printText(`  system key  ${signed.key}`)
  printText(`  publisher   ${signed.publisher}`)
  if (signed.signer !== signed.publisher) printText(`  signed by   ${signed.signer}`)
  printText(`Commit ${SIGNATURE_PATH} together with the rest: it holds for exactly these files.`)
}

/** Says whose the newest commit of a folder is. Fails if its signature does not hold. */
export async function verifySystemFolder(folder: string, json: boolean): Promise<void> {
  await checkFolder(folder)
  const { id, version, commit, publisherKeys } = await verifyFolder(folder)
  if (publisherKeys === null) {
    throw new CloudError(
      'SYSTEM_SIGNATURE_INVALID',
      `The newest commit (${commit.slice(0, 12)}) of "${id}" is not signed. Run ${COMMAND} system sign, and commit ${SIGNATURE_PATH} together with the rest.`,
      { id, commit },
    )
  }
  if (json) return printJson({ id, version, commit, publisherKeys })
  printText(`"${id}" ${version} is signed at commit ${commit.slice(0, 12)}.`)
  printText(`  publisher   ${publisherKeys[0] ?? ''}`)
  for (const successor of publisherKeys.slice(1)) printText(`  then        ${successor}`)
}
