// What a key that was handed over can still do: nothing. `system-identity.test.ts` has the rest.
import { describe, expect, test } from 'vitest'
import { encodeKey, keyPair } from '../../core/keys.ts'
import { ownersByKey } from '../../core/systems/former-keys.ts'
import { signSuccessor } from '../../core/systems/signature.ts'
import { signedSystemKey } from '../../core/systems/system-key.ts'
import { NOTES_ID, notesFiles, notesManifest } from '../../testing/notes-repository.ts'
import { signatureIn, signFiles } from '../../testing/signed-files.ts'
import { withEntry, withoutEntry, withoutPublisher } from './installed-state.ts'
import type { InstalledEntry, InstalledState } from './installed-state.ts'
import { readManifest } from './manifest.ts'
import { identifySystem } from './system-identity.ts'

const keysOf = (seed: number) => keyPair(new Uint8Array(32).fill(seed))
const MACHINE = encodeKey(keysOf(1).publicKey)
const publisher = keysOf(2)
const successor = keysOf(3)
const stranger = keysOf(4)
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
const NOTHING: InstalledState = { systems: new Map(), keptChains: [] }

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
  return withEntry(state, entry, earlier)
}

/** What is left when the system with this key is not there any more. */
function uninstall(state: InstalledState, key: string): InstalledState {
  const entry = state.systems.get(key)
  if (entry === undefined) throw new Error(`not installed: ${key}`)
  return withoutEntry(state, entry)
}

const REFUSED = {
  code: 'SYSTEM_SIGNATURE_INVALID',
  message: expect.stringContaining('has replaced since'),
}

test('a replaced key continues nothing, neither at once nor by an update of another system', async () => {
  const continuing = other({ continues: KEY, version: '2.0.0' })
  const state = await install(NOTHING, handedOver)
  await expect(install(state, signFiles(continuing, publisher))).rejects.toMatchObject(REFUSED)
  const both = await install(await install(NOTHING, signFiles(other({}), publisher)), handedOver)
  await expect(install(both, signFiles(continuing, publisher))).rejects.toMatchObject(REFUSED)
})

test('its successor may continue one system by an update of another', async () => {
  const state = await install(await install(NOTHING, signFiles(other({}), publisher)), handedOver)
  const continuing = other({ continues: KEY, version: '2.0.0' })
  const after = await install(state, signFiles(continuing, successor, handOver))
  expect(after.systems.get(OTHER_KEY)?.formerKeys).toEqual([KEY])
})

test('a replaced key signs none of its publisher’s other systems any more', async () => {
  const before = await install(NOTHING, signFiles(other({}), publisher))
  const state = await install(before, handedOver)
  const update = signFiles(other({ version: '2.0.0' }), publisher)
  await expect(install(state, update)).rejects.toMatchObject(REFUSED)
  const signedAnew = signFiles(other({ version: '2.0.0' }), successor, handOver)
  expect((await install(state, signedAnew)).systems.get(OTHER_KEY)?.manifest.version).toBe('2.0.0')
})

test('a replaced key stays so when all that showed it is uninstalled', async () => {
  const state = uninstall(await install(NOTHING, handedOver), KEY)
  expect(state.systems.size).toBe(0)
  await expect(install(state, signFiles(notesFiles, publisher))).rejects.toMatchObject(REFUSED)
  await expect(install(state, signFiles(other({}), publisher))).rejects.toMatchObject(REFUSED)
  // Somebody with the old key hands over to themselves.
  const forked = signSuccessor(
    signatureIn(signFiles(notesFiles, publisher)),
    publisher,
    encodeKey(stranger.publicKey),
  )
  const files = signFiles(notesFiles, stranger, forked)
  await expect(install(state, files)).rejects.toMatchObject({ code: 'SYSTEM_KEYS_FORKED' })
  // Nobody else is meant, and the successor goes on.
  const after = await install(
    await install(state, signFiles(notesFiles, successor)),
    signFiles(notesFiles, successor, handOver),
  )
  expect(after.systems.get(KEY)?.publisherKeys).toHaveLength(2)
})

test('an older version that is uninstalled takes nothing from what was learned', async () => {
  const learned = uninstall(await install(NOTHING, handedOver), KEY)
  const before = await install(NOTHING, signFiles(other({}), publisher))
  const state = uninstall({ ...before, keptChains: learned.keptChains }, OTHER_KEY)
  expect(state.keptChains).toEqual(learned.keptChains)
})

test('of two that claim one former key the same has it, whichever is updated', async () => {
  const [first, second] = ['org.example.first', 'org.example.second']
  const claiming = (id: string, version: string): Record<string, string> =>
    signFiles(other({ id, continues: KEY, version }), publisher)
  const original = signFiles(notesFiles, publisher)
  let state = await install(await install(NOTHING, original), claiming(first, '1.0.0'))
  state = await install(await install(state, original), claiming(second, '1.0.0'))
  const ownerId = (): string | undefined =>
    ownersByKey(state.systems.values()).get(KEY)?.manifest.id
  expect([...state.systems.values()].map(({ formerKeys }) => formerKeys)).toEqual([[KEY], [KEY]])
  expect(ownerId()).toBe(first)
  state = await install(state, claiming(first, '2.0.0'))
  expect(state.systems.get(signedSystemKey(encodeKey(publisher.publicKey), first))).toMatchObject({
    manifest: { version: '2.0.0' },
  })
  expect(ownerId()).toBe(first)
})

test('a replaced key does not take up again what its successor has continued', async () => {
  const continuing = signFiles(other({ continues: KEY }), successor, handOver)
  const state = await install(await install(NOTHING, handedOver), continuing)
  expect([...state.systems.keys()]).toEqual([OTHER_KEY])
  await expect(install(state, signFiles(notesFiles, publisher))).rejects.toMatchObject(REFUSED)
  expect([...(await install(state, handedOver)).systems.keys()]).toEqual([OTHER_KEY, KEY])
})

describe('a key thief who was first', () => {
  const stolen = signSuccessor(
    signatureIn(signFiles(notesFiles, publisher)),
    publisher,
    encodeKey(stranger.publicKey),
  )
  const byThief = signFiles(notesFiles, stranger, stolen)
  const FORKED = {
    code: 'SYSTEM_KEYS_FORKED',
    details: {
      publisher: encodeKey(publisher.publicKey),
      forkedBy: encodeKey(publisher.publicKey),
      knownSuccessor: encodeKey(stranger.publicKey),
      otherSuccessor: encodeKey(successor.publicKey),
    },
  }
  const forgotten = (state: InstalledState): InstalledState => {
    const next = withoutPublisher(state, encodeKey(publisher.publicKey))
    if (next === null) throw new Error('nothing was known')
    return next
  }

  test('does not keep the publisher out, once the person has it forgotten', async () => {
    const state = await install(NOTHING, byThief)
    await expect(install(state, handedOver)).rejects.toMatchObject(FORKED)
    const after = await install(forgotten(state), handedOver)
    expect([...after.systems.keys()]).toEqual([KEY])
    await expect(install(after, byThief)).rejects.toMatchObject({ code: 'SYSTEM_KEYS_FORKED' })
    await expect(install(after, signFiles(notesFiles, publisher))).rejects.toMatchObject(REFUSED)
  })

  test('neither when what it signed was uninstalled', async () => {
    const state = uninstall(await install(NOTHING, byThief), KEY)
    await expect(install(state, handedOver)).rejects.toMatchObject(FORKED)
    const after = await install(forgotten(state), handedOver)
    await expect(install(after, byThief)).rejects.toMatchObject({ code: 'SYSTEM_KEYS_FORKED' })
  })

  test('and nobody else is forgotten', async () => {
    const state = await install(NOTHING, byThief)
    expect(withoutPublisher(state, encodeKey(stranger.publicKey))).toBeNull()
    expect(withoutPublisher(NOTHING, encodeKey(publisher.publicKey))).toBeNull()
    expect(forgotten(state).systems.get(KEY)?.publisherKeys).toEqual([
      encodeKey(publisher.publicKey),
    ])
  })
})
