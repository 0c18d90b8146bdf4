// A list over ssh, with a real server at the other end.
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { ListPlaces } from '../../../testing/list-places.ts'
import { noSshServer, SshServer } from '../../../testing/ssh-server.ts'

const here = it.skipIf(noSshServer !== null)
const why = noSshServer === null ? '' : ` (not tried: ${noSshServer})`

let places: ListPlaces
let ssh: SshServer | null = null
beforeAll(async () => {
  places = await ListPlaces.create()
  if (noSshServer === null) ssh = await SshServer.start()
})
afterAll(async () => {
  await ssh?.close()
  await places.close()
})
afterEach(() => vi.unstubAllEnvs())

here(`a list over ssh is begun, written and read${why}`, { timeout: 120_000 }, async () => {
  vi.stubEnv('GIT_SSH_COMMAND', ssh!.command())
  const url = ssh!.urlOf(places.emptyRepository().gitDir)
  await (await places.openOwner()).create(url, {})
  expect(await (await places.open('second')).push(url)).toMatchObject({ entries: 2, pushed: true })
  const { machines } = await (await places.open('reader')).read(url)
  expect(machines.map(({ name }) => name).sort()).toEqual(['owner', 'second'])
})

here(`a host that is not known is not believed, and said so${why}`, async () => {
  vi.stubEnv('GIT_SSH_COMMAND', ssh!.command({ known: false }))
  const url = ssh!.urlOf(places.emptyRepository().gitDir)
  await expect((await places.open('careful')).read(url)).rejects.toMatchObject({
    code: 'LIST_UNREACHABLE',
    message: expect.stringContaining('Host key verification failed'),
  })
})

here(`a repository that is not there is said so${why}`, async () => {
  vi.stubEnv('GIT_SSH_COMMAND', ssh!.command())
  await expect(
    (await places.open('lost')).read(ssh!.urlOf('/nowhere/list.git')),
  ).rejects.toMatchObject({ code: 'LIST_UNREACHABLE', details: { reason: 'refused' } })
})
