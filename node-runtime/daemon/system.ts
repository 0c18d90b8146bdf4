// `dharma system init`, `sign` and `verify`: for authors of systems.
import { access, readdir, realpath, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { CloudError } from '../contract/errors.ts'
import { encodeKey } from '../core/keys.ts'
import type { KeyPair } from '../core/keys.ts'
import { SIGNATURE_PATH } from '../core/systems/signature.ts'
import { openPublisherKey } from '../services/systems/publisher-key.ts'
import { MANIFEST_PATH } from '../services/systems/manifest.ts'
import { readSystemFolder, signFolder } from '../services/systems/sign-folder.ts'
import { verifyFolder } from '../services/systems/verify-folder.ts'
import { COMMAND } from '../host/command-name.ts'
import { EXTENSIONS_DIR } from '../host/places.ts'
import { makeFolder, placeError } from '../store/folder-place.ts'
import { printJson, printText } from './output.ts'
import { createRepository } from './system-repository.ts'

/** Where an author's key lies if no other place is named. */
const KEY_NAME = 'publisher-key.json'

interface KeyOptions {
  folder: string
  dataDir: string
  /** The file of the key; by default in the data folder. */
  key?: string
  json: boolean
}

export interface InitOptions extends KeyOptions {
  /** The system that comes with Dharma, by the name of its folder. */
  from: string
  /** Instead of its own. */
  id?: string
  name?: string
}

export interface SignOptions extends KeyOptions {
  /** The file of the key that takes over. */
  next?: string
}

/** @throws CloudError BAD_INPUT, FOLDER_UNUSABLE */
async function checkFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
    throw placeError(error, folder) ?? error
  })
  if (found?.isDirectory() === true) return checkRepository(folder)
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

/** Before a key is made for it. A work tree has a file in the place of its repository. */
async function checkRepository(folder: string): Promise<void> {
  if (await exists(join(folder, '.git', 'HEAD'))) return
  if (!(await exists(join(folder, '.git')))) return
  throw new CloudError(
    'BAD_INPUT',
    `${folder} is a work tree or a submodule of another repository. Take a clone of it.`,
    { folder },
  )
}

async function openKey(file: string, { folder, json }: KeyOptions): Promise<KeyPair> {
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

/** The folder of a system that comes with Dharma. @throws CloudError BAD_INPUT */
async function findSystem(name: string): Promise<string> {
  const folders = await readdir(EXTENSIONS_DIR)
  const present = await Promise.all(
    folders.map((folder) => exists(join(EXTENSIONS_DIR, folder, MANIFEST_PATH))),
  )
  const systems = folders.filter((_, index) => present[index])
  if (systems.includes(name)) return join(EXTENSIONS_DIR, name)
  throw new CloudError(
    'BAD_INPUT',
    `No system "${name}" comes with Dharma. There are: ${systems.join(', ')}.`,
    { name, systems },
  )
}

/** @throws CloudError BAD_INPUT, FOLDER_UNUSABLE */
async function checkEmpty(folder: string): Promise<void> {
  await makeFolder(folder)
  if ((await readdir(folder)).length === 0) return
  throw new CloudError(
    'BAD_INPUT',
    `There is something in ${folder} already. Choose a folder that is empty, or not there.`,
    { folder },
  )
}

/** Makes a repository of a system that comes with Dharma: copied, signed, committed. */
export async function initSystemFolder(options: InitOptions): Promise<void> {
  const { folder, dataDir, key, from, id, name, json } = options
  const source = await findSystem(from)
  await checkEmpty(folder)
  const keys = await openKey(key ?? join(dataDir, KEY_NAME), options)
  const made = await createRepository({
    source,
    folder,
    keys,
    ...(id === undefined ? {} : { id }),
    ...(name === undefined ? {} : { name }),
  }).catch(async (error: unknown) => {
    // Half a system would be in the way of the next try.
    await rm(folder, { recursive: true, force: true })
    throw error
  })
  if (json) return printJson(made)
  printText(`"${made.id}" ${made.version} is a repository of its own now, signed and committed.`)
  printText(`  system key  ${made.key}`)
  printText('Put its address into Dharma’s address bar to install it:')
  printText(made.url)
  printText('Pushed to a place that others can read, it is the same system for them.')
}

/** Signs the files of a folder; makes the key if there is none and the folder was never signed. */
export async function signSystemFolder(options: SignOptions): Promise<void> {
  const { folder, dataDir, key, next, json } = options
  const file = key ?? join(dataDir, KEY_NAME)
  await checkFolder(folder)
  await checkKeyIsHere(file, folder)
  // No key is made for what is no system.
  await readSystemFolder(folder)
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
