// What a machine says of its data folder: copied, from 0.1, or with files that are gone.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CloudStatus } from '../contract/cloud.ts'
import { contract } from '../contract/index.ts'
import { encodeKey, hash } from '../core/keys.ts'
import { connect } from '../rpc/client.ts'
import type { AnyPort } from '../rpc/port.ts'
import { silentLog } from '../testing/silent-log.ts'
import { createCloudIn } from './new-cloud.ts'
import { Runtime } from './runtime.ts'
import type { RuntimeOptions } from './runtime.ts'

let folder: string
let data: string
const running = new Set<Runtime>()
const warnings: string[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-folder-'))
  data = join(folder, 'data')
  warnings.length = 0
})
afterEach(async () => {
  await Promise.all([...running].map(stop))
  await rm(folder, { recursive: true, force: true })
})

async function start(dataDir = data): Promise<CloudStatus & { person: string }> {
  const { status, person, close } = await open(dataDir)
  close()
  return { ...status, person }
}

const optionsFor = (dataDir: string): RuntimeOptions => ({
  dataDir,
  bootstrap: [],
  host: '127.0.0.1',
  kind: 'headless',
  sdkDir: join(import.meta.dirname, '../../extensions/sdk'),
  log: { ...silentLog, warn: (message) => void warnings.push(message) },
})

async function reopen() {
  await stopAll()
  return open()
}

/** With the calls of its owner. */
async function open(dataDir = data) {
  const runtime = await Runtime.start(optionsFor(dataDir))
  running.add(runtime)
  const { port1, port2 } = new MessageChannel()
  runtime.serve(port2 as unknown as AnyPort, { kind: 'owner' })
  const client = connect(contract, port1 as unknown as AnyPort)
  const status = await client.cloud.status({})
  const { person } = await client.identity.whoami({})
  return { client, status, person, close: () => port1.close() }
}

async function stop(runtime: Runtime): Promise<void> {
  running.delete(runtime)
  await runtime.close()
}
const stopAll = () => Promise.all([...running].map(stop))
const codesOf = ({ notices }: CloudStatus) => notices.map(({ code }) => code)

describe('a copied folder', () => {
  it('is another machine of the same person, beside the first one, and says so', async () => {
    const first = await start()
    expect(first.notices).toEqual([])
    const copy = join(folder, 'copy')
    await cp(data, copy, { recursive: true })
    await rm(join(copy, 'lock'))
    const second = await start(copy)
    expect(codesOf(second)).toEqual(['FOLDER_COPIED'])
    expect(warnings).toContain(second.notices[0]?.message)
    expect(second.machine).not.toBe(first.machine)
    expect([second.person, second.cloud]).toEqual([first.person, first.cloud])
    await stopAll()
    expect(await start()).toMatchObject({ machine: first.machine, notices: [] })
    expect(await start(copy)).toMatchObject({ machine: second.machine, notices: [] })
  })
})

describe('a folder without the recovery phrase', () => {
  const forget = async (): Promise<CloudStatus & { person: string; phrase: string }> => {
    const { client, person, status, close } = await open()
    const { phrase } = await client.identity.recoveryPhrase({})
    await client.identity.forgetPhrase({ phrase })
    await expect(client.identity.recoveryPhrase({})).rejects.toMatchObject({
      code: 'IDENTITY_PHRASE_NEEDED',
    })
    close()
    return { ...status, person, phrase }
  }

  it('stays the person’s own, but a copy of it begins another person, and says so', async () => {
    const { person, machine } = await forget()
    await stopAll()
    expect(await start()).toMatchObject({ person, machine, notices: [] })
    await stopAll()
    const copy = join(folder, 'copy')
    await cp(data, copy, { recursive: true })
    await rm(join(copy, 'lock'))
    const second = await start(copy)
    expect(second.person).not.toBe(person)
    expect(codesOf(second)).toEqual(['IDENTITY_LOST'])
    expect(second.notices[0]?.message).toContain('your recovery phrase was not kept in it')
  })

  it('needs it to go to another cloud, in which it is not kept either', async () => {
    const { person, phrase, cloud: first } = await forget()
    const other = encodeKey(hash(Buffer.from('another cloud')))
    await stopAll()
    await expect(Runtime.start({ ...optionsFor(data), cloud: other })).rejects.toMatchObject({
      code: 'IDENTITY_PHRASE_NEEDED',
    })
    const { client, close } = await reopen()
    await expect(client.cloud.join({ cloud: other })).rejects.toMatchObject({
      code: 'IDENTITY_PHRASE_NEEDED',
    })
    expect((await client.cloud.status({})).cloud).toBe(first)
    await client.cloud.join({ cloud: other, phrase })
    expect((await client.cloud.status({})).cloud).toBe(other)
    expect((await client.identity.whoami({})).person).toBe(person)
    close()
    await stopAll()
    expect(await start()).toMatchObject({ cloud: other, person })
    expect(await readFile(join(data, 'identity.json'), 'utf8')).not.toContain(phrase)
  })
})

describe('a folder whose identity is gone', () => {
  const lose = async (...names: string[]): Promise<void> => {
    for (const name of names) await rm(join(data, name))
  }

  it('begins another person, and says so until the recovery phrase is put in', async () => {
    const { client, person, status, close } = await open()
    const { phrase } = await client.identity.recoveryPhrase({})
    close()
    await stopAll()
    await lose('identity.json')
    const again = await open()
    expect(again.person).not.toBe(person)
    expect(again.status.cloud).toBe(status.cloud)
    expect(codesOf(again.status)).toEqual(['IDENTITY_LOST'])
    const message = again.status.notices[0]?.message
    expect(message).toContain((await again.client.identity.whoami({})).name)
    expect(warnings).toContain(message)
    await again.client.identity.restore({ phrase, forgetPhrase: true })
    expect(codesOf(await again.client.cloud.status({}))).toEqual([])
    again.close()
    await stopAll()
    expect(await start()).toMatchObject({ person, notices: [] })
  })

  it('says so, too, when it is a copy, or one of 0.1', async () => {
    const first = await start()
    await stopAll()
    await lose('identity.json')
    const copy = join(folder, 'copy')
    await cp(data, copy, { recursive: true })
    await rm(join(copy, 'lock'))
    const second = await start(copy)
    expect(second.person).not.toBe(first.person)
    expect(codesOf(second)).toEqual(['IDENTITY_LOST'])
    await lose('folder-stamp.json')
    expect(codesOf(await start())).toEqual(['IDENTITY_LOST'])
  })

  it('is not one in which only a cloud was begun', async () => {
    const cloud = await createCloudIn(data, { name: 'Friends', admission: 'invitation' })
    expect(await start()).toMatchObject({ cloud, notices: [] })
  })

  it('takes the file before, if there is one, with another key for the machine', async () => {
    const { client, person, status, close } = await open()
    await client.identity.rename({ name: 'Ada' })
    await client.cloud.renameMachine({ name: 'Kitchen' })
    close()
    await stopAll()
    await lose('identity.json')
    const again = await start()
    expect(again.person).toBe(person)
    expect(again.machine).not.toBe(status.machine)
    expect(codesOf(again)).toEqual(['FILE_MENDED'])
    expect(again.notices[0]?.message).toMatch(/was gone.*You are Ada; the machine is a new one/)
    await stopAll()
    expect(await start()).toMatchObject({ person, machine: again.machine, notices: [] })
  })

  it('is none where no machine has run, whatever else lies there', async () => {
    await mkdir(join(data, 'log'), { recursive: true })
    await writeFile(join(data, 'publisher-key.json'), '{}')
    expect((await start()).notices).toEqual([])
  })
})

describe('a folder of 0.1', () => {
  it('opens with its identity and its cloud, and says that its records stay behind', async () => {
    const first = await start()
    await stopAll()
    // As 0.1 left it: no time of attestation, no mark, records in Hypercores.
    const identity = JSON.parse(await readFile(join(data, 'identity.json'), 'utf8')) as object
    await writeFile(
      join(data, 'identity.json'),
      JSON.stringify({ ...identity, attestedMs: undefined }),
    )
    await rm(join(data, 'folder-stamp.json'))
    const records = join(data, 'clouds', first.cloud)
    await rm(records, { recursive: true })
    await mkdir(join(records, 'cores'), { recursive: true })
    const again = await start()
    expect(again).toMatchObject({
      machine: first.machine,
      person: first.person,
      cloud: first.cloud,
    })
    expect(codesOf(again)).toEqual(['RECORDS_BEHIND'])
    expect(again.notices[0]?.message).toContain(join(records, 'cores'))
    await stopAll()
    await rm(join(records, 'cores'), { recursive: true })
    expect((await start()).notices).toEqual([])
  })
})

describe('a folder whose list of clouds is gone', () => {
  const loseList = async (): Promise<void> => {
    for (const name of await readdir(data)) {
      if (name.startsWith('cloud.json')) await rm(join(data, name))
    }
  }

  it('opens the cloud that it has records of, and says so', async () => {
    const first = await start()
    await stopAll()
    await loseList()
    const again = await start()
    expect(again.cloud).toBe(first.cloud)
    expect(codesOf(again)).toEqual(['CLOUD_REOPENED'])
    await stopAll()
    expect(await start()).toMatchObject({ cloud: first.cloud, notices: [] })
  })

  it('does not guess which of several is meant', async () => {
    await start()
    await stopAll()
    const other = encodeKey(hash(Buffer.from('another cloud')))
    await mkdir(join(data, 'clouds', other))
    await loseList()
    await expect(start()).rejects.toMatchObject({
      code: 'DATA_DAMAGED',
      message: expect.stringContaining(other),
    })
  })
})

it('a folder of a newer version stops the start in words, and nothing in it is touched', async () => {
  await start()
  await stopAll()
  // As the newer version has them; older copies of the files still lie beside them.
  const newer = { 'format.json': '{"format": 3}', 'identity.json': '{"of": "a later form"}' }
  for (const [name, text] of Object.entries(newer)) await writeFile(join(data, name), text)
  const filesOf = async (): Promise<string[]> => (await readdir(data, { recursive: true })).sort()
  const before = await filesOf()
  await expect(start()).rejects.toMatchObject({ code: 'DATA_TOO_NEW' })
  for (const [name, text] of Object.entries(newer)) {
    expect(await readFile(join(data, name), 'utf8')).toBe(text)
  }
  expect(await filesOf()).toEqual(before)
})

it.each(['identity.json', 'cloud.json'])(
  'a %s that is garbage stops the start in words',
  async (name) => {
    await start()
    await stopAll()
    await writeFile(join(data, name), 'garbage')
    await rm(join(data, `${name}.bak`), { force: true })
    await expect(start()).rejects.toMatchObject({ code: 'DATA_DAMAGED' })
    // Nothing stays open: the folder is free for who mends it.
    await expect(start()).rejects.toMatchObject({ code: 'DATA_DAMAGED' })
  },
)
