import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { signAdmission } from '../../core/admission/admission-form.ts'
import { signReleaseRevocation } from '../../core/admission/release-form.ts'
import { cloudIdOf, genesisBody } from '../../core/forms/genesis.ts'
import { signForm } from '../../core/forms/signed-form.ts'
import type { SignedForm } from '../../core/forms/signed-form.ts'
import { domainBytes, hash, toHex } from '../../core/keys.ts'
import { RevokedMachines } from '../../core/membership/revoked-machines.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { keyOf, keysOf, signTestEntry } from '../../testing/entries.ts'
import { silentLog } from '../../testing/silent-log.ts'
import { CloudAdmission } from './admission.ts'
import type { AdmissionOptions } from './admission.ts'
import { reportAdmission, whyNoInvitation } from './admission-words.ts'
import { Broadcasts } from './broadcasts.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-admission-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const genesisOf = (kind: string): string =>
  genesisBody({ name: '', admission: { kind }, keys: [keyOf('owner')], nonce: '' })

/** Of a machine that knows the cloud's id alone. */
function open(cloud: string, more: Partial<AdmissionOptions> = {}): Promise<CloudAdmission> {
  return CloudAdmission.open({
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
      attestation: signTestEntry({ keys: keysOf('machine'), cloud }).attestation,
    }),
    revocations: new RevokedMachines(),
    given: null,
    placed: () => {},
    passChanged: () => {},
    askAllAgain: () => {},
    changed: () => {},
    now: () => 1_000,
    log: silentLog,
    ...more,
  })
}

const guest = {
  machine: keyOf('guest'),
  person: keyOf('guest'),
  sequence: 1,
  address: '192.0.2.1',
  handshakeHash: Buffer.alloc(64),
}

it.each([
  ['invitation', true],
  ['release', true],
  ['of-a-later-version', true],
  ['link', false],
])(
  'who was let in before this machine heard that the cloud is one of kind %s is asked again: %s',
  async (kind, isAsked) => {
    const genesis = genesisOf(kind)
    let asked = 0
    const admission = await open(cloudIdOf(genesis), { askAllAgain: () => void asked++ })
    expect(admission.faultOf(null, guest, null)).toBeNull()
    admission.told(genesis)
    expect(asked).toBe(isAsked ? 1 : 0)
    expect(admission.faultOf(null, guest, null) !== null).toBe(isAsked)
    await admission.close()
  },
)

/** Ada, in a cloud by invitation, let in by its owner's key in a form that is so much longer, of three bytes each. */
async function openAda(padding: number) {
  const genesis = genesisOf('invitation')
  const cloud = cloudIdOf(genesis)
  const { attestation } = signTestEntry({ keys: keysOf('machine'), cloud })
  const { person } = attestation
  const fields = { cloud, person, signer: keyOf('owner'), attestation: null, sequence: 1 }
  const more = { padding: '\u2665'.repeat(padding) }
  const chain = [signForm('admission', { ...fields, ...more }, keysOf('owner').secretKey)]
  const admission = await open(cloud, { genesis: () => genesis, person: () => person })
  await admission.keepChain(chain)
  return { admission, chain }
}

it('whoever let a person in can’t make what they bring so long that whom they invite is left outside', async () => {
  const { admission } = await openAda(0)
  const admitted = admission.admit(keyOf('bob'))
  expect('chain' in admitted && admitted.chain).toHaveLength(2)
  await admission.close()
  const { admission: other } = await openAda(6_400)
  expect(other.report.state).toBe('in')
  expect(other.admit(keyOf('bob'))).toMatchObject({
    fault: 'too-deep',
    message: expect.stringContaining('too many stand between') as string,
  })
  await other.close()
})

it('a machine that becomes another person’s is let in as them from the first moment on', async () => {
  const { admission: ada, chain } = await openAda(0)
  await ada.close()
  const genesis = genesisOf('invitation')
  const cloud = cloudIdOf(genesis)
  let person = keyOf('former')
  const { attestation } = signTestEntry({ keys: keysOf('machine'), cloud })
  const admission = await open(cloud, {
    genesis: () => genesis,
    person: () => person,
    member: () => ({
      publicKey: keyOf('machine'),
      secretKey: keysOf('machine').secretKey,
      attestation: { ...attestation, person },
    }),
  })
  const by = { publicKey: keyOf('owner'), secretKey: keysOf('owner').secretKey, attestation: null }
  const former = [signAdmission({ cloud, person, sequence: 1 }, by)]
  await admission.keepChain(former)
  expect(admission.report.state).toBe('in')
  await admission.keepChain(chain, attestation.person)
  expect([admission.report.state, admission.chain]).toEqual(['in', former])
  // What holds for nobody counts for nobody.
  await admission.keepChain(former, attestation.person)
  person = attestation.person
  expect([admission.report.state, admission.chain]).toEqual(['in', chain])
  await admission.close()
})

it('that another machine turned this one away is told as its word, until one lets it in', async () => {
  const genesis = genesisOf('link')
  const admission = await open(cloudIdOf(genesis))
  expect(admission.report).toMatchObject({ state: 'in', hearsay: false })
  admission.refused('MACHINE_REVOKED')
  const { report } = admission
  expect(report).toMatchObject({ state: 'refused', fault: 'MACHINE_REVOKED', hearsay: true })
  expect(reportAdmission(report)).toEqual({
    kind: 'link',
    state: 'refused',
    fault: 'MACHINE_REVOKED',
    hearsay: true,
    message: expect.stringMatching(
      /^One machine turned this one away\. It has not proved .* It says: “Your recovery phrase was used/,
    ) as string,
  })
  admission.admitted()
  expect(admission.report).toMatchObject({ state: 'in', fault: null })
  await admission.close()
  const revoked = await open(cloudIdOf(genesis), {
    revocations: { isRevoked: () => true, revokesAt: () => false },
  })
  expect(revoked.report).toMatchObject({ fault: 'MACHINE_REVOKED', hearsay: false })
  expect(reportAdmission(revoked.report).message).toMatch(/^Your recovery phrase was used/)
  await revoked.close()
})

it.each([
  ['the owner of a cloud for releases', null, true, 'is for releases. Make one, in the settings'],
  ['others in a cloud for releases', 'RELEASE_EXPIRED', false, 'is for releases. Ask its owner'],
  [
    'who is not let in',
    'INVITATION_MISSING',
    false,
    'not let in itself. This cloud is by invitation',
  ],
])(
  '%s is told one reason why they can invite nobody, and what to do',
  (_, fault, isOwner, words) => {
    const kind = fault === 'INVITATION_MISSING' ? 'invitation' : 'release'
    expect(whyNoInvitation(kind, fault, isOwner)).toContain(words)
  },
)

it('what does not let a person in takes no place of what does', async () => {
  const { admission, chain } = await openAda(0)
  for (const other of [[], [{ ...chain[0]!, signature: '0'.repeat(128) }], [...chain, ...chain]]) {
    await admission.keepChain(other)
    expect(admission.chain).toEqual(chain)
  }
  expect(admission.report.state).toBe('in')
  await admission.close()
})

it('an invitation that is forged, or another person’s, takes no place of what does hold', async () => {
  const genesis = genesisOf('link')
  const cloud = cloudIdOf(genesis)
  const admission = await open(cloud, { genesis: () => genesis })
  const { secretKey } = keysOf('host')
  const { attestation } = signTestEntry({ keys: keysOf('host'), cloud })
  const invite = (person: string): SignedForm =>
    signAdmission(
      { cloud, person, sequence: 1 },
      { publicKey: keyOf('host'), secretKey, attestation },
    )
  const genuine = invite(keyOf('person'))
  for (const invitation of [
    genuine,
    { ...genuine, signature: '0'.repeat(128) },
    invite(keyOf('somebody else')),
  ]) {
    await admission.keep({ chain: null, invitation })
    expect(admission.invitation?.form).toEqual(genuine)
  }
  await admission.close()
})

it('a revoked release goes to all as it is written, and not once more in other words', async () => {
  const { secretKey } = keysOf('owner')
  const genesis = genesisOf('release')
  const cloud = cloudIdOf(genesis)
  const { own, liar, other } = {
    own: new FakeNetwork(keyOf('own')),
    liar: new FakeNetwork(keyOf('liar')),
    other: new FakeNetwork(keyOf('other')),
  }
  const admission = await open(cloud, { genesis: () => genesis })
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

it.each(['link', 'open', 'invitation'])(
  'a machine that its person has revoked lets nobody into a cloud of kind %s',
  async (kind) => {
    const genesis = genesisOf(kind)
    let isRevoked = false
    const ownerKey = {
      publicKey: keyOf('owner'),
      secretKey: keysOf('owner').secretKey,
      attestation: null,
    }
    const admission = await open(cloudIdOf(genesis), {
      genesis: () => genesis,
      ownerKey,
      revocations: { isRevoked: () => isRevoked, revokesAt: () => false },
    })
    expect(admission.admit(guest.person)).toHaveProperty('chain')
    isRevoked = true
    expect(admission.admit(guest.person)).toMatchObject({ fault: 'not-in' })
    await admission.close()
  },
)

it('who shows made-up admissions again and again is not looked at for a while, and others are', async () => {
  const genesis = genesisOf('invitation')
  const cloud = cloudIdOf(genesis)
  const admission = await open(cloud, { genesis: () => genesis })
  const by = (name: string) => ({
    publicKey: keyOf('owner'),
    secretKey: keysOf(name).secretKey,
    attestation: null,
  })
  const shown = (name: string, sequence: number) => ({
    kind: 'invitation' as const,
    chain: [signAdmission({ cloud, person: guest.person, sequence }, by(name))],
  })
  let tries = 0
  while (admission.faultOf(shown('stranger', tries), guest, null) !== 'TOO_BUSY') tries++
  // The clock goes on meanwhile.
  expect(tries).toBeGreaterThanOrEqual(256)
  expect(admission.faultOf(shown('owner', 1), guest, null)).toBe('TOO_BUSY')
  expect(admission.faultOf(shown('owner', 1), { ...guest, address: '192.0.2.2' }, null)).toBeNull()
  await admission.close()
})
