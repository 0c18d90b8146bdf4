// A system that goes on under another key, on a real machine: its page finds what it wrote before.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { GitServer } from '../../e2e/support/git-server.ts'
import { contract } from '../contract/index.ts'
import { keyPair } from '../core/keys.ts'
import { connect } from '../rpc/client.ts'
import type { Client } from '../rpc/client.ts'
import type { Caller } from '../rpc/caller.ts'
import type { AnyPort } from '../rpc/port.ts'
import { notesFiles, notesManifest, serveNotes } from '../testing/notes-repository.ts'
import { signFiles } from '../testing/signed-files.ts'
import { silentLog } from '../testing/silent-log.ts'
import { Runtime } from './runtime.ts'

// Real servers, on a machine that may have other work.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const publisher = keyPair(new Uint8Array(32).fill(2))
const collection = 'notes'

let server: GitServer
let folder: string
let runtime: Runtime
const ports: MessagePort[] = []

beforeAll(async () => {
  server = await serveNotes()
  folder = await mkdtemp(join(tmpdir(), 'dharma-continued-'))
  runtime = await Runtime.start({
    dataDir: join(folder, 'data'),
    bootstrap: [],
    host: '127.0.0.1',
    kind: 'headless',
    sdkDir: join(import.meta.dirname, '../../extensions/sdk'),
    log: silentLog,
  })
})
afterAll(async () => {
  for (const port of ports) port.close()
  await runtime.close()
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

function clientOf(caller: Caller): Client {
  const { port1, port2 } = new MessageChannel()
  runtime.serve(port2 as unknown as AnyPort, caller)
  ports.push(port1 as unknown as MessagePort)
  return connect(contract, port1 as unknown as AnyPort)
}

const pageOf = (system: string): Client =>
  clientOf({ kind: 'system', system, hasPermission: () => true })

async function install(owner: Client): Promise<string> {
  const url = server.urlOf('notes')
  const { commit } = await owner.systems.preview({ url })
  return (await owner.systems.install({ url, commit, grant: ['db'] })).key
}

async function publishSigned(continues: string | undefined, version: string): Promise<void> {
  const manifest = { ...notesManifest, version, ...(continues === undefined ? {} : { continues }) }
  const files = { ...notesFiles, 'dharma.json': JSON.stringify(manifest) }
  await server.commit('notes', signFiles(files, publisher))
}

test('a signed system finds what it wrote unsigned, once it continues that and that is not beside it', async () => {
  const owner = clientOf({ kind: 'owner' })
  const before = await install(owner)
  const old = pageOf(before)
  await old.db.put({ system: before, collection, id: 'kept', value: { text: 'before' } })
  await old.db.put({ system: before, collection, id: 'changed', value: { text: 'before' } })

  // Signed without a word of what it was: another system, with records of its own.
  await publishSigned(undefined, '1.1.0')
  const url = server.urlOf('notes')
  expect(await owner.systems.preview({ url })).toMatchObject({
    installed: null,
    namesakes: [{ key: before, publisher: null, sameAddress: true, continued: false }],
  })
  const key = await install(owner)
  expect(key).not.toBe(before)
  const page = pageOf(key)
  const read = { system: key, collection }
  expect((await page.db.query(read)).records).toEqual([])

  // Now it says so; but as long as the other is installed, its records are its own.
  await publishSigned(before, '1.2.0')
  expect(await owner.systems.preview({ url })).toMatchObject({
    installed: { key },
    namesakes: [{ key: before, sameAddress: true, continued: true }],
  })
  expect(await install(owner)).toBe(key)
  expect((await page.db.query(read)).records).toEqual([])
  await owner.systems.uninstall({ id: before, deleteData: false })

  const watching = await page.db.watch(read)
  expect((await watching.next()).value).toEqual({ ready: true })
  expect(await page.db.get({ ...read, id: 'kept' })).toMatchObject({
    record: { system: before, value: { text: 'before' } },
  })
  const written = await page.db.put({ ...read, id: 'changed', value: { text: 'after' } })
  expect(written.system).toBe(key)
  expect((await watching.next()).value).toMatchObject({ id: 'changed', system: key })
  const { records } = await page.db.query(read)
  expect(records.map(({ id, value }) => [id, value])).toEqual([
    ['changed', { text: 'after' }],
    ['kept', { text: 'before' }],
  ])
  // The owner may call it by the key before; the page names itself by its present one only.
  expect((await owner.db.query({ system: before, collection })).records).toEqual(records)
  await expect(page.db.query({ system: before, collection })).rejects.toMatchObject({
    code: 'FORBIDDEN',
  })
  await watching.return?.(undefined)
})
