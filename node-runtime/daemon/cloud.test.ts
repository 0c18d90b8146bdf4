// Clouds as their owners make them: by the command line, on real machines.
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { startTestnet } from '../swarm/testnet.ts'
import { until } from '../testing/cloud-nodes.ts'
import { bundleCommand, nextLine } from './testing/command.ts'
import type { Command, Running } from './testing/command.ts'

let command: Command
let folder: string
beforeAll(async () => {
  command = await bundleCommand()
})
afterAll(() => command.remove())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-owner-'))
})
afterEach(async () => {
  await command.killAll()
  await rm(folder, { recursive: true })
})

/** What a command prints, and its failure, as programs read them. */
async function run(...args: string[]): Promise<{ out: Answer; error: Answer }> {
  return answerOf(command.start([...args, '--json']))
}

/** What is in the environment as SAID comes by standard input. */
async function runHearing(said: string, ...args: string[]): ReturnType<typeof run> {
  const prefix = ['sh', '-c', 'printf "%s\\n" "$SAID" | "$@"', 'sh']
  return answerOf(command.start([...args, '--json'], { SAID: said }, prefix))
}

async function answerOf({ child, ended, stderr }: Running): ReturnType<typeof run> {
  let out = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (out += text))
  await ended
  return { out: read(out), error: read(stderr()) }
}
type Answer = Record<string, unknown>
const read = (text: string): Answer => (text === '' ? {} : (JSON.parse(text) as Answer))

it('a cloud is begun in a folder whose machine is off, and its owner makes releases of it', async () => {
  const testnet = await startTestnet()
  const bootstrap = testnet.bootstrap.map(({ host, port }) => `${host}:${port}`).join(',')
  const [ownerDir, guestDir] = [join(folder, 'owner'), join(folder, 'guest')]
  const { out: created } = await run(
    ...['cloud', 'create', '--admission', 'release', '--name', 'Ours', '--data', ownerDir],
  )
  expect(created).toEqual({ cloud: created['cloud'], name: 'Ours', admission: 'release' })
  const owner = command.start(['up', '--data', ownerDir, '--bootstrap', bootstrap, '--json'])
  expect(read(await nextLine(owner))['cloud']).toBe(created['cloud'])
  const { out: info } = await run('cloud', 'info', '--data', ownerDir)
  expect(info).toMatchObject({ name: 'Ours', admission: 'release', owner: true })

  const file = join(folder, 'release.json')
  const make = ['cloud', 'release', file, '--name', 'Spring', '--data', ownerDir]
  const { out: made } = await run(...make)
  expect(made).toMatchObject({ file, expiresMs: null })
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  const before = await readFile(file, 'utf8')
  expect((await run(...make)).error['code']).toBe('BAD_INPUT')
  expect(await readFile(file, 'utf8')).toBe(before)

  // Who has the file needs nothing else.
  const guest = command.start(
    ['up', '--data', guestDir, '--release', file, '--bootstrap', bootstrap].concat('--json'),
  )
  expect(read(await nextLine(guest))['cloud']).toBe(created['cloud'])
  const doctor = async (dataDir: string): Promise<Answer> =>
    (await run('doctor', '--data', dataDir)).out
  await until(async () => (await doctor(guestDir))['state'] === 'joined')
  expect(
    (await run('cloud', 'release', `${file}2`, '--name', 'x', '--data', guestDir)).error,
  ).toEqual(expect.objectContaining({ code: 'NOT_OWNER' }))

  const listed = await run('cloud', 'release', '--list', '--data', ownerDir)
  expect(listed.out['releases']).toMatchObject([
    { release: made['release'], name: 'Spring', expiresMs: null, state: 'valid' },
    { name: 'The owner’s own', state: 'valid' },
  ])
  expect(JSON.stringify(listed.out)).not.toContain(String(read(before)['secretKey']))
  const revoked = await run('cloud', 'revoke', 'Spring', '--data', ownerDir)
  expect(revoked.out).toEqual({ release: made['release'] })
  await until(async () => {
    const { admission } = (await doctor(guestDir)) as { admission: { fault: string | null } }
    return admission.fault === 'RELEASE_REVOKED'
  })
  expect((await run('cloud', 'info', '--data', ownerDir)).out['revokedReleases']).toEqual([
    made['release'],
  ])
  await testnet.close()
}, 120_000)

it('a release file that is none is refused before anything starts', async () => {
  const { error } = await run('up', '--data', join(folder, 'm'), '--release', join(folder, 'none'))
  expect(error).toMatchObject({ code: 'RELEASE_FILE_INVALID' })
})

it('a person is invited, and joins with a machine that is off', async () => {
  const testnet = await startTestnet()
  const bootstrap = testnet.bootstrap.map(({ host, port }) => `${host}:${port}`).join(',')
  const [hostDir, guestDir] = [join(folder, 'host'), join(folder, 'guest')]
  const { out: created } = await run(
    'cloud',
    'create',
    '--admission',
    'invitation',
    '--data',
    hostDir,
  )
  const host = command.start(['up', '--data', hostDir, '--bootstrap', bootstrap, '--json'])
  await nextLine(host)
  const { out: given } = await run('invite', '--expires', '1h', '--data', hostDir)
  expect(given).toMatchObject({ uses: 1, used: 0, state: 'open' })
  const { out: joined } = await runHearing(
    String(given['code']),
    ...['join', '-', '--data', guestDir, '--bootstrap', bootstrap],
  )
  expect(joined['cloud']).toBe(created['cloud'])
  const guest = command.start(['up', '--data', guestDir, '--bootstrap', bootstrap, '--json'])
  expect(read(await nextLine(guest))['cloud']).toBe(created['cloud'])
  await until(async () => (await run('doctor', '--data', guestDir)).out['state'] === 'joined')
  expect((await run('invite', '--expires', '3y', '--data', hostDir)).error['code']).toBe(
    'BAD_INPUT',
  )
  await testnet.close()
}, 60_000)
