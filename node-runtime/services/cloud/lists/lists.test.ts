// Lists on real places: git over HTTP, over ssh, on this disk, and plain files.
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { HEAD_FILE, parseListAddress } from '../../../core/finding/list-address.ts'
import { encodeKey } from '../../../core/keys.ts'
import { keyOf, keysOf } from '../../../testing/entries.ts'
import {
  ask,
  commitFiles,
  forward,
  genesis,
  git,
  headFile,
  listFiles,
  ListPlaces,
} from '../../../testing/list-places.ts'
import { UNCHANGED, withSource } from './list-source.ts'

// Real servers, on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 })

let places: ListPlaces
beforeAll(async () => {
  places = await ListPlaces.create()
})
afterAll(() => places.close())
afterEach(() => vi.unstubAllEnvs())

const urlAt = (...parts: string[]): string => pathToFileURL(places.pathOf(...parts)).href

describe.each([
  ['git over HTTP', async () => places.emptyRepository().url],
  ['a repository that has something else in it', async () => places.server.urlOf('other')],
  ['a folder that is not there yet', async () => urlAt('new', 'list')],
  [
    'git over ssh',
    async () => {
      // Stands for ssh: runs what it is told on this computer, as the other side's shell would.
      const program = places.pathOf('ssh.sh')
      await writeFile(program, '#!/bin/sh\nshift\nexec sh -c "$1"\n')
      await chmod(program, 0o755)
      vi.stubEnv('GIT_SSH_COMMAND', program)
      return `ssh://git@127.0.0.1${places.emptyRepository().gitDir}`
    },
  ],
])('a list on %s', (what, makePlace) => {
  it('is begun by who speaks for the cloud, written by others, and tells all where machines are', async () => {
    const url = await makePlace()
    const owner = await places.openOwner()
    await expect(owner.read(url)).rejects.toMatchObject({ code: 'LIST_MISSING' })
    const backup = 'https://host.example/backup.git'
    expect(await owner.create(url, { backup })).toMatchObject({
      entries: 1,
      pushed: true,
      signer: encodeKey(keysOf('owner').publicKey),
    })
    expect(owner.reports.find((list) => list.url === url)).toMatchObject({
      keeps: true,
      state: 'read',
      entries: 1,
    })

    const second = await places.open('second')
    const newest = places.wallMs
    expect(await second.push(url)).toMatchObject({ entries: 2, newest, pushed: true })
    expect(await second.push(url)).toMatchObject({ entries: 2, pushed: false })

    const newcomer = await places.open(`newcomer to ${what}`)
    await newcomer.add(url)
    expect(await ask(newcomer)).toEqual(
      new Map([
        [keyOf('owner'), '127.0.0.1:4000'],
        [keyOf('second'), '127.0.0.1:4000'],
      ]),
    )
    expect(newcomer.reports).toMatchObject([
      { entries: 2, newestMs: newest, newestAgeMs: places.wallMs - newest!, state: 'read', backup },
    ])
    // What lay there before is there still.
    if (url === places.server.urlOf('other')) {
      const there = git(places.server.folderOf('other'), ['show', 'HEAD:about.txt'])
      expect(there).toContain('Something else')
    }
  })
})

it('a list in a repository whose default branch stays without a commit is written and read', async () => {
  const { url, gitDir } = places.emptyRepository('elsewhere')
  await (await places.openOwner()).create(url, {})
  const second = await places.open('second there')
  expect(await second.push(url)).toMatchObject({ entries: 2, pushed: true })
  expect(await second.read(url)).toMatchObject({ entries: 2 })
  expect(git(gitDir, ['branch', '--format=%(refname:short)']).trim()).toBe('main')
  // Who knows the newest commit fetches nothing.
  const known = git(gitDir, ['rev-parse', 'main'])
  expect(await withSource(parseListAddress(url), { known }, async () => 'fetched')).toBe(UNCHANGED)
})

describe('plain files', () => {
  it('on a web server are read, a few of many, and written by nobody', async () => {
    const files = listFiles([places.entryOf('a')])
    const { url, asked } = await places.serveFiles(() => files)
    const told: string[] = []
    const genesisLearned = (body: string): void => void told.push(body)
    const lists = await places.open('reader of files', { genesisLearned })
    await lists.add(url)
    expect([...(await ask(lists)).keys()]).toEqual([keyOf('a')])
    // So that work that the cloud asks for is done before somebody is met.
    expect(told).toEqual([genesis])
    expect(asked).toEqual([HEAD_FILE, 'shards/0'])
    await expect(lists.push(url)).rejects.toMatchObject({ code: 'LIST_DENIED' })
    files.set(HEAD_FILE, headFile({ shards: 16 }))
    asked.length = 0
    await lists.add(url)
    await ask(lists)
    expect(asked).toHaveLength(3)
    await lists.read(url)
    expect(asked).toHaveLength(3 + 17)
  })

  it('name those, too, that are linked already, and have nobody try them', async () => {
    const { url } = await places.serveFiles(() =>
      listFiles([places.entryOf('a'), places.entryOf('b')]),
    )
    const lists = await places.open('reader of the linked', {
      isLinked: (machine) => machine === keyOf('a'),
    })
    await lists.add(url)
    const heard = { sighted: [] as string[], named: [] as string[] }
    await lists.ask(
      {
        sighted: (machine) => void heard.sighted.push(machine),
        named: (machine) => void heard.named.push(machine),
      },
      new AbortController().signal,
    )
    expect(heard).toEqual({ sighted: [keyOf('b')], named: [keyOf('a')] })
  })

  it('in a folder are read, too', async () => {
    for (const [path, bytes] of listFiles([places.entryOf('a'), places.entryOf('b')])) {
      await mkdir(dirname(places.pathOf('plain', path)), { recursive: true })
      await writeFile(places.pathOf('plain', path), bytes)
    }
    const lists = await places.open('reader of a folder')
    const url = urlAt('plain')
    expect(await lists.read(url)).toMatchObject({ entries: 2 })
    await expect(lists.push(url)).rejects.toMatchObject({ code: 'LIST_DENIED' })
    const creating = (await places.openOwner()).create(url, {})
    await expect(creating).rejects.toMatchObject({ code: 'LIST_DENIED' })
  })
})

describe('writers', () => {
  /** A list that its owner has begun. */
  const begin = async (): Promise<{ url: string; gitDir: string }> => {
    const place = places.emptyRepository()
    await (await places.openOwner()).create(place.url, {})
    return place
  }

  it('that write at the same time lose nothing of each other', async () => {
    const { url, gitDir } = await begin()
    const writers = await Promise.all(['a', 'b'].map((name) => places.open(name)))
    await Promise.all(writers.map((lists) => lists.push(url)))
    const { machines } = await (await places.open('reader')).read(url)
    expect(machines.map(({ name }) => name).sort()).toEqual(['a', 'b', 'owner'])
    // However often it was written, the repository has the last write only.
    expect(git(gitDir, ['rev-list', '--count', 'main'])).toBe('1')
    expect(git(gitDir, ['ls-tree', '--name-only', 'main']).split('\n').sort()).toEqual([
      'README.md',
      HEAD_FILE,
      'shards',
    ])
  })

  it('keep the history where something else lies there, or the place wants it kept', async () => {
    const other = places.emptyRepository()
    commitFiles(other.gitDir, new Map([['about.txt', Buffer.from('Something else.')]]))
    const strict = places.emptyRepository()
    git(strict.gitDir, ['config', 'receive.denyNonFastForwards', 'true'])
    for (const { url, gitDir } of [other, strict]) {
      const begun = Number(url === other.url)
      await (await places.openOwner()).create(url, {})
      expect(await (await places.open('second')).push(url)).toMatchObject({ entries: 2 })
      expect(git(gitDir, ['rev-list', '--count', 'main'])).toBe(String(begun + 2))
    }
    expect(git(other.gitDir, ['show', 'main:about.txt'])).toBe('Something else.')
  })

  it.each([
    ['before it asked what there is', 'GET /info/refs?service=git-receive-pack'],
    ['before it was heard', 'POST /git-receive-pack'],
  ])('that come too late, because another wrote %s, merge and write again', async (_, held) => {
    const { url } = await begin()
    const target = new URL(url)
    let isFirst = true
    const late = await places.listen((request, response) => {
      const asked = `${request.method} ${(request.url ?? '').slice(target.pathname.length)}`
      if (asked !== held || !isFirst) return forward(request, response, target)
      isFirst = false
      const other = places.open('faster')
      void other.then((lists) => lists.push(url)).then(() => forward(request, response, target))
    })
    const lists = await places.open('slower')
    const { machines } = await lists.push(`${late}${target.pathname}`)
    expect(isFirst).toBe(false)
    expect(machines.map(({ name }) => name).sort()).toEqual(['faster', 'owner', 'slower'])
  })

  it('without leave are told so, and kept from nothing else', async () => {
    const { url, gitDir } = await begin()
    git(gitDir, ['config', 'http.receivepack', 'false'])
    const lists = await places.open('without leave')
    await expect(lists.push(url)).rejects.toMatchObject({ code: 'LIST_DENIED' })
    expect(await lists.read(url)).toMatchObject({ entries: 1 })
  })

  it('that are refused by the repository do not try for ever', async () => {
    const { url, gitDir } = await begin()
    await writeFile(`${gitDir}/hooks/pre-receive`, '#!/bin/sh\nexit 1\n')
    await chmod(`${gitDir}/hooks/pre-receive`, 0o755)
    const lists = await places.open('refused')
    await expect(lists.push(url)).rejects.toMatchObject({ code: 'LIST_DENIED' })
  })

  it('can not begin a list of a cloud that they do not speak for', async () => {
    const { url } = places.emptyRepository()
    const lists = await places.open('stranger')
    await expect(lists.create(url, {})).rejects.toMatchObject({ code: 'LIST_NO_KEY' })
    await expect(lists.push(url)).rejects.toMatchObject({ code: 'LIST_MISSING' })
  })

  it('that keep a list write to it when it is asked, and only if that is worth it', async () => {
    const { url, gitDir } = await begin()
    const keeper = await places.open('keeper', {
      entriesSince: () => [places.entryOf('neighbour')],
    })
    await keeper.add(url, { keeps: true })
    const newest = (): string => git(gitDir, ['rev-parse', 'main'])
    const begun = newest()
    await ask(keeper)
    await vi.waitFor(() => expect(newest()).not.toBe(begun), 20_000)
    const written = newest()
    const { machines } = await keeper.read(url)
    expect(machines.map(({ name }) => name).sort()).toEqual(['keeper', 'neighbour', 'owner'])
    const before = places.wallMs
    // All are signed anew a day later.
    places.wallMs += 24 * 3_600_000
    await keeper.add(url)
    await ask(keeper)
    await keeper.close()
    expect(newest()).toBe(written)
    places.wallMs = before
  })

  it('sign a list anew for another backup, and leave its entries', async () => {
    const { url } = await begin()
    const { sequence } = await (await places.open('second')).push(url)
    const backup = 'https://host.example/b.git'
    const again = await (await places.openOwner()).create(url, { backup })
    expect(again).toMatchObject({ entries: 2, backup })
    expect(again.sequence).toBeGreaterThan(sequence)
  })
})

describe('the lists of a cloud', () => {
  it('are kept for the next start, with who may write, readable by the owner alone', async () => {
    const lists = await places.open('keeping')
    const access = { username: 'ada', secret: 'hush' }
    await lists.add('https://host.example/list.git', { keeps: true, access })
    await lists.add('file:///srv/list')
    await lists.close()
    const { mode } = await stat(places.pathOf('keeping', 'lists.json'))
    expect(mode & 0o777).toBe(0o600)
    const again = await places.open('keeping')
    expect(again.reports).toMatchObject([
      { url: 'https://host.example/list.git', keeps: true, hasAccess: true, state: 'waiting' },
      { url: 'file:///srv/list', keeps: false, hasAccess: false },
    ])
    expect(JSON.stringify(again.reports)).not.toContain('hush')
    await again.remove('file:///srv/list')
    await expect(again.remove('file:///srv/list')).rejects.toMatchObject({ code: 'LIST_UNKNOWN' })
    expect(again.reports).toHaveLength(1)
  })

  it('keep secrets in the key store where there is one', async () => {
    const secrets = {
      seal: async (secret: string) => `sealed ${secret.length}`,
      open: async (sealed: string) => (sealed === 'sealed 4' ? 'hush' : null),
    }
    const heard: (string | undefined)[] = []
    const url = await places.listen((request, response) => {
      heard.push(request.headers.authorization)
      response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
    })
    const lists = await places.open('with a key store', { secrets })
    const access = { username: 'ada', secret: 'hush' }
    await lists.add(`${url}/list.git`, { access })
    const text = await readFile(places.pathOf('with a key store', 'lists.json'), 'utf8')
    expect(text).toContain('sealed 4')
    expect(text).not.toContain('hush')
    await expect(lists.read(`${url}/list.git`)).rejects.toMatchObject({ code: 'LIST_UNREACHABLE' })
    expect(heard).toEqual([undefined, `Basic ${Buffer.from('ada:hush').toString('base64')}`])
  })

  it('are sixteen at most', async () => {
    const lists = await places.open('with many')
    for (let at = 0; at < 16; at++) await lists.add(`file:///srv/${at}`)
    await expect(lists.add('file:///srv/16')).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await lists.add('file:///srv/15', { keeps: true })
  })

  it('that were damaged are begun anew', async () => {
    await (await places.open('damaged')).close()
    await writeFile(places.pathOf('damaged', 'lists.json'), '{"lists":7}')
    expect((await places.open('damaged')).reports).toEqual([])
    expect(await readdir(places.pathOf('damaged'))).toContain('lists.json.damaged')
  })
})
