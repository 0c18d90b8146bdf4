// What the hostile system tries, and what must come of it. `NOTES` is the system that it is after.
import { encodeKey, keyPair } from '../../node-runtime/core/keys.ts'
import { signedSystemKey } from '../../node-runtime/core/systems/system-key.ts'
import { listCalls } from '../../node-runtime/daemon/call-list.ts'

export const HOSTILE_ID = 'org.example'
export const NOTES_ID = 'org.example.notes'

/** Who signs both, so that their keys are known before they are installed. */
export const PUBLISHER = keyPair(new Uint8Array(32).fill(7))
const publisher = encodeKey(PUBLISHER.publicKey)
export const HOSTILE = signedSystemKey(publisher, HOSTILE_ID)
export const NOTES = signedSystemKey(publisher, NOTES_ID)

/** A call, its arguments, and the code of its error. */
export type Attempt = readonly [call: string, input: unknown, code: string]

const KEY = 'y'.repeat(52)
const PHRASE = `${'abandon '.repeat(23)}art`
const note = { system: NOTES, collection: 'notes', id: 'secret' }
const loot = { system: HOSTILE, collection: 'loot', id: 'loot' }
const HASH = '0'.repeat(64)
const descriptor = { kind: 'duel', seats: [KEY, KEY], seed: '', options: null, context: null }
const result = {
  session: HASH,
  descriptor: { ...descriptor, system: HOSTILE, rules: HASH },
  outcome: { scores: [1, 0], reason: 'because' },
  by: 'rules',
  plies: 1,
  endedMs: 0,
  transcript: { core: null, hash: HASH, length: 1 },
  signatures: [],
  kind: 'duel',
  context: null,
}
const forged = {
  ...note,
  value: { text: 'forged' },
  author: KEY,
  version: '0190a2b3c4d5-0000',
  created: '0190a2b3c4d5-0000',
  rule: 'author',
  signature: '0'.repeat(128),
}

/** Arguments with which calls of the person would do harm; the others take none. */
function harmfulInputs(repository: { url: string; commit: string }): Record<string, unknown> {
  return {
    'identity.rename': { name: 'Mallory' },
    'identity.restore': { phrase: PHRASE },
    'cloud.join': { cloud: KEY },
    'cloud.renameMachine': { name: 'owned' },
    'cloud.setPortMapping': { on: false },
    'db.import': { records: [forged] },
    'systems.preview': { url: repository.url },
    'systems.install': { ...repository, grant: ['db', 'identity', 'sessions'] },
    'systems.setGrant': { id: HOSTILE, grant: ['db', 'identity'] },
    'systems.uninstall': { id: NOTES, deleteData: true },
    'systems.asset': { id: NOTES, path: '/app.ts' },
  }
}

/** Every call that the contract keeps for the person. */
export function ownerCalls(repository: { url: string; commit: string }): Attempt[] {
  const inputs = harmfulInputs(repository)
  return listCalls()
    .filter(({ access }) => access === 'owner')
    .map(({ call }) => [call, inputs[call] ?? {}, 'FORBIDDEN'])
}

/** Another system's records and sessions, and the runtime's own. */
export const FOREIGN_CALLS: readonly Attempt[] = [
  ['db.get', note, 'FORBIDDEN'],
  ['db.put', { ...note, value: { text: 'changed' } }, 'FORBIDDEN'],
  ['db.put', { ...note, id: 'planted', value: { text: 'planted' } }, 'FORBIDDEN'],
  ['db.delete', note, 'FORBIDDEN'],
  ['db.query', { system: NOTES, collection: 'notes' }, 'FORBIDDEN'],
  ['db.query', { system: NOTES_ID, collection: 'notes' }, 'FORBIDDEN'],
  ['db.query', { system: HOSTILE_ID, collection: 'loot' }, 'FORBIDDEN'],
  ['db.query', { system: [NOTES], collection: 'notes' }, 'FORBIDDEN'],
  ['db.query', { system: NOTES.toUpperCase(), collection: 'notes' }, 'FORBIDDEN'],
  ['db.watch', { system: NOTES }, 'FORBIDDEN'],
  ['db.query', { system: 'dharma', collection: 'machines' }, 'FORBIDDEN'],
  ['db.put', { system: 'dharma', collection: 'machines', id: 'x', value: {} }, 'FORBIDDEN'],
]

/** `sessions` is not in its manifest; `identity` is, and the person took it out when installing. */
export const CALLS_WITHOUT_PERMISSION: readonly Attempt[] = [
  ['sessions.open', { ...descriptor, system: HOSTILE }, 'FORBIDDEN'],
  ['sessions.open', { ...descriptor, system: NOTES }, 'FORBIDDEN'],
  ['sessions.rules', { system: HOSTILE, kind: 'duel' }, 'FORBIDDEN'],
  ['sessions.act', { session: HASH, action: 0 }, 'FORBIDDEN'],
  ['sessions.resign', { session: HASH }, 'FORBIDDEN'],
  ['sessions.claim', { session: HASH }, 'FORBIDDEN'],
  ['sessions.list', { system: HOSTILE }, 'FORBIDDEN'],
  ['sessions.watch', { session: HASH }, 'FORBIDDEN'],
  ['sessions.verify', { result }, 'FORBIDDEN'],
  ['sessions.replay', { result }, 'FORBIDDEN'],
  ['identity.whoami', {}, 'FORBIDDEN'],
]

/** Its own calls, made wrongly. */
export const WRONG_CALLS: readonly Attempt[] = [
  ['db.put', { ...loot, value: { text: 5 } }, 'DB_SCHEMA'],
  ['db.put', { ...loot, value: { text: 'x', more: true } }, 'DB_SCHEMA'],
  ['db.put', { ...loot, value: null }, 'DB_SCHEMA'],
  ['db.put', { ...loot, value: { text: '€'.repeat(100) } }, 'DB_TOO_LARGE'],
  ['db.put', { ...loot, collection: 'none', value: {} }, 'DB_COLLECTION_UNKNOWN'],
  ['db.put', { ...loot, collection: 'sealed', value: {} }, 'DB_FORBIDDEN'],
  ['db.delete', { ...loot, collection: 'once' }, 'DB_FORBIDDEN'],
  ['db.delete', loot, 'DB_NOT_FOUND'],
  ['db.verify', { record: forged }, 'DB_RECORD_FORGED'],
  // Whose it is is asked before anything else.
  ['db.put', {}, 'FORBIDDEN'],
  ['db.put', null, 'FORBIDDEN'],
  ['db.get', { ...loot, as: NOTES }, 'BAD_INPUT'],
  ['db.put', { ...loot, id: '', value: {} }, 'BAD_INPUT'],
  ['db.put', { ...loot, id: 'line\nbreak', value: {} }, 'BAD_INPUT'],
  ['db.put', { ...loot, collection: '../notes', value: {} }, 'BAD_INPUT'],
  ['db.query', { system: HOSTILE, collection: 'loot', limit: 1e9 }, 'BAD_INPUT'],
  // The client makes UNKNOWN_CALL of it.
  ['db.drop', {}, 'status 404'],
  ['tabs.open', { tab: 'x', url: 'cloud://settings' }, 'status 404'],
  ['__proto__.toString', {}, 'status 404'],
  ['db.put.constructor', {}, 'status 404'],
]

type Outcome = string | { electron: string; daemon: string }

/** What comes of each try through the browser. */
const TRICKS: Record<string, Outcome> = {
  'fetch a file of its own': 'answered 200',
  'fetch the SDK': 'answered 200',
  'keep something in its own storage': 'kept',

  'fetch the shell': 'blocked by connect-src',
  'fetch another system’s file': 'blocked by connect-src',
  'fetch the runtime’s page': 'blocked by connect-src',
  'fetch the runtime’s calls': 'blocked by connect-src',
  'fetch the web': 'blocked by connect-src',
  'fetch a file of the computer': 'blocked by connect-src',
  'fetch its manifest, outside of the web root': 'answered 404',
  'fetch above the web root': 'answered 404',
  'fetch beside the SDK': 'answered 404',
  'send a beacon': 'blocked by connect-src',
  'listen to the web': 'blocked by connect-src',
  'send a form': 'blocked by form-action',
  'show a picture of the web': 'blocked by img-src',
  'frame the shell': 'blocked by frame-src',
  'frame another system': 'blocked by frame-src',
  'embed another system': 'blocked by object-src',
  'move the base of its links': 'blocked by base-uri',

  'call without a token': 'blocked by connect-src',
  'call with a guessed token': 'blocked by connect-src',
  'call as another system': 'blocked by connect-src',
  // There is no socket at `cloud:`; the daemon answers 404.
  'call at its own origin': { electron: 'SyntaxError', daemon: 'Error' },

  'run the scripts in its HTML': 'did not run',
  'run an inline script': 'blocked by script-src-elem',
  'run an inline handler': 'blocked by script-src-attr',
  'load a script of another system': 'blocked by script-src-elem',
  'import a script of the shell': 'blocked by script-src-elem',
  'import data as a script': 'blocked by script-src-elem',
  'evaluate text': 'blocked by script-src',
  'make a function of text': 'blocked by script-src',
  'compile WebAssembly': 'blocked by script-src',
  'run a worker of text': 'blocked by worker-src',
  'stay behind as a service worker': 'TypeError',

  'find Node': 'nothing',
  'find what the preload script has': 'nothing',
  'reach the shell’s document': { electron: 'no shell around it', daemon: 'SecurityError' },
  'read the shell’s storage': { electron: 'no shell around it', daemon: 'SecurityError' },
  'read the shell’s address': { electron: 'no shell around it', daemon: 'SecurityError' },
  'read where it came from': 'nothing',
  'read another’s local storage': 'mine',
  'read another’s databases': 'nothing',
  'read another’s cookies': 'nothing',
  'set a cookie for all': 'nothing',

  'have geolocation': 'denied',
  'have camera': 'denied',
  'have microphone': 'denied',
  'have clipboard-read': 'denied',
  'have midi': 'denied',
  'ask where the person is': 'refused',
  'show notifications': 'refused',
  'use the camera': 'refused',
  'use the microphone': 'refused',
  'record the screen': 'refused',
  'read the clipboard': 'refused',
}

/** What must come of the tries in this kind of window. */
export function trickOutcomes(kind: 'electron' | 'daemon'): Record<string, string> {
  return Object.fromEntries(
    Object.entries(TRICKS).map(([name, outcome]) => [
      name,
      typeof outcome === 'string' ? outcome : outcome[kind],
    ]),
  )
}
