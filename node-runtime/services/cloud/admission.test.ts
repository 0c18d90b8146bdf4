import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { signReleaseRevocation } from '../../core/admission/release-form.ts'
import { cloudIdOf, genesisBody } from '../../core/forms/genesis.ts'
import { domainBytes, hash, toHex } from '../../core/keys.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { keyOf, keysOf } from '../../testing/entries.ts'
import { silentLog } from '../../testing/silent-log.ts'
import { CloudAdmission } from './admission.ts'
import { Broadcasts } from './broadcasts.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-admission-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

it.each([
  ['invitation', true],
  ['release', true],
  ['of-a-later-version', true],
  ['link', false],
])(
  'who was let in before this machine heard that the cloud is one of kind %s is asked again: %s',
  async (kind, isAsked) => {
    const genesis = genesisBody({
      name: '',
      admission: { kind },
      keys: [keyOf('owner')],
      nonce: '',
    })
    const cloud = cloudIdOf(genesis)
    let asked = 0
    const admission = await CloudAdmission.open({
      folder,
      cloud,
      machine: keyOf('machine'),
      person: () => keyOf('person'),
      genesis: () => null,
      learned: () => {},
      release: null,
      ownerKey: null,
      member: () => ({
        publicKey: keyOf('machine'),
        secretKey: keysOf('machine').secretKey,
        attestation: null,
      }),
      chain: null,
      placed: () => {},
      passChanged: () => {},
      askAllAgain: () => void asked++,
      changed: () => {},
      now: () => 1_000,
      log: silentLog,
    })
    const guest = {
      machine: keyOf('guest'),
      person: keyOf('guest'),
      handshakeHash: Buffer.alloc(64),
    }
    expect(admission.faultOf(null, guest, null)).toBeNull()
    admission.told(genesis)
    expect(asked).toBe(isAsked ? 1 : 0)
    expect(admission.faultOf(null, guest, null) !== null).toBe(isAsked)
    await admission.close()
  },
)

it('a revoked release goes to all as it is written, and not once more in other words', async () => {
  const { secretKey } = keysOf('owner')
  const genesis = genesisBody({
    name: '',
    admission: { kind: 'release' },
    keys: [keyOf('owner')],
    nonce: '',
  })
  const cloud = cloudIdOf(genesis)
  const { own, liar, other } = {
    own: new FakeNetwork(keyOf('own')),
    liar: new FakeNetwork(keyOf('liar')),
    other: new FakeNetwork(keyOf('other')),
  }
  const admission = await CloudAdmission.open({
    folder,
    cloud,
    machine: keyOf('own'),
    person: () => keyOf('person'),
    genesis: () => genesis,
    learned: () => {},
    release: null,
    ownerKey: null,
    member: () => ({ publicKey: keyOf('own'), secretKey, attestation: null }),
    chain: null,
    placed: () => {},
    passChanged: () => {},
    askAllAgain: () => {},
    changed: () => {},
    now: () => 1_000,
    log: silentLog,
  })
  const [broadcasts, listening] = [own, other].map(
    (network) => new Broadcasts({ machine: network.machine, network, log: silentLog }),
  ) as [Broadcasts, Broadcasts]
  const heard: string[] = []
  listening.open('revoked-release', (body) => heard.push(body) > 0)
  admission.attach(own, broadcasts)
  own.link(liar)
  own.link(other)
  const form = signReleaseRevocation(
    { cloud, release: keyOf('release'), signer: keyOf('owner'), sequence: 1 },
    secretKey,
  )
  const { body, signature } = form
  for (const text of [
    JSON.stringify(form),
    JSON.stringify(form, null, 1),
    JSON.stringify({ ...form, more: 1 }),
    JSON.stringify({ signature, body }),
  ]) {
    const payload = JSON.stringify({ topic: 'revoked-release', body: text })
    const id = toHex(hash(domainBytes('dharma/broadcast/1', payload)))
    const push = { kind: 'push', item: { id, author: keyOf('liar'), payload }, hops: 1 }
    own.receive('dharma/broadcast/1', liar, Buffer.from(JSON.stringify(push)))
  }
  other.deliver()
  expect(heard).toEqual([JSON.stringify(form)])
  expect([...admission.revokedReleases]).toEqual([keyOf('release')])
  broadcasts.close()
  listening.close()
  await admission.close()
})
