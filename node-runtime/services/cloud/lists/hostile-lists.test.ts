// What lies at the place of a list may be anything, and who serves it may do anything: nothing of it is used, and
// no other list, nor another way, waits for it.
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { HEAD_FILE } from '../../../core/finding/list-address.ts'
import { LISTED_MS, writeHead, writeShard } from '../../../core/finding/list-form.ts'
import { listSeal, sealFile } from '../../../core/finding/list-seal.ts'
import { cloudIdOf } from '../../../core/forms/genesis.ts'
import { keyOf } from '../../../testing/entries.ts'
import {
  ask,
  commitFiles,
  forward,
  genesisOf,
  headFile,
  listedEntry,
  listFiles,
  ListPlaces,
  manifestBy,
  seal,
} from '../../../testing/list-places.ts'
import type { Files } from '../../../testing/list-places.ts'

// Real servers, on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 })

let places: ListPlaces
beforeAll(async () => {
  places = await ListPlaces.create()
})
afterAll(() => places.close())

const oneFile = (bytes: Uint8Array): Files => new Map([[HEAD_FILE, bytes]])

function listOfAnotherCloud(): Files {
  const genesis = genesisOf('Theirs')
  const cloud = cloudIdOf(genesis)
  const head = { genesis, manifest: manifestBy('owner', { of: cloud }), shards: 1 as const }
  return oneFile(writeHead(head, listSeal(cloud)))
}

function tooManyEntries(): Files {
  const form = { ...places.entryOf('a').form, body: '{}' }
  const entries = Array.from({ length: 400 }, () => ({ form, sinceMs: 0 }))
  return listFiles([]).set('shards/0', sealFile(JSON.stringify({ entries }), seal))
}

/** @param mended  its owner may write over what is damaged of it */
const BAD: [what: string, reason: string, files: () => Files, mended: boolean][] = [
  ['is garbage', 'garbage', () => oneFile(Buffer.from('<!doctype html>')), false],
  ['was cut off', 'garbage', () => oneFile(headFile().subarray(0, 300)), false],
  ['is of another cloud', 'other-cloud', listOfAnotherCloud, false],
  [
    'was signed by a stranger',
    'forged',
    () => oneFile(headFile({ manifest: manifestBy('stranger') })),
    false,
  ],
  ['is too large', 'too-large', () => oneFile(Buffer.alloc(200_000)), false],
  [
    'has a shard that is too large',
    'too-large',
    () => listFiles([]).set('shards/0', sealFile(' '.repeat(200_000), seal)),
    true,
  ],
  ['has a shard with more entries than there may be', 'garbage', tooManyEntries, true],
]

it.skipIf(process.platform === 'win32')(
  'a pipe at the place of a list is no list, and is not waited for',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dharma-pipe-'))
    execFileSync('mkfifo', [join(folder, HEAD_FILE)])
    const lists = await places.open('reader of a pipe')
    await expect(lists.read(pathToFileURL(folder).href)).rejects.toMatchObject({
      code: 'LIST_UNREACHABLE',
    })
    await rm(folder, { recursive: true })
  },
)

describe('what lies at the place', () => {
  it.each(BAD)(
    '%s: nothing of it is used, and the words say why (%s)',
    async (_what, reason, files, mended) => {
      const content = files()
      const { url } = await places.serveFiles(() => content)
      const lists = await places.open(`reader of ${_what}`)
      await lists.add(url)
      await expect(ask(lists)).rejects.toMatchObject({
        step: `LIST_${reason.toUpperCase().replace('-', '_')}`,
        message: expect.stringContaining('Nothing of it is used.'),
      })
      expect(lists.reports).toMatchObject([{ state: 'failed', reason, entries: 0 }])
      await expect(lists.read(url)).rejects.toMatchObject({
        code: 'LIST_INVALID',
        details: { reason },
      })
      const other = places.emptyRepository()
      commitFiles(other.gitDir, content)
      const creating = (await places.openOwner()).create(other.url, {})
      if (mended) expect(await creating).toMatchObject({ entries: 1, pushed: true })
      else await expect(creating).rejects.toMatchObject({ code: 'LIST_INVALID' })
    },
  )

  it('is an old list that was put back: it is not taken for a new one, also after a start', async () => {
    let sequence = 7
    const { url } = await places.serveFiles(() => listFiles([places.entryOf('a')], sequence))
    const lists = await places.open('reader of the old')
    await lists.add(url)
    await ask(lists)
    sequence = 6
    await lists.add(url)
    await expect(ask(lists)).rejects.toMatchObject({ step: 'LIST_REPLAYED' })
    await lists.close()
    const again = await places.open('reader of the old')
    await expect(ask(again)).rejects.toMatchObject({ step: 'LIST_REPLAYED' })
  })

  it('has entries that are forged, expired or old: those that hold count all the same', async () => {
    const good = places.entryOf('good')
    const form = { ...places.entryOf('forged').form, signature: 'f'.repeat(128) }
    const entries = [
      { ...good, form },
      listedEntry('expired', places.wallMs - LISTED_MS),
      listedEntry('moved', places.wallMs - 1_000),
      good,
    ].map((entry) => ({ entry, sinceMs: 0 }))
    const files = listFiles([]).set('shards/0', writeShard(entries, seal).file)
    const { url } = await places.serveFiles(() => files)
    // This machine knows better where one of them is by now.
    const lists = await places.open('reader who knows', {
      entryOf: (machine) =>
        machine === keyOf('moved') ? places.entryOf('moved', 5_000) : undefined,
    })
    await lists.add(url)
    expect(await ask(lists)).toEqual(
      new Map([
        [keyOf('good'), '127.0.0.1:4000'],
        [keyOf('moved'), '127.0.0.1:5000'],
      ]),
    )
  })
})

describe('a host', () => {
  it('that says nothing, or leads in circles, holds up no other list, and ends in time', async () => {
    const silent = await places.listen(() => undefined)
    let turns = 0
    const circle = await places.listen((_request, response) => {
      response.writeHead(302, { location: `/list.git/${turns++}` }).end()
    })
    const { url } = await places.serveFiles(() => listFiles([places.entryOf('a')]))
    const lists = await places.open('reader of the silent')
    await lists.add(`${silent}/list.git`)
    await lists.add(`${silent}/list/`)
    await lists.add(`${circle}/list.git`)
    await lists.add(`${circle}/list/`)
    await lists.add(url)
    const stop = new AbortController()
    const found: string[] = []
    const sighted = (machine: string): void => void found.push(machine)
    const asking = lists.ask({ sighted, named: () => {} }, stop.signal)
    await vi.waitFor(() => {
      expect(found).toEqual([keyOf('a')])
      const states = lists.reports.map(({ state }) => state)
      expect(states).toEqual(['reading', 'reading', 'failed', 'failed', 'read'])
    }, 20_000)
    expect(turns).toBeLessThan(20)
    stop.abort()
    await asking
  })

  it('that sends a million entries is not heard to the end', async () => {
    const entry = Buffer.from(JSON.stringify({ form: places.entryOf('a').form, sinceMs: 0 }))
    let sent = 0
    const url = await places.listen((request, response) => {
      if (request.url?.endsWith(HEAD_FILE) === true) return void response.end(headFile())
      const pump = (): void => {
        while (sent < 1_000_000 && !response.destroyed && response.write(entry)) sent++
      }
      response.on('drain', pump)
      return pump()
    })
    const lists = await places.open('reader of a million')
    await lists.add(`${url}/list/`)
    await expect(ask(lists)).rejects.toMatchObject({ step: 'LIST_TOO_LARGE' })
    // What was on its way when it was broken off.
    expect(sent).toBeLessThan(50_000)
  })

  it('is asked once in five minutes, whatever hurry there is, and not at all while it wants to be left alone', async () => {
    const { url, asked } = await places.serveFiles(() => listFiles([places.entryOf('a')]))
    let refusals = 0
    const busy = await places.listen((_request, response) => {
      refusals++
      response.writeHead(429, { 'retry-after': '3600' }).end()
    })
    const lists = await places.open('reader in a hurry')
    await lists.add(url)
    await lists.add(`${busy}/list.git`)
    for (let times = 0; times < 5; times++) expect((await ask(lists)).size).toBe(1)
    expect(asked).toHaveLength(2)
    expect(refusals).toBe(1)
  })

  it('sends what has not changed only once', async () => {
    const { url } = places.emptyRepository()
    await (await places.openOwner()).create(url, {})
    const asked: string[] = []
    const target = new URL(url)
    const proxy = await places.listen((request, response) => {
      asked.push(`${request.method} ${(request.url ?? '').split('/').at(-1) ?? ''}`)
      forward(request, response, target)
    })
    const reader = await places.open('reader again')
    for (let times = 0; times < 2; times++) {
      await reader.add(`${proxy}${target.pathname}`)
      expect((await ask(reader)).size).toBe(1)
    }
    expect(asked).toEqual([
      'GET refs?service=git-upload-pack',
      'POST git-upload-pack',
      'GET refs?service=git-upload-pack',
    ])
  })

  it('hears of a password only when it is the one that it is for', async () => {
    const heard: (string | undefined)[] = []
    const other = await places.listen((request, response) => {
      heard.push(request.headers.authorization)
      response.writeHead(404).end()
    })
    const place = await places.listen((request, response) => {
      if (request.headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
      } else {
        response.writeHead(302, { location: `${other}${request.url}` }).end()
      }
    })
    const lists = await places.open('writer')
    const access = { username: 'ada', secret: 'hush' }
    await expect(lists.push(`${place}/list.git`, { access })).rejects.toMatchObject({
      code: 'LIST_UNREACHABLE',
    })
    expect(heard).toEqual([undefined])
  })
})
