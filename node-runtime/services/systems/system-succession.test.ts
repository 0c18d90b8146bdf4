// What a key that was handed over can still do: nothing. `system-identity.test.ts` has the rest.
import { expect, test } from 'vitest'
import { encodeKey, keyPair } from '../../core/keys.ts'
import { signSuccessor } from '../../core/systems/signature.ts'
import { signedSystemKey } from '../../core/systems/system-key.ts'
import { NOTES_ID, notesFiles, notesManifest } from '../../testing/notes-repository.ts'
import { signatureIn, signFiles } from '../../testing/signed-files.ts'
import type { InstalledEntry, InstalledState } from './installed-state.ts'
import { readManifest } from './manifest.ts'
import { identifySystem } from './system-identity.ts'

const keysOf = (seed: number) => keyPair(new Uint8Array(32).fill(seed))
const MACHINE = encodeKey(keysOf(1).publicKey)
const publisher = keysOf(2)
const successor = keysOf(3)
const OTHER_ID = 'org.example.other'
const KEY = signedSystemKey(encodeKey(publisher.publicKey), NOTES_ID)
const OTHER_KEY = signedSystemKey(encodeKey(publisher.publicKey), OTHER_ID)

const other = (changes: object): Record<string, string> => ({
  ...notesFiles,
  'dharma.json': JSON.stringify({ ...notesManifest, id: OTHER_ID, ...changes }),
})
const handOver = signSuccessor(
  signatureIn(signFiles(notesFiles, publisher)),
  publisher,
  encodeKey(successor.publicKey),
)
const handedOver = signFiles(notesFiles, successor, handOver)

/** What is installed when these files are, where `state` was. */
async function install(
  state: InstalledState,
  files: Record<string, string>,
): Promise<InstalledState> {
  const bytes = new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]))
  const manifest = await readManifest(bytes)
  const url = `https://example.org/${manifest.id}`
  const { key, publisherKeys, formerKeys, earlier } = identifySystem(
    { url, files: bytes },
    manifest,
    state,
    MACHINE,
  )
  const entry: InstalledEntry = {
    key,
    host: manifest.id,
    publisherKeys,
    formerKeys,
    url,
    commit: '0'.repeat(40),
    author: { name: 'An author', email: 'author@example.org' },
    manifest,
    granted: [],
    sizeBytes: 0,
    installedMs: 0,
    contentHash: '0'.repeat(64),
  }
  const next = new Map(state)
  if (earlier !== undefined) next.delete(earlier.key)
  return next.set(key, entry)
}

const REFUSED = {
  code: 'SYSTEM_SIGNATURE_INVALID',
  message: expect.stringContaining('has replaced since'),
}

test('a replaced key continues nothing, neither at once nor by an update of another system', async () => {
  const state = await install(new Map(), handedOver)
  const continuing = other({ continues: KEY, version: '2.0.0' })
  await expect(install(state, signFiles(continuing, publisher))).rejects.toMatchObject(REFUSED)
  const both = await install(state, signFiles(other({}), publisher))
  await expect(install(both, signFiles(continuing, publisher))).rejects.toMatchObject(REFUSED)
})

test('its successor may continue one system by an update of another', async () => {
  const state = await install(await install(new Map(), handedOver), signFiles(other({}), publisher))
  const continuing = other({ continues: KEY, version: '2.0.0' })
  const after = await install(state, signFiles(continuing, successor, handOver))
  expect(after.get(OTHER_KEY)?.formerKeys).toEqual([KEY])
})

test('a replaced key does not take up again what its successor has continued', async () => {
  const continuing = signFiles(other({ continues: KEY }), successor, handOver)
  const state = await install(await install(new Map(), handedOver), continuing)
  expect([...state.keys()]).toEqual([OTHER_KEY])
  await expect(install(state, signFiles(notesFiles, publisher))).rejects.toMatchObject(REFUSED)
  expect([...(await install(state, handedOver)).keys()]).toEqual([OTHER_KEY, KEY])
})
