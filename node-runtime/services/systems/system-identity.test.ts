import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { GitServer } from '../../../e2e/support/git-server.ts'
import type { InstalledSystem } from '../../contract/systems.ts'
import { encodeKey, keyPair } from '../../core/keys.ts'
import { SIGNATURE_PATH, signSuccessor } from '../../core/systems/signature.ts'
import { signedSystemKey, systemKeyAt } from '../../core/systems/system-key.ts'
import { silentLog } from '../../testing/cloud-nodes.ts'
import {
  makeFolder,
  NOTES_ID,
  notesFiles,
  notesManifest,
  serveNotes,
} from '../../testing/notes-repository.ts'
import { signatureIn, signFiles } from '../../testing/signed-files.ts'
import { openSystemStore } from './system-store.ts'
import type { SystemStore } from './system-store.ts'

// Real servers, on a machine that may have other work.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const keysOf = (seed: number) => keyPair(new Uint8Array(32).fill(seed))
const nameOf = (seed: number): string => encodeKey(keysOf(seed).publicKey)
const MACHINE = nameOf(1)
const [publisher, successor, stranger] = [2, 3, 4] as const
const SIGNED_KEY = signedSystemKey(nameOf(publisher), NOTES_ID)

const withManifest = (
  changes: object,
  files: Record<string, string> = notesFiles,
): Record<string, string> => ({
  ...files,
  'dharma.json': JSON.stringify({ ...notesManifest, ...changes }),
})
const signed = signFiles(notesFiles, keysOf(publisher))
const handedOver = signFiles(
  notesFiles,
  keysOf(successor),
  signSuccessor(signatureIn(signed), keysOf(publisher), nameOf(successor)),
)

let server: GitServer
let dataDir: string
let store: SystemStore

const open = (machine = MACHINE): Promise<SystemStore> =>
  openSystemStore({ dataDir, machine, sdkDir: dataDir, log: silentLog })
const originKey = (name: string, id = NOTES_ID): string =>
  systemKeyAt(server.urlOf(name), id, MACHINE)

/** Installs the newest commit of a repository. */
async function install(name: string): Promise<InstalledSystem> {
  const url = server.urlOf(name)
  return store.install({ url, commit: await server.commitOf(name), grant: [] })
}

/** A commit that makes these the files of a repository. */
async function publish(name: string, files: Record<string, string>): Promise<void> {
  await server.commit(name, { [SIGNATURE_PATH]: null, ...files })
}

beforeAll(async () => {
  server = await serveNotes({
    other: notesFiles,
    signed,
    mirror: signed,
    strangers: signFiles(notesFiles, keysOf(stranger)),
    moving: notesFiles,
    changing: notesFiles,
    bad: notesFiles,
  })
})
afterAll(() => server.close())
beforeEach(async () => {
  dataDir = await makeFolder({})
  store = await open()
})
afterEach(() => rm(dataDir, { recursive: true }))

describe('another author with the same id', () => {
  test('has another system, with files, host and permissions of its own', async () => {
    const first = await install('notes')
    const preview = await store.preview(server.urlOf('other'))
    expect(preview).toMatchObject({
      key: originKey('other'),
      installed: null,
      changes: null,
      host: `${NOTES_ID}--${originKey('other').slice(0, 12)}`,
      namesakes: [
        {
          key: first.key,
          host: NOTES_ID,
          url: server.urlOf('notes'),
          publisher: null,
          sameAddress: false,
          continued: false,
        },
      ],
    })
    const second = await install('other')
    expect(second.key).toBe(originKey('other'))
    expect(second.host).toBe(`${NOTES_ID}--${second.key.slice(0, 12)}`)
    await store.setGrant(second.key, ['db'])
    for (const each of [store, await open()]) {
      expect(each.list().map(({ host }) => host)).toEqual([NOTES_ID, second.host])
      expect(each.hasPermission(first.key, 'db')).toBe(false)
      expect(each.hasPermission(second.key, 'db')).toBe(true)
      expect(each.hasPermission(NOTES_ID, 'db')).toBe(false)
      expect(() => each.resolve(NOTES_ID)).toThrow('Name the one you mean by its key')
      expect(each.resolve(second.host)).toBe(second.key)
    }
    const folders = (await readdir(join(dataDir, 'systems'))).filter(
      (name) => !name.startsWith('installed.json'),
    )
    expect(folders.toSorted()).toEqual([first.key, second.key].toSorted())
    await store.uninstall(first.key)
    expect(store.get(second.key)?.host).toBe(second.host)
    expect((await install('notes')).host).toBe(`${NOTES_ID}--${first.key.slice(0, 12)}`)
  })

  test('is another one, too, if both are signed, or only one is', async () => {
    const keys = [await install('notes'), await install('signed'), await install('strangers')]
    expect(keys.map(({ key }) => key)).toEqual([
      originKey('notes'),
      SIGNED_KEY,
      signedSystemKey(nameOf(stranger), NOTES_ID),
    ])
    expect(keys.map(({ publisher }) => publisher)).toEqual([
      null,
      nameOf(publisher),
      nameOf(stranger),
    ])
  })
})

describe('a signed system', () => {
  test('is the same one wherever it lies, and updates from there', async () => {
    const first = await install('signed')
    expect(first).toMatchObject({ key: SIGNED_KEY, host: NOTES_ID })
    const url = pathToFileURL(server.folderOf('mirror')).href
    const preview = await store.preview(url)
    expect(preview).toMatchObject({
      key: SIGNED_KEY,
      publisher: nameOf(publisher),
      installed: { key: SIGNED_KEY, url: server.urlOf('signed') },
      namesakes: [],
    })
    await store.install({ url, commit: preview.commit, grant: [] })
    expect(store.list()).toHaveLength(1)
    expect(store.get(SIGNED_KEY)?.url).toBe(url)
  })

  const refusals: [name: string, files: Record<string, string>, words: string][] = [
    ['that was changed afterwards', { ...signed, 'ui/main.ts': 'evil' }, 'not the ones'],
    ['that got one more file', { ...signed, 'ui/more.ts': 'evil' }, 'not the ones'],
    ['whose signature is no signature', { ...signed, [SIGNATURE_PATH]: '{}' }, 'is not valid'],
    [
      'with the signature of another system',
      {
        ...notesFiles,
        [SIGNATURE_PATH]:
          signFiles(withManifest({ id: 'org.example.other' }), keysOf(publisher))[SIGNATURE_PATH] ??
          '',
      },
      'another system',
    ],
  ]
  test.each(refusals)('%s is refused, seen and installed', async (_, files, words) => {
    await publish('bad', files)
    const before = store.list()
    const refused = { code: 'SYSTEM_SIGNATURE_INVALID', message: expect.stringContaining(words) }
    await expect(store.preview(server.urlOf('bad'))).rejects.toMatchObject(refused)
    await expect(install('bad')).rejects.toMatchObject(refused)
    await server.commit('bad', { 'ui/more.ts': null })
    expect(store.list()).toEqual(before)
  })

  test('goes on under a successor, and never again under the key before', async () => {
    await publish('bad', signed)
    await install('bad')
    await publish('bad', handedOver)
    expect((await install('bad')).key).toBe(SIGNED_KEY)
    store = await open()
    await publish('bad', signed)
    const refused = {
      code: 'SYSTEM_SIGNATURE_INVALID',
      message: expect.stringContaining('has replaced since'),
    }
    await expect(install('bad')).rejects.toMatchObject(refused)
    // Somebody with the old key hands over to themselves.
    const forked = signSuccessor(signatureIn(signed), keysOf(publisher), nameOf(stranger))
    await publish('bad', signFiles(notesFiles, keysOf(stranger), forked))
    await expect(install('bad')).rejects.toMatchObject({ code: 'SYSTEM_KEYS_FORKED' })
    expect(store.get(SIGNED_KEY)?.commit).not.toBe(await server.commitOf('bad'))
    // The person decides for them; that holds after a restart, too.
    await store.forgetPublisher(nameOf(publisher))
    store = await open()
    await install('bad')
    expect(store.get(SIGNED_KEY)?.commit).toBe(await server.commitOf('bad'))
    await expect(store.forgetPublisher(nameOf(successor))).rejects.toMatchObject({
      code: 'SYSTEM_PUBLISHER_UNKNOWN',
    })
  })

  test('is refused under the key before when it was uninstalled, too', async () => {
    await publish('bad', handedOver)
    await install('bad')
    await store.uninstall(SIGNED_KEY)
    await publish('bad', signed)
    const refused = {
      code: 'SYSTEM_SIGNATURE_INVALID',
      message: expect.stringContaining('ask the publisher to sign with the present one'),
      details: { publisher: nameOf(publisher), replacedBy: nameOf(successor) },
    }
    for (const _ of ['at once', 'and after a restart']) {
      await expect(store.preview(server.urlOf('bad'))).rejects.toMatchObject(refused)
      await expect(install('bad')).rejects.toMatchObject(refused)
      store = await open()
    }
    await publish('bad', handedOver)
    expect((await install('bad')).key).toBe(SIGNED_KEY)
    await store.uninstall(SIGNED_KEY)
    await publish('bad', signed)
    await expect(install('bad')).rejects.toMatchObject(refused)
  })

  test('whose signature is taken away is another system from then on', async () => {
    await publish('bad', signed)
    await install('bad')
    await publish('bad', notesFiles)
    expect(await store.preview(server.urlOf('bad'))).toMatchObject({
      key: originKey('bad'),
      installed: null,
      namesakes: [{ key: SIGNED_KEY, sameAddress: true }],
    })
  })
})

describe('a system that continues another', () => {
  const continuing = (key: string, id = NOTES_ID): Record<string, string> =>
    withManifest({ id, continues: key, version: '2.0.0' })

  test('takes its place when it is signed now, at the old address', async () => {
    await publish('moving', notesFiles)
    const before = await install('moving')
    const files = signFiles(continuing(before.key), keysOf(publisher))
    await publish('moving', files)
    expect(await store.preview(server.urlOf('moving'))).toMatchObject({
      key: SIGNED_KEY,
      installed: { key: before.key, version: '1.0.0' },
      namesakes: [],
    })
    const other = await install('other')
    const after = await install('moving')
    expect(after).toMatchObject({ key: SIGNED_KEY, host: before.host, formerKeys: [before.key] })
    store = await open()
    expect(store.list().map(({ key }) => key)).toEqual([SIGNED_KEY, other.key])
    expect(store.get(before.key)).toBeUndefined()
    expect(store.get(SIGNED_KEY)?.formerKeys).toEqual([before.key])
    expect(await readdir(join(dataDir, 'systems'))).not.toContain(before.key)
    // The next version need not say it again.
    await publish('moving', signed)
    expect(await install('moving')).toMatchObject({ key: SIGNED_KEY, formerKeys: [before.key] })
  })

  test('is known by the old key on a machine that never had the old one', async () => {
    const old = originKey('moving')
    await publish('moving', signFiles(continuing(old), keysOf(publisher)))
    expect(await install('moving')).toMatchObject({ key: SIGNED_KEY, formerKeys: [old] })
  })

  test('may take another id in the name of the same publisher', async () => {
    const before = await install('signed')
    const files = signFiles(continuing(before.key, 'org.example.lists'), keysOf(publisher))
    await publish('moving', files)
    const after = await install('moving')
    expect(after.key).toBe(signedSystemKey(nameOf(publisher), 'org.example.lists'))
    expect(after).toMatchObject({ host: NOTES_ID, formerKeys: [before.key] })
    expect(store.list()).toHaveLength(1)
  })

  test.each([
    ['from another address', 'notes', (key: string) => continuing(key)],
    [
      'signed, from another address',
      'notes',
      (key: string) => signFiles(continuing(key), keysOf(stranger)),
    ],
    [
      'signed by another publisher',
      'signed',
      (key: string) => signFiles(continuing(key), keysOf(stranger)),
    ],
    ['unsigned', 'signed', (key: string) => continuing(key)],
  ])('is only a claim %s', async (_, victim, filesFor) => {
    const before = await install(victim)
    await publish('moving', filesFor(before.key))
    const after = await install('moving')
    expect(after.formerKeys).toEqual([])
    expect(after.key).not.toBe(before.key)
    expect(store.get(before.key)?.commit).toBe(before.commit)
    expect(store.list()).toHaveLength(2)
  })

  test('is only a claim about a system that is not here', async () => {
    await publish('moving', signFiles(continuing(originKey('notes')), keysOf(publisher)))
    expect((await install('moving')).formerKeys).toEqual([])
  })
})

test('the preview of an update says what changes', async () => {
  await publish('changing', notesFiles)
  await install('changing')
  const { notes, results } = notesManifest.collections
  const schema = { ...notes.schema, required: ['text', 'due'] }
  await publish(
    'changing',
    withManifest({
      version: '0.9.0',
      permissions: ['db', 'identity', 'sessions'],
      collections: { notes: { ...notes, schema }, results, fresh: { schema: {} } },
    }),
  )
  const { changes, installed } = await store.preview(server.urlOf('changing'))
  expect(installed?.version).toBe('1.0.0')
  expect(changes).toEqual({
    older: true,
    permissions: ['sessions'],
    collections: [
      { collection: 'fresh', change: 'added' },
      { collection: 'notes', change: 'changed' },
    ],
  })
  const before = store.list()[0]?.schemaHashes ?? {}
  const after = (await install('changing')).schemaHashes
  expect(Object.keys(after)).toEqual(['notes', 'results', 'fresh'])
  expect(after['notes']).not.toBe(before['notes'])
  expect(after['results']).toBe(before['results'])
})

test('what is installed from the own disk keeps its key when the machine gets another', async () => {
  const url = pathToFileURL(server.folderOf('notes')).href
  const { commit } = await store.preview(url)
  const { key } = await store.install({ url, commit, grant: [] })
  store = await open(nameOf(9))
  expect(await store.preview(url)).toMatchObject({ key, installed: { key } })
})

test('a list of a time when replaced keys were forgotten is read, and keeps them from now on', async () => {
  await publish('bad', handedOver)
  await install('bad')
  const path = join(dataDir, 'systems', 'installed.json')
  const { keptChains, ...state } = JSON.parse(await readFile(path, 'utf8'))
  expect(keptChains).toEqual([])
  await writeFile(path, JSON.stringify(state))
  store = await open()
  expect(store.list()).toHaveLength(1)
  await store.uninstall(SIGNED_KEY)
  await publish('bad', signed)
  await expect(install('bad')).rejects.toMatchObject({ code: 'SYSTEM_SIGNATURE_INVALID' })
})

describe('a folder of version 0.1', () => {
  /** Makes the store's folder one as it was when ids named systems. */
  async function goBack({ key }: InstalledSystem): Promise<string> {
    const folder = join(dataDir, 'systems')
    const path = join(folder, 'installed.json')
    const state = JSON.parse(await readFile(path, 'utf8')) as { systems: object[] }
    const systems = state.systems.map((entry) =>
      Object.fromEntries(
        Object.entries(entry).filter(
          ([name]) => !['key', 'host', 'publisherKeys', 'formerKeys'].includes(name),
        ),
      ),
    )
    await writeFile(path, JSON.stringify({ stateVersion: 1, systems }))
    await rename(join(folder, key), join(folder, NOTES_ID))
    return folder
  }

  test('gives its systems the keys of where they came from', async () => {
    const installed = await install('notes')
    const folder = await goBack(installed)
    for (const _ of ['once', 'and again']) {
      store = await open()
      expect(store.list()).toEqual([installed])
      expect(Buffer.from(await store.readFile(installed.key, 'ui/main.ts')).toString()).toBe(
        notesFiles['ui/main.ts'],
      )
    }
    expect(await readdir(folder)).not.toContain(NOTES_ID)
  })

  test('is brought over though a crash interrupted it', async () => {
    const installed = await install('notes')
    const folder = await goBack(installed)
    await rename(join(folder, NOTES_ID), join(folder, installed.key))
    expect((await open()).list()).toEqual([installed])
    await mkdir(join(folder, NOTES_ID), { recursive: true })
    expect((await open()).list()).toEqual([installed])
  })
})
