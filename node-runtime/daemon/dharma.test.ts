// The command line as a shell uses it: real processes, a real DHT on 127.0.0.1.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { formatVersion } from '../core/db/hybrid-clock.ts'
import { openAttestation } from '../core/forms/attestation.ts'

import { encodeKey, keyPair } from '../core/keys.ts'
import { builtLists } from '../host/built-lists.ts'
import { connectToFolder } from '../host/running-machine.ts'
import { readAttested } from '../services/identity/attested-text.ts'
import { startTestnet } from '../swarm/testnet.ts'
import type { Testnet } from '../swarm/testnet.ts'
import { bundleCommand, lineThat, nextLine } from './testing/command.ts'
import type { Command, Running } from './testing/command.ts'

const TIMEOUT_MS = 30_000

let command: Command
let dataDir: string
let network: Testnet
let bootstrap: string

beforeAll(async () => {
  command = await bundleCommand()
  network = await startTestnet()
  bootstrap = network.bootstrap.map(({ host, port }) => `${host}:${port}`).join(',')
})
afterAll(async () => {
  await network.close()
  await command.remove()
})
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'dharma-cli-'))
})
afterEach(async () => {
  await command.killAll()
  await rm(dataDir, { recursive: true, force: true })
})

const start = (...args: string[]): Running => command.start(args)

async function nextJson(process: Running): Promise<unknown> {
  return JSON.parse(await nextLine(process))
}

interface Ready {
  event: string
  machine: string
  cloud: string
  originated: boolean
  url: string
  pid: number
}

async function up(...args: string[]): Promise<Running & { ready: Ready }> {
  const process = start('up', '--json', '--data', dataDir, '--bootstrap', bootstrap, ...args)
  return { ...process, ready: (await nextJson(process)) as Ready }
}

async function finish(...args: string[]): Promise<{ code: unknown; out: string; error: string }> {
  const { child, ended, stderr } = start(...args)
  let out = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (out += text))
  return { code: await ended, out, error: stderr() }
}

vi.setConfig({ testTimeout: TIMEOUT_MS })
// Many processes, one after the other.
const long = { timeout: 4 * TIMEOUT_MS }

describe('dharma doctor', () => {
  test('says by which ways the machine looks, to people and to programs', async () => {
    await up('--ways', 'memory,dht')
    const { code, out } = await finish('doctor', '--json', '--data', dataDir)
    expect(code).toBe(0)
    const report = JSON.parse(out) as { state: string; ways: { way: string; state: string }[] }
    expect(report).toMatchObject({ state: 'alone', links: { direct: 0, relayed: 0 } })
    expect(report.ways.map(({ way }) => way)).toEqual(['memory', 'lan', 'list', 'dht'])
    expect(report.ways[1]).toMatchObject({ way: 'lan', state: 'off', step: null, tookMs: null })
    const words = await finish('doctor', '--data', dataDir)
    expect(words.out).toContain(
      'This machine began its cloud, and is alone in it. It works as the whole cloud, and goes on looking for others.',
    )
    expect(words.out).toMatch(/^ {2}memory {2}answered .*No machine is remembered/m)
  })

  test('without a machine it says so, and a way that is none is refused', async () => {
    const { code, error } = await finish('doctor', '--data', dataDir)
    expect([code, error]).toEqual([1, expect.stringContaining('No machine is running')])
    const wrong = await finish('up', '--ways', 'memory,post', '--data', dataDir)
    expect([wrong.code, wrong.error]).toEqual([1, expect.stringContaining('"post" is no way.')])
  })
})

describe('dharma person', () => {
  test(
    'attests and revokes with the phrase, which need not be on the machine any more',
    long,
    async () => {
      const { ready } = await up()
      const { client, close } = await connectToFolder(dataDir)
      const { phrase } = await client.identity.recoveryPhrase({})
      const { person } = await client.identity.whoami({})
      await client.identity.forgetPhrase({ phrase })
      close()
      const machine = encodeKey(keyPair(new Uint8Array(32).fill(9)).publicKey)
      const asPerson = (...args: string[]) => finish('person', ...args, '--data', dataDir)

      const refused = await asPerson('revoke', machine, '--json')
      expect([refused.code, JSON.parse(refused.error)]).toMatchObject([
        1,
        { code: 'IDENTITY_PHRASE_NEEDED' },
      ])
      const file = join(dataDir, 'phrase.txt')
      await writeFile(file, `${phrase}\n`)
      const withPhrase = ['--phrase-file', file, '--json']
      const attested = JSON.parse((await asPerson('attest', machine, ...withPhrase)).out) as {
        text: string
      }
      const { attestation, chain } = readAttested(attested.text)
      expect(openAttestation(attestation, ready.cloud)).toMatchObject({ person, machine })
      expect(chain).toBeNull()
      // The whole line that was printed does as well as its last word.
      const line = `npm run dharma -- person accept ${attested.text}\n`
      const other = await asPerson('accept', line, '--json')
      expect(JSON.parse(other.error)).toMatchObject({
        code: 'IDENTITY_ATTESTATION_INVALID',
        details: { attested: machine },
      })
      const cut = await asPerson('accept', attested.text.slice(0, -9))
      expect([cut.code, cut.error]).toEqual([1, expect.stringContaining('or not all of it')])
      const until = '2026-01-01T00:00:00Z'
      const revoked = await asPerson('revoke', machine, '--keep-until', until, ...withPhrase)
      expect(JSON.parse(revoked.out)).toEqual({
        person,
        machine,
        cloud: ready.cloud,
        validUntil: formatVersion({ timeMs: Date.parse(until), counter: 0xffff }),
      })
    },
  )

  test('refuses what is no key and no time, before it asks a machine', async () => {
    const { code, error } = await finish('person', 'revoke', 'phone', '--data', dataDir)
    expect([code, error]).toEqual([1, expect.stringContaining('"phone" is not the key')])
    const key = 'y'.repeat(52)
    const wrong = await finish('person', 'revoke', key, '--keep-until', 'soon', '--data', dataDir)
    expect([wrong.code, wrong.error]).toEqual([1, expect.stringContaining('"soon" is no time')])
  })
})

describe('dharma list', () => {
  test(
    'begins a list, by which another machine finds this one; shows it, and writes to it',
    long,
    async () => {
      const { ready } = await up('--ways', 'list')
      const url = pathToFileURL(join(dataDir, 'list.git')).href
      const options = [url, '--json', '--data', dataDir]
      const missing = await finish('list', 'show', ...options)
      expect([missing.code, JSON.parse(missing.error)]).toMatchObject([1, { code: 'LIST_MISSING' }])
      const begun = await finish('list', 'create', ...options, '--backup', 'https://host.example/b')
      expect(JSON.parse(begun.out)).toMatchObject({ url, entries: 1, pushed: true })

      const other = join(dataDir, 'other')
      const joining = ['--ways', 'list', '--cloud', ready.cloud, '--list', url]
      const second = start('up', '--json', '--data', other, '--bootstrap', bootstrap, ...joining)
      expect(await nextJson(second)).toMatchObject({ cloud: ready.cloud })
      const { client, close } = await connectToFolder(other)
      await vi.waitFor(async () => {
        expect(await client.cloud.status({})).toMatchObject({ state: 'joined', connections: 1 })
      }, TIMEOUT_MS)
      close()
      const pushed = await finish('list', 'push', url, '--json', '--data', other)
      const content = JSON.parse(pushed.out) as { entries: number; newest: number }
      // It may have written to the list by itself already: then there is nothing left to push.
      expect(content).toMatchObject({ entries: 2, backup: 'https://host.example/b' })
      expect(Math.abs(Date.now() - content.newest)).toBeLessThan(long.timeout)
      const { out } = await finish('list', 'show', url, '--data', dataDir)
      expect(out).toMatch(/^Entries 2, the newest signed /m)
      expect(out).toContain(ready.machine.slice(0, 8))
      const refused = await finish('list', 'create', url, '--json', '--data', other)
      expect(JSON.parse(refused.error)).toMatchObject({ code: 'LIST_NO_KEY' })
    },
  )

  test(
    'is written on a machine that is off, and so is what a build needs for it',
    long,
    async () => {
      const own = ['--json', '--data', dataDir]
      const created = await finish('cloud', 'create', ...own)
      const { cloud } = JSON.parse(created.out) as { cloud: string }
      const url = pathToFileURL(join(dataDir, 'list.git')).href
      const missing = await finish('list', 'show', url, ...own)
      expect([missing.code, JSON.parse(missing.error)]).toMatchObject([1, { code: 'LIST_MISSING' }])
      const begun = await finish('list', 'create', url, ...own)
      expect(JSON.parse(begun.out)).toMatchObject({ url, entries: 1, pushed: true })
      const token = join(dataDir, 'token')
      await writeFile(token, 'hush\n')
      const file = join(dataDir, 'built.json')
      const bake = ['list', 'bake', url, file, '--token-file', token, '--user', 'ada', ...own]
      const baked = await finish(...bake)
      expect(JSON.parse(baked.out)).toEqual({ file, cloud, url })
      expect(baked.out).not.toContain('hush')
      expect((await stat(file)).mode & 0o777).toBe(0o600)
      expect(await builtLists(file)).toEqual({
        listsFile: 1,
        cloud,
        lists: [{ url, keeps: true, access: { username: 'ada', secret: 'hush' } }],
      })
      expect(JSON.parse((await finish(...bake)).error)).toMatchObject({ code: 'BAD_INPUT' })
    },
  )

  test('what is no address is refused, and what is not there said', async () => {
    const options = ['--json', '--data', dataDir]
    const wrong = await finish('up', '--list', 'ftp://host.example', ...options)
    expect([wrong.code, JSON.parse(wrong.error)]).toMatchObject([1, { code: 'LIST_URL_INVALID' }])
    const file = join(dataDir, 'token')
    const token = await finish('list', 'push', 'file:///x', '--token-file', file, ...options)
    expect([token.code, JSON.parse(token.error)]).toMatchObject([1, { code: 'BAD_INPUT' }])
  })
})

describe('dharma up', () => {
  test('says when it is ready, answers calls, and closes cleanly on SIGTERM', async () => {
    const machine = await up()
    const { ready } = machine
    expect(ready).toMatchObject({ event: 'ready', originated: true, pid: machine.child.pid })
    expect(ready.machine).toMatch(/^[a-z0-9]{52}$/)
    expect(ready.cloud).toMatch(/^[a-z0-9]{52}$/)
    expect(new URL(ready.url).hostname).toBe('127.0.0.1')

    const file = join(dataDir, 'runtime.json')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      pid: ready.pid,
      url: ready.url,
      port: Number(new URL(ready.url).port),
    })

    const status = await finish('call', 'cloud.status', '--data', dataDir)
    expect(status.code).toBe(0)
    expect(JSON.parse(status.out)).toMatchObject({ machine: ready.machine, cloud: ready.cloud })

    machine.child.kill('SIGTERM')
    expect(await machine.ended).toBe(0)
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(machine.stderr()).toBe('')
  })

  test('streams print a line for each event until they are interrupted', async () => {
    const machine = await up()
    const watch = start('call', 'cloud.watch', '{}', '--data', dataDir)
    expect(await nextJson(watch)).toMatchObject({ status: { machine: machine.ready.machine } })
    // Other news may come before it.
    const renamed = lineThat(watch, (line) => line.includes('"machineName":"Ada’s desk"'))
    await finish('call', 'cloud.renameMachine', '{"name":"Ada’s desk"}', '--data', dataDir)
    await renamed
    watch.child.kill('SIGINT')
    expect(await watch.ended).toBe(0)

    const cut = start('call', 'cloud.watch', '--data', dataDir)
    await nextJson(cut)
    machine.child.kill('SIGINT')
    expect(await machine.ended).toBe(0)
    expect(await cut.ended).toBe(1)
    expect(JSON.parse(cut.stderr())).toMatchObject({ code: 'UNAVAILABLE' })
  })

  test('failures of calls are JSON with code, message and details', async () => {
    await up()
    const failures: [string, ...string[]][] = [
      ['BAD_INPUT', 'db.get', '{"system":"Not An Id"}'],
      ['BAD_INPUT', 'db.get', '{'],
      ['BAD_INPUT', 'systems.list', '{"all":true}'],
      ['UNKNOWN_CALL', 'db.nothing'],
      ['UNKNOWN_CALL', 'nothing'],
      ['UNKNOWN_CALL', 'db.constructor'],
      ['SYSTEM_NOT_INSTALLED', 'systems.uninstall', '{"id":"org.example.notes"}'],
      ['CLOUD_KEY_INVALID', 'cloud.join', '{"cloud":"x"}'],
    ]
    const results = await Promise.all(
      failures.map(([, ...args]) => finish('call', ...args, '--data', dataDir)),
    )
    expect(results[2]?.error).toContain('"all\\" is not known here. See: dharma calls systems.list')
    results.forEach(({ code, out, error }, index) => {
      const failure = JSON.parse(error) as Record<string, unknown>
      expect([failure['code'], code, out]).toEqual([failures[index]?.[0], 1, ''])
      expect(Object.keys(failure)).toEqual(['code', 'message', 'details'])
    })
  })

  test('a second start on the folder is told where the first is', async () => {
    const { ready } = await up()
    const second = await finish('up', '--json', '--data', dataDir, '--bootstrap', bootstrap)
    expect(second.code).toBe(1)
    expect(second.out).toBe('')
    expect(JSON.parse(second.error)).toMatchObject({
      code: 'FOLDER_IN_USE',
      details: { url: ready.url, pid: ready.pid },
    })
    const inWords = await finish('up', '--data', dataDir, '--bootstrap', bootstrap)
    expect(inWords.code).toBe(1)
    expect(inWords.error).toContain(ready.url)
  })

  test('after kill -9 the same machine comes back', async () => {
    const first = await up()
    first.child.kill('SIGKILL')
    expect(await first.ended).toBe('SIGKILL')
    const orphaned = await finish('call', 'cloud.status', '--data', dataDir)
    expect([orphaned.code, JSON.parse(orphaned.error)]).toMatchObject([1, { code: 'NO_MACHINE' }])

    const second = await up()
    expect(second.ready).toMatchObject({
      machine: first.ready.machine,
      cloud: first.ready.cloud,
      originated: true,
    })
    expect(second.ready.url).not.toBe(first.ready.url)
  })

  test('a port that is taken, a bad cloud and a bad bootstrap are told as such', async () => {
    const { ready } = await up()
    const other = ['--data', join(dataDir, 'other'), '--json']
    const { port } = new URL(ready.url)
    const local = ['--bootstrap', bootstrap]
    const [taken, cloud, address] = await Promise.all([
      finish('up', ...other, ...local, '--port', port),
      finish('up', '--data', join(dataDir, 'third'), '--json', ...local, '--cloud', 'nonsense'),
      finish('up', ...other, '--bootstrap', 'nonsense'),
    ])
    expect([taken.code, JSON.parse(taken.error)]).toMatchObject([1, { code: 'PORT_IN_USE' }])
    expect([cloud.code, JSON.parse(cloud.error)]).toMatchObject([1, { code: 'CLOUD_KEY_INVALID' }])
    expect([address.code, JSON.parse(address.error)]).toMatchObject([1, { code: 'BAD_INPUT' }])
  })

  test('a second machine joins by the key of the cloud', async () => {
    const { ready } = await up()
    const args = ['--bootstrap', bootstrap, '--cloud', ready.cloud, '--data', join(dataDir, 'b')]
    const second = start('up', '--json', ...args)
    expect(await nextJson(second)).toMatchObject({ cloud: ready.cloud, originated: false })
    const watch = start('call', 'cloud.watch', '--data', dataDir)
    await new Promise<void>((resolve, reject) => {
      watch.lines.on('line', (line) => {
        const { status } = JSON.parse(line) as { status: { state: string } }
        if (status.state === 'joined') resolve()
      })
      void watch.ended.then(() => reject(new Error(watch.stderr())))
    })
  })
})

describe('a data folder that is none', () => {
  const failure = async (...args: string[]): Promise<unknown> => {
    const { code, out, error } = await finish(...args)
    expect([code, out]).toEqual([1, ''])
    return JSON.parse(error)
  }

  test('is said to be unusable, by up and by call alike', async () => {
    const file = join(dataDir, 'file')
    await writeFile(file, '')
    const places = [file, join(file, 'x'), ...(process.platform === 'linux' ? ['/proc/nope'] : [])]
    const failures = await Promise.all(
      places.map((place) => failure('up', '--json', '--data', place, '--bootstrap', bootstrap)),
    )
    failures.push(await failure('call', 'cloud.status', '--data', file))
    for (const each of failures) expect(each).toMatchObject({ code: 'FOLDER_UNUSABLE' })
  })

  test.skipIf(process.platform === 'win32').each(['SIGTERM', 'SIGINT'] as const)(
    'does not keep a start from being stopped by %s',
    async (signal) => {
      // Reading it waits for a writer that never comes.
      await promisify(execFile)('mkfifo', [join(dataDir, 'format.json')])
      const starting = start('up', '--json', '--data', dataDir, '--bootstrap', bootstrap)
      await vi.waitFor(() => stat(join(dataDir, 'lock')), { timeout: TIMEOUT_MS })
      starting.child.kill(signal)
      expect(await starting.ended).toBe(signal)
    },
  )
})

test('without a machine, or with a broken file, a call fails with NO_MACHINE', async () => {
  for (const content of [null, '{', '{"pid":1}']) {
    if (content !== null) await writeFile(join(dataDir, 'runtime.json'), content)
    const { code, error } = await finish('call', 'cloud.status', '{}', '--data', dataDir)
    expect([code, JSON.parse(error)]).toMatchObject([1, { code: 'NO_MACHINE' }])
  }
})

test('dharma testnet runs until SIGTERM', async () => {
  const network = start('testnet', '--json')
  const { event, bootstrap } = (await nextJson(network)) as { event: string; bootstrap: string[] }
  expect(event).toBe('ready')
  expect(bootstrap[0]).toMatch(/^127\.0\.0\.1:\d+$/)
  network.child.kill('SIGTERM')
  expect(await network.ended).toBe(0)
})

test('help is everywhere, and every call is listed with who may make it', async () => {
  const commands = [[], ['up'], ['call'], ['calls'], ['testnet']]
  const helps = await Promise.all(commands.map((command) => finish(...command, '--help')))
  for (const { code, out } of helps)
    expect([code, out.includes('Usage: dharma')]).toEqual([0, true])
  expect((await finish('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  const { calls } = JSON.parse((await finish('calls', '--json')).out) as { calls: object[] }
  expect(calls).toContainEqual(
    expect.objectContaining({ call: 'db.put', access: 'system', permission: 'db', stream: false }),
  )
  expect(calls).toContainEqual(
    expect.objectContaining({ call: 'cloud.watch', access: 'owner', stream: true }),
  )
})

test('what one call takes is shown, for people and for programs', async () => {
  const [words, json, unknown] = await Promise.all([
    finish('calls', 'systems.uninstall'),
    finish('calls', 'systems.uninstall', '--json'),
    finish('calls', 'systems.remove'),
  ])
  expect([words.code, words.out]).toEqual([0, expect.stringContaining('system?: string')])
  expect(JSON.parse(json.out)).toMatchObject({
    call: 'systems.uninstall',
    input: { properties: { system: { type: 'string' }, deleteData: { default: false } } },
  })
  expect([unknown.code, unknown.error]).toEqual([1, expect.stringContaining('"systems.remove"')])
})

test('hints name the command as it was started', async () => {
  const args = ['call', 'cloud.status', '--data', dataDir]
  const [inClone, installed] = await Promise.all(
    ['dharma', 'test'].map(async (script) => {
      const { ended, stderr } = command.start(args, { npm_lifecycle_event: script })
      await ended
      return (JSON.parse(stderr()) as { message: string }).message
    }),
  )
  expect(inClone).toContain(`Start one with: npm run dharma -- up --data ${dataDir}`)
  expect(installed).toContain(`Start one with: dharma up --data ${dataDir}`)
})
