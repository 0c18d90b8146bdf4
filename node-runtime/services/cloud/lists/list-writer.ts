// Writes a list: what is there is merged with what this machine knows, and pushed; if another machine was faster,
// all over again.
import { mkdir, readdir } from 'node:fs/promises'
import nodeFs from 'node:fs'
import { fileURLToPath } from 'node:url'
import git from 'isomorphic-git'
import { CloudError } from '../../../contract/errors.ts'
import { HEAD_FILE } from '../../../core/finding/list-address.ts'
import type { ListPlace } from '../../../core/finding/list-address.ts'
import {
  candidateOf,
  isWorthWriting,
  mergeListed,
  signListManifest,
  writeHead,
  writeShard,
} from '../../../core/finding/list-form.ts'
import type { ListedMachine, ListHead } from '../../../core/finding/list-form.ts'
import { drawSample } from '../../../core/finding/list-sample.ts'
import { diskError } from '../../../store/disk-errors.ts'
import { deniedList } from './list-failure.ts'
import { readList, shardFile } from './list-reader.ts'
import type { ReadingOptions, ReadList } from './list-reader.ts'
import { folderAt, UNCHANGED, withSource } from './list-source.ts'
import type { SourceOptions } from './list-source.ts'
import { pushFiles } from './list-push.ts'

/** Writers that meet a few times in a row draw apart by then. */
const MAX_TRIES = 8
const FIRST_PAUSE_MS = 50
/** Who may say that a list is the cloud's. */
export interface CloudSpeaker {
  genesis: string
  /** One of the keys in it. */
  publicKey: string
  secretKey: Uint8Array
}

export interface WritingOptions extends ReadingOptions, SourceOptions {
  /** Machines that are to be listed, this one among them. */
  machines: readonly ListedMachine[]
  /** Signs the manifest anew; absent where only entries are written. */
  speaker?: CloudSpeaker
  /** Goes into a manifest that is signed anew. */
  backup?: string
  /** Only if it is much better than what is there. */
  onlyIfWorthIt?: boolean
  random?: () => number
}

export interface WrittenList extends ReadList {
  /** False if all of it was there already. */
  pushed: boolean
}

/**
 * @throws CloudError LIST_MISSING if there is no list, and no speaker to begin one; LIST_INVALID if something else
 *   is there; LIST_DENIED, LIST_CONFLICT, LIST_UNREACHABLE
 */
export async function writeList(place: ListPlace, options: WritingOptions): Promise<WrittenList> {
  const { url, signal, random = Math.random } = options
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const written = await withSource(place, options, async (source) => {
      if (source.repository === null) throw deniedList(url, 'it is read there as plain files')
      const before = await readBefore(
        () => readList(source, options, { whole: true, mending: true }),
        options,
      )
      const next = compose(before, options)
      if (next === null && before !== null) return { ...before, pushed: false }
      if (next === null) throw new Error('a list that is not there needs a speaker')
      const isDone = await pushFiles(source.repository, next.files, options)
      return isDone ? { ...next.list, pushed: true } : null
    })
    if (written !== null && written !== UNCHANGED) return written
    const pauseMs = FIRST_PAUSE_MS * 2 ** tries * (0.5 + random())
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    signal?.throwIfAborted()
  }
  throw new CloudError(
    'LIST_CONFLICT',
    'Others write to this list all the time, or the place takes no changes. It can be tried again later.',
    { url, tries: MAX_TRIES },
  )
}

/** A repository at the place, if that is a folder of this computer that is empty or not there. */
export async function prepareFolder(place: ListPlace): Promise<void> {
  if (place.kind !== 'file') return
  const path = fileURLToPath(place.url)
  const folder = await folderAt(path)
  if (folder.kind === 'repository') return
  try {
    await mkdir(path, { recursive: true })
    if ((await readdir(path)).length > 0) {
      throw deniedList(place.url, 'the folder is not empty, and no git repository')
    }
    await git.init({ fs: nodeFs, dir: path, gitdir: path, bare: true, defaultBranch: 'main' })
  } catch (error) {
    throw diskError(error, path)
  }
}

async function readBefore(
  read: () => Promise<ReadList>,
  { speaker }: WritingOptions,
): Promise<ReadList | null> {
  try {
    return await read()
  } catch (error) {
    const isMissing = error instanceof CloudError && error.code === 'LIST_MISSING'
    if (isMissing && speaker !== undefined) return null
    throw error
  }
}

interface Composed {
  list: ReadList
  files: Map<string, Buffer>
}

/** The whole list as it should be; null if it is so already. */
function compose(before: ReadList | null, options: WritingOptions): Composed | null {
  const { seal, nowMs, machines, onlyIfWorthIt = false } = options
  const merged = mergeListed([[...(before?.machines.values() ?? [])], machines], nowMs)
  const drawn = drawSample([...merged.values()].map(candidateOf), nowMs)
  const files = new Map<string, Buffer>()
  const listed = new Map<string, ListedMachine>()
  for (const [at, keys] of drawn.entries()) {
    const of = keys.map((machine) => merged.get(machine)).filter((one) => one !== undefined)
    const { file, written } = writeShard(of, seal)
    files.set(shardFile(at), file)
    for (const machine of written) listed.set(machine.entry.machine, machine)
  }
  const signed = manifestOf(before, options)
  const shards = drawn.length as ListHead['shards']
  const list = { head: { ...signed, shards }, machines: listed, isWhole: true }
  files.set(HEAD_FILE, writeHead(list.head, seal))
  if (before === null) return { list, files }
  const isNew = signed.manifest !== before.head.manifest
  const isBetter = isWorthWriting(before.machines, listed.values(), nowMs)
  const isOther =
    listed.size !== before.machines.size ||
    [...listed].some(
      ([machine, { entry }]) => before.machines.get(machine)?.entry.sequence !== entry.sequence,
    )
  return isNew || isBetter || (isOther && !onlyIfWorthIt) ? { list, files } : null
}

function manifestOf(
  before: ReadList | null,
  { cloud, speaker, backup, nowMs }: WritingOptions,
): Pick<ListHead, 'genesis' | 'manifest'> {
  if (before !== null && (speaker === undefined || backup === before.head.manifest.backup)) {
    return { genesis: before.head.genesis, manifest: before.head.manifest }
  }
  if (speaker === undefined) throw new Error('only a speaker of the cloud begins a list')
  const { genesis, publicKey: signer, secretKey } = speaker
  const sequence = Math.max(nowMs, (before?.head.manifest.sequence ?? 0) + 1)
  const statement = {
    cloud,
    signer,
    sequence,
    ...(backup === undefined ? {} : { backup }),
  }
  return { genesis, manifest: signListManifest(statement, secretKey) }
}
