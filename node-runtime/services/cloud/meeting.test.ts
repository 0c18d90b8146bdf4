// What a machine that gives out an invitation may answer, as it likes.
import DHT from 'hyperdht'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { signAdmission } from '../../core/admission/admission-form.ts'
import { meetingKeys } from '../../core/admission/invitation.ts'
import { cloudIdOf, genesisBody } from '../../core/forms/genesis.ts'
import { startTestnet } from '../../swarm/testnet.ts'
import { keyOf, keysOf, signTestEntry } from '../../testing/entries.ts'
import { acceptOffer, meetingCodec, readOffer } from './meeting.ts'
import type { MeetingMessage } from './meeting.ts'

const keys = keysOf('guest machine')
const machine = keyOf('guest machine')
const genesis = genesisBody({
  name: 'Ours',
  admission: { kind: 'invitation' },
  keys: [keyOf('owner')],
  nonce: '1',
})
const cloud = cloudIdOf(genesis)
const { attestation } = signTestEntry({ keys, cloud })
const offer: MeetingMessage = {
  step: 'offer',
  cloud,
  genesis,
  person: keyOf('host'),
  name: 'Host',
  expiresMs: 4_000_000_000_000,
  machine: keyOf('host machine'),
  addresses: [],
}
const byKey = (secretKey: Uint8Array) =>
  signAdmission(
    { cloud, person: attestation.person, sequence: 1 },
    { publicKey: keyOf('owner'), secretKey, attestation: null },
  )

let testnet: Awaited<ReturnType<typeof startTestnet>>
let host: DHT
let guest: DHT
beforeAll(async () => {
  testnet = await startTestnet()
  const options = { bootstrap: [...testnet.bootstrap], host: '127.0.0.1' }
  host = new DHT(options)
  guest = new DHT(options)
})
afterAll(async () => {
  await Promise.all([host.destroy(), guest.destroy()])
  await testnet.close()
})

/** One after the other, each as soon as the guest has said something. */
async function meet(name: string, answers: readonly Uint8Array[]) {
  const seed = new Uint8Array(16).fill(name.length)
  const server = host.createServer({}, (connection) => {
    const left = [...answers]
    connection.on('error', () => {})
    connection.on('data', (bytes: Uint8Array) => {
      const next = bytes.byteLength === 0 ? undefined : left.shift()
      if (next !== undefined) connection.write(next)
    })
  })
  await server.listen(meetingKeys(seed))
  return {
    swarm: {
      dialUnder: async (key: Uint8Array) => guest.connect(key, { keyPair: keys }),
      dhtOnline: true,
    },
    machine,
    secret: { seed, addresses: [] },
  }
}
const said = (message: MeetingMessage) => meetingCodec.encode(message)
const accept = (options: Awaited<ReturnType<typeof meet>>) =>
  acceptOffer(options, async () => attestation)

it('an admission is taken if it leads to the cloud’s key', async () => {
  const chain = [byKey(keysOf('owner').secretKey)]
  const options = await meet('a', [said(offer), said({ step: 'admitted', chain })])
  expect(await readOffer(options)).toMatchObject({ cloud, name: 'Ours' })
  expect(await accept(options)).toMatchObject({ chain, machine: keyOf('host machine') })
})

it('one that does not is not kept', async () => {
  const forged = [byKey(keysOf('stranger').secretKey)]
  const options = await meet('bb', [said(offer), said({ step: 'admitted', chain: forged })])
  await expect(accept(options)).rejects.toMatchObject({
    code: 'INVITATION_INVALID',
    details: { fault: 'admission' },
  })
})

it('an offer of a cloud that did not begin so is none', async () => {
  const other = { ...offer, cloud: keyOf('another cloud') }
  const options = await meet('ccc', [said(other)])
  await expect(readOffer(options)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
})

it('what is too long, no message, or out of turn ends the talk', async () => {
  const talks: [name: string, reason: string, answers: Uint8Array[]][] = [
    ['dddd', 'a message is too long', [Buffer.alloc(100_000, 32)]],
    ['eeeee', 'a message is not understood', [Buffer.from('hello')]],
    ['ffffff', 'a message is out of turn', [said({ step: 'admitted', chain: null })]],
    ['ggggggg', 'a message is out of turn', [said(offer), said(offer)]],
  ]
  for (const [name, reason, answers] of talks) {
    const options = await meet(name, answers)
    await expect(accept(options), name).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
      details: { reason },
    })
  }
})

it('who says more than it is asked is not listened to', async () => {
  const options = await meet('hhhhhhhh', [])
  const server = host.createServer({}, (connection) => {
    connection.on('error', () => {})
    for (let count = 0; count < 3; count++) connection.write(said(offer))
  })
  const seed = new Uint8Array(16).fill(99)
  await server.listen(meetingKeys(seed))
  const connection = guest.connect(meetingKeys(seed).publicKey, { keyPair: keys })
  const ended = new Promise((resolve) => connection.once('close', resolve))
  const swarm = { dialUnder: async () => connection, dhtOnline: true }
  const slow = acceptOffer({ ...options, swarm, secret: { seed, addresses: [] } }, async () => {
    // The other side goes on talking meanwhile.
    await ended
    return attestation
  })
  await expect(slow).rejects.toMatchObject({
    code: 'PEER_UNREACHABLE',
    details: { reason: 'it says more than it was asked' },
  })
})
