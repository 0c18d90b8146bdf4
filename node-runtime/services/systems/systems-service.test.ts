import { rm } from 'node:fs/promises'
import { MessageChannel } from 'node:worker_threads'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { GitServer } from '../../../e2e/support/git-server.ts'
import type { Permission } from '../../contract/permissions.ts'
import { systemsContract } from '../../contract/systems.ts'
import { encodeKey, keyPair } from '../../core/keys.ts'
import { systemKeyAt } from '../../core/systems/system-key.ts'
import { createCallerCheck, noSessions } from '../../rpc/caller.ts'
import type { Caller } from '../../rpc/caller.ts'
import { connect } from '../../rpc/client.ts'
import { createServer } from '../../rpc/server.ts'
import { silentLog } from '../../testing/cloud-nodes.ts'
import { makeFolder, NOTES_ID, notesFiles, serveNotes } from '../../testing/notes-repository.ts'
import { openSystemStore } from './system-store.ts'
import type { SystemStore } from './system-store.ts'
import { createSystemsService } from './systems-service.ts'

// Real servers, on a machine that may have other work.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const MACHINE = encodeKey(keyPair(new Uint8Array(32).fill(1)).publicKey)
const keyOf = (name = 'notes'): string => systemKeyAt(server.urlOf(name), NOTES_ID, MACHINE)

let server: GitServer
let dataDir: string
let store: SystemStore
let deletions: string[]
let closers: (() => void)[]

beforeAll(async () => {
  server = await serveNotes({ namesake: notesFiles })
})
afterAll(() => server.close())

beforeEach(async () => {
  deletions = []
  closers = []
  dataDir = await makeFolder({})
  store = await openSystemStore({
    dataDir,
    machine: MACHINE,
    sdkDir: dataDir,
    log: silentLog,
  })
})
afterEach(async () => {
  for (const close of closers) close()
  await rm(dataDir, { recursive: true })
})

function call(caller: Caller = { kind: 'owner' }) {
  const router = createSystemsService({
    store,
    deleteOwnRecords: async (system) => {
      // The system's collections must still be known.
      expect(store.get(system)).toBeDefined()
      deletions.push(system)
    },
  })
  const serve = createServer<{ caller: Caller }>(
    { systems: router },
    {
      access: createCallerCheck(noSessions),
      onInternalError: (error) => expect.unreachable(String(error)),
    },
  )
  const { port1, port2 } = new MessageChannel()
  serve(port1, { caller })
  closers.push(() => port1.close())
  return connect({ systems: systemsContract }, port2).systems
}

test('a system is looked at, installed, served and uninstalled', async () => {
  const systems = call()
  const { url, commit } = await systems.preview({ url: server.url })
  const answer = await systems.install({ url, commit, grant: ['db'] })
  expect(answer).toEqual({
    id: NOTES_ID,
    key: keyOf(),
    host: NOTES_ID,
    version: '1.0.0',
    commit,
  })
  expect((await systems.list({})).systems).toMatchObject([{ id: NOTES_ID, commit }])
  const { contentType, headers, bodyBase64 } = await systems.asset({ system: NOTES_ID, path: '/' })
  expect(contentType).toBe('text/html; charset=utf-8')
  expect(headers['content-security-policy']).toContain("default-src 'self'")
  expect(Buffer.from(bodyBase64, 'base64').toString()).toBe(notesFiles['ui/index.html'])
  expect(await systems.setGrant({ system: NOTES_ID, grant: [] })).toEqual({})
  expect(await systems.uninstall({ system: NOTES_ID })).toEqual({})
  expect(await systems.list({})).toEqual({ systems: [] })
  expect(deletions).toEqual([])
})

test('the records are deleted if the person says so, and only of what is installed', async () => {
  const systems = call()
  await store.install({ url: server.url, commit: await server.commitOf(), grant: [] })
  await systems.uninstall({ system: NOTES_ID, deleteData: true })
  expect(deletions).toEqual([keyOf()])
  await expect(systems.uninstall({ system: NOTES_ID, deleteData: true })).rejects.toMatchObject({
    code: 'SYSTEM_NOT_INSTALLED',
  })
  expect(deletions).toEqual([keyOf()])
})

test('a call on a system takes it as `system`, or as `id` as it did before, and not as both', async () => {
  const systems = call()
  await store.install({ url: server.url, commit: await server.commitOf(), grant: [] })
  await systems.setGrant({ id: NOTES_ID, grant: ['db'] })
  expect(store.hasPermission(keyOf(), 'db')).toBe(true)
  expect((await systems.asset({ id: NOTES_ID, path: '/' })).contentType).toContain('text/html')
  for (const [input, message] of [
    [{ grant: [] }, '"system" is missing'],
    [{ system: NOTES_ID, id: NOTES_ID, grant: [] }, '"id" is the same as "system": give one'],
  ] as const) {
    await expect(systems.setGrant(input as never)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining(message),
    })
  }
  expect(store.hasPermission(keyOf(), 'db')).toBe(true)
  expect(await systems.uninstall({ id: NOTES_ID })).toEqual({})
  expect(store.list()).toEqual([])
})

test('an id that two authors have names neither; their keys and hosts do', async () => {
  const systems = call()
  for (const name of ['notes', 'namesake']) {
    const commit = await server.commitOf(name)
    await systems.install({ url: server.urlOf(name), commit, grant: [] })
  }
  const ambiguous = {
    code: 'SYSTEM_ID_AMBIGUOUS',
    details: { id: NOTES_ID, keys: [keyOf(), keyOf('namesake')] },
  }
  const grant: Permission[] = ['db']
  await expect(systems.setGrant({ system: NOTES_ID, grant })).rejects.toMatchObject(ambiguous)
  await expect(systems.uninstall({ system: NOTES_ID })).rejects.toMatchObject(ambiguous)
  await expect(systems.asset({ system: NOTES_ID, path: '/' })).rejects.toMatchObject(ambiguous)
  const { host } = (await systems.list({})).systems[1] ?? { host: '' }
  await systems.setGrant({ system: host, grant })
  expect(store.hasPermission(keyOf('namesake'), 'db')).toBe(true)
  expect(store.hasPermission(keyOf(), 'db')).toBe(false)
  await systems.uninstall({ system: keyOf(), deleteData: true })
  expect(deletions).toEqual([keyOf()])
  expect(await systems.setGrant({ system: NOTES_ID, grant: [] })).toEqual({})
  expect(store.hasPermission(keyOf('namesake'), 'db')).toBe(false)
})

test('whoever watches sees the list now and after every change, until they stop', async () => {
  const stop = new AbortController()
  const events = await call().watch({}, { signal: stop.signal })
  expect((await events.next()).value).toEqual({ systems: [] })
  const next = events.next()
  await store.install({ url: server.url, commit: await server.commitOf(), grant: [] })
  expect((await next).value).toMatchObject({ systems: [{ id: NOTES_ID, granted: [] }] })
  await store.setGrant(keyOf(), ['db'])
  expect((await events.next()).value).toMatchObject({ systems: [{ granted: ['db'] }] })
  stop.abort()
  await expect(events.next()).rejects.toMatchObject({ code: expect.any(String) })
})

test('a page of a system may not manage systems', async () => {
  const systems = call({ kind: 'system', system: NOTES_ID, hasPermission: () => true })
  const forbidden = { code: 'FORBIDDEN' }
  await expect(systems.list({})).rejects.toMatchObject(forbidden)
  await expect(systems.preview({ url: server.url })).rejects.toMatchObject(forbidden)
  await expect(systems.setGrant({ system: NOTES_ID, grant: [] })).rejects.toMatchObject(forbidden)
  await expect(systems.asset({ system: NOTES_ID, path: '/' })).rejects.toMatchObject(forbidden)
})

test('errors keep their code and details over the wire', async () => {
  await expect(call().preview({ url: 'ssh://host.example/a.git' })).rejects.toMatchObject({
    code: 'REPO_URL_INVALID',
  })
  await expect(call().preview({ url: server.urlOf('nothing') })).rejects.toMatchObject({
    code: 'REPO_UNREACHABLE',
    details: { status: 404 },
  })
  expect(store.list()).toEqual([])
})
