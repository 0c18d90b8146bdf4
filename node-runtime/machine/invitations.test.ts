// Invitations, from the call at one machine to the link with another.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import DHT from 'hyperdht'
import type { DhtAddress } from 'hyperdht'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { contract } from '../contract/index.ts'
import { meetingKeys, decodeInvitation } from '../core/admission/invitation.ts'
import { connect } from '../rpc/client.ts'
import type { AnyPort } from '../rpc/port.ts'
import { startTestnet } from '../swarm/testnet.ts'
import { silentLog, until } from '../testing/cloud-nodes.ts'
import { Runtime } from './runtime.ts'

let testnet: Awaited<ReturnType<typeof startTestnet>>
let folder: string
/** What ends those that run. */
const running = new Set<() => Promise<void>>()

beforeAll(async () => {
  testnet = await startTestnet()
})
afterAll(() => testnet.close())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-invite-'))
})
afterEach(async () => {
  await Promise.all([...running].map((stop) => stop()))
  await rm(folder, { recursive: true, force: true })
})

async function start(name: string, bootstrap: DhtAddress[] = testnet.bootstrap) {
  const runtime = await Runtime.start({
    dataDir: join(folder, name),
    sdkDir: folder,
    kind: 'headless',
    log: silentLog,
    bootstrap,
    host: '127.0.0.1',
  })
  const { port1, port2 } = new MessageChannel()
  runtime.serve(port2 as unknown as AnyPort, { kind: 'owner' })
  const { cloud, identity } = connect(contract, port1 as unknown as AnyPort)
  const { person, machine } = await identity.whoami({})
  const stop = async (): Promise<void> => {
    running.delete(stop)
    port1.close()
    await runtime.close()
  }
  running.add(stop)
  return { cloud, identity, person, machine, stop }
}
type Machine = Awaited<ReturnType<typeof start>>

/** One that began a cloud by invitation. */
async function startOwner(): Promise<Machine> {
  const owner = await start('owner')
  await owner.cloud.create({ name: 'Ours', admission: 'invitation' })
  return owner
}

const isJoined = async ({ cloud }: Machine): Promise<boolean> =>
  (await cloud.status({})).state === 'joined'

it('whoever has the words sees where they lead, and comes in', async () => {
  const owner = await startOwner()
  const { code, link } = await owner.cloud.invite({ uses: 2 })
  expect(code).toMatch(/^([a-z]+ ){4}[a-z]+$/)
  const guest = await start('guest')
  const offer = await guest.cloud.readInvitation({ invitation: code.replaceAll(' ', '-') })
  const { cloud: id } = await owner.cloud.status({})
  expect(offer).toMatchObject({ cloud: id, name: 'Ours', inviter: { person: owner.person } })
  expect((await owner.cloud.invitations({})).given[0]).toMatchObject({ used: 0, state: 'open' })

  // One that leads elsewhere than when the person looked is not used.
  const expected = (await guest.cloud.status({})).cloud
  await expect(guest.cloud.join({ cloud: link, expected })).rejects.toMatchObject({
    code: 'INVITATION_INVALID',
    details: { cloud: id, expected },
  })
  expect((await owner.cloud.invitations({})).given[0]).toMatchObject({ used: 0, state: 'open' })
  await guest.cloud.join({ cloud: code, expected: id })
  await until(() => isJoined(guest))
  expect((await guest.cloud.info({})).name).toBe('Ours')
  expect((await guest.cloud.invitations({})).invitedBy).toEqual([owner.person])
  // A second time is no second use.
  await guest.cloud.join({ cloud: link })
  expect((await owner.cloud.invitations({})).given[0]).toMatchObject({
    used: 1,
    admitted: [guest.person],
  })
})

it('who is not found is one thing, and who could not be looked for another', async () => {
  const words = 'zebra zebra zebra zebra zebra'
  const guest = await start('guest')
  await until(async () => (await guest.cloud.status({})).dhtOnline === true)
  await expect(guest.cloud.readInvitation({ invitation: words })).rejects.toMatchObject({
    code: 'PEER_UNREACHABLE',
    message: expect.stringContaining('It must be on while you join'),
  })
  const apart = await start('apart', [])
  await expect(apart.cloud.readInvitation({ invitation: words })).rejects.toMatchObject({
    code: 'PEER_UNREACHABLE',
    message: expect.stringContaining('--bootstrap'),
    details: { dht: false },
  })
})

it('a person who is in brings in their other machines, which need no invitation', async () => {
  const owner = await startOwner()
  const { cloud } = await owner.cloud.status({})
  const second = await start('second')
  await second.cloud.join({ cloud })
  await until(async () => (await second.cloud.info({})).admission === 'invitation')
  expect(await isJoined(second)).toBe(false)
  const { text } = await owner.identity.attest({ machine: second.machine })
  await expect(second.identity.accept({ text })).rejects.toMatchObject({
    code: 'IDENTITY_PHRASE_KEPT',
  })
  // As a mail program breaks it.
  const broken = text.replace(/.{70}/gu, '$&\n')
  expect(await second.identity.accept({ text: broken, forgetPhrase: true })).toEqual({
    person: owner.person,
    cloud,
  })
  await until(() => isJoined(second))
  // It lets in others as the person does.
  const { link } = await second.cloud.invite({})
  const guest = await start('guest')
  await guest.cloud.join({ cloud: link })
  await until(() => isJoined(guest))
})

it('who invited whom is seen once both agree, in an open cloud, too, and no more when one of them changes their mind', async () => {
  const owner = await start('owner')
  await owner.cloud.create({ name: 'Ours', admission: 'open' })
  const { link } = await owner.cloud.invite({})
  const guest = await start('guest')
  await guest.cloud.join({ cloud: link })
  await until(() => isJoined(guest))
  expect(await guest.cloud.invitations({})).toMatchObject({
    invitedBy: [owner.person],
    showing: false,
    shown: [],
  })
  await guest.cloud.showInvitations({ on: true })
  expect(await guest.cloud.invitations({})).toMatchObject({ showing: true, shown: [] })
  await owner.cloud.showInvitations({ on: true })
  const seenBy = async ({ cloud }: Machine): Promise<string[]> =>
    (await cloud.invitations({})).shown.map(({ inviter, invited }) =>
      [inviter.person, invited.person, inviter.machine, invited.machine].join(' '),
    )
  const pair = [owner.person, guest.person, owner.machine, guest.machine].join(' ')
  await until(async () => (await seenBy(owner))[0] === pair && (await seenBy(guest))[0] === pair)
  await owner.cloud.showInvitations({ on: false })
  await until(async () => (await seenBy(guest)).length === 0)
  expect(await seenBy(owner)).toEqual([])
})

it('it lets in no more than it is for, and nobody once it was withdrawn; whoever came in invites others, and stays in', async () => {
  const owner = await startOwner()
  const [a, b] = [await start('a'), await start('b')]
  const once = await owner.cloud.invite({})
  await a.cloud.join({ cloud: once.link })
  await expect(b.cloud.join({ cloud: once.link })).rejects.toMatchObject({
    code: 'INVITATION_INVALID',
    details: { fault: 'used-up' },
  })
  expect((await owner.cloud.invitations({})).given[0]?.state).toBe('used-up')

  const withdrawn = await owner.cloud.invite({})
  await owner.cloud.withdrawInvitation({ id: withdrawn.id })
  const refused = {
    code: 'INVITATION_INVALID',
    message: 'This invitation was withdrawn. Ask for another one.',
    details: { fault: 'withdrawn' },
  }
  await expect(b.cloud.readInvitation({ invitation: withdrawn.link })).rejects.toMatchObject(
    refused,
  )
  await expect(b.cloud.join({ cloud: withdrawn.link })).rejects.toMatchObject(refused)
  expect((await owner.cloud.invitations({})).given[0]?.state).toBe('withdrawn')
  await expect(owner.cloud.withdrawInvitation({ id: 'none' })).rejects.toMatchObject({
    code: 'INVITATION_INVALID',
  })

  const { link: second } = await a.cloud.invite({})
  await b.cloud.join({ cloud: second })
  await until(() => isJoined(b))
  expect((await b.cloud.invitations({})).invitedBy).toEqual([a.person, owner.person])
  // Whatever becomes of the invitation, and over a restart.
  await b.stop()
  const again = await start('b')
  await until(() => isJoined(again))
})

it('it is kept over a restart, and found without any node of the DHT by its link', async () => {
  const owner = await startOwner()
  await owner.cloud.invite({})
  await owner.stop()
  const again = await start('owner', [])
  const [given] = (await again.cloud.invitations({})).given
  const guest = await start('guest', [])
  await until(async () => (await again.cloud.connection({})).addresses.length > 0)
  const { link } = (await again.cloud.invitations({})).given[0]!
  expect(given?.code).toBe((await again.cloud.invitations({})).given[0]?.code)
  await guest.cloud.join({ cloud: link })
  await until(() => isJoined(guest))
  // Who was counted and lost the answer asks again, though it is used up and the other side was off.
  await again.stop()
  const later = await start('owner', [])
  await until(async () => (await later.cloud.connection({})).addresses.length > 0)
  const given2 = (await later.cloud.invitations({})).given[0]!
  expect(given2.state).toBe('used-up')
  await guest.cloud.join({ cloud: given2.link })
})

it('who finds the meeting in the DHT, and has no invitation, learns nothing', async () => {
  const owner = await startOwner()
  const { link } = await owner.cloud.invite({})
  const secret = decodeInvitation(link.slice('dharma:invite/'.length))!
  const { publicKey } = meetingKeys(secret.seed)
  const stranger = new DHT({ bootstrap: [...testnet.bootstrap], host: '127.0.0.1' })
  const heard: Uint8Array[] = []
  /** Knocks with a proof that is none. Was there anybody? */
  const knock = (): Promise<boolean> =>
    new Promise((resolve) => {
      let isOpen = false
      const connection = stranger.connect(publicKey)
      connection.on('error', () => {})
      connection.once('open', () => {
        isOpen = true
        connection.write(Buffer.from(JSON.stringify({ step: 'knock', proof: '0'.repeat(64) })))
      })
      connection.on('data', (bytes: Uint8Array) => {
        if (bytes.byteLength === 0) return
        heard.push(bytes)
        connection.destroy()
      })
      connection.once('close', () => resolve(isOpen))
    })
  await until(knock)
  await stranger.destroy()
  expect(heard).toEqual([])
  expect((await owner.cloud.invitations({})).given[0]).toMatchObject({ used: 0, state: 'open' })
})

it('what is none is said to be none, before anybody is asked', async () => {
  const guest = await start('guest')
  const refuses = (cloud: string) => expect(guest.cloud.join({ cloud })).rejects
  await refuses('dharma:invite/yyyyyyyyy').toMatchObject({ code: 'INVITATION_INVALID' })
  await refuses('able ocean quick table fiveteen').toMatchObject({
    code: 'INVITATION_INVALID',
    details: { word: 'fiveteen' },
  })
  await refuses('able ocean').toMatchObject({ code: 'CLOUD_KEY_INVALID' })
})

it('a cloud of releases lets nobody in by invitations; an open one whoever knows it', async () => {
  const owner = await start('owner')
  const { link } = await owner.cloud.invite({})
  const guest = await start('guest')
  await guest.cloud.join({ cloud: link })
  await until(() => isJoined(guest))
  expect((await guest.cloud.invitations({})).invitedBy).toEqual([owner.person])
  await owner.cloud.create({ admission: 'release' })
  await expect(owner.cloud.invite({})).rejects.toMatchObject({ code: 'INVITATION_INVALID' })
})
