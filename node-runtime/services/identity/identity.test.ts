import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { mnemonicToSeedSync } from '@scure/bip39'
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest'
import { identityContract } from '../../contract/identity.ts'
import type { OwnIdentity } from '../../contract/identity.ts'
import vectors from '../../core/fixtures/forms-v1.json' with { type: 'json' }
import { openAttestation } from '../../core/forms/attestation.ts'
import { domainBytes, encodeKey, hash, keyPair, toHex } from '../../core/keys.ts'
import { createCallerCheck, noSessions } from '../../rpc/caller.ts'
import type { CallContext } from '../../rpc/caller.ts'
import { connect } from '../../rpc/client.ts'
import { createServer } from '../../rpc/server.ts'
import { createIdentityService } from './identity-service.ts'
import { signForm } from '../../core/forms/signed-form.ts'
import { Identity, personOf } from './identity.ts'

const CLOUD = encodeKey(hash(Buffer.from('a cloud')))
const OTHER_CLOUD = encodeKey(hash(Buffer.from('another')))
const SOMEBODY = encodeKey(hash(Buffer.from('somebody else')))
const THEIRS = encodeKey(hash(Buffer.from('a machine of somebody else')))

const OTHER_PHRASE = `${'abandon '.repeat(23)}art`
const NEEDED = expect.objectContaining({ code: 'IDENTITY_PHRASE_NEEDED' }) as Error

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-identity-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('the person is derived from the phrase as BIP-39 says', async () => {
  const identity = await Identity.open(folder)
  const seed = toHex(mnemonicToSeedSync(identity.recoveryPhrase))
  const { publicKey } = keyPair(hash(domainBytes('dharma/person/1', seed)))
  expect(identity.person).toBe(encodeKey(publicKey))
  expect((await Identity.open(folder)).person).toBe(identity.person)
})

test('the person of a phrase is the same in every version', async () => {
  const { phrase, seed, text } = vectors.derived.person
  expect(toHex(mnemonicToSeedSync(phrase))).toBe(seed)
  const identity = await Identity.open(folder)
  await identity.restore(phrase, { forgetPhrase: true })
  expect(identity.person).toBe(text)
})

test('changes at the same moment are all kept, and the file stays whole', async () => {
  for (let round = 0; round < 10; round++) {
    const identity = await Identity.open(folder)
    const before = identity.recoveryPhrase
    await Promise.all([
      identity.renamePerson(`Person ${round}`),
      identity.renameMachine(`Machine ${round}`),
    ])
    const again = await Identity.open(folder)
    expect(again.personName).toBe(`Person ${round}`)
    expect(again.machineName).toBe(`Machine ${round}`)
    expect(again.recoveryPhrase).toBe(before)
  }
})

test('the machine’s attestation is the same after a restart, and another’s in another cloud', async () => {
  const cloud = encodeKey(hash(Buffer.from('one')))
  const identity = await Identity.open(folder)
  const attestation = identity.attestationFor(cloud)
  expect(openAttestation(attestation.form, cloud)?.machine).toBe(identity.machine)
  expect((await Identity.open(folder)).attestationFor(cloud).hash).toBe(attestation.hash)
  const other = identity.attestationFor(encodeKey(hash(Buffer.from('two'))))
  expect(other.hash).not.toBe(attestation.hash)
})

test('a copied folder keeps its person, and becomes another machine', async () => {
  const original = await Identity.open(folder)
  const copy = await Identity.open(folder, { copied: true })
  expect(copy.person).toBe(original.person)
  expect(copy.machine).not.toBe(original.machine)
  expect((await Identity.open(folder)).machine).toBe(copy.machine)
})

test('whoever watches is told of a new name and of a new person', async () => {
  const { port1, port2 } = new MessageChannel()
  const identity = await Identity.open(folder)
  const serve = createServer<CallContext>(
    {
      identity: createIdentityService(identity, {
        current: () => CLOUD,
        known: () => [CLOUD],
        sequencesOf: () => [],
        ownerOf: (machine) => (machine === THEIRS ? SOMEBODY : null),
        chain: () => null,
        keepChain: () => Promise.reject(new Error('there is no cloud here')),
        spread: () => Promise.reject(new Error('there is no cloud here')),
      }),
    },
    {
      access: createCallerCheck(noSessions),
      onInternalError: (error) => expect.unreachable(String(error)),
    },
  )
  serve(port1, { caller: { kind: 'owner' } })
  const client = connect({ identity: identityContract }, port2).identity
  const changes = await client.watch({})
  const told: OwnIdentity[] = []
  const watching = (async () => {
    for await (const whoami of changes) told.push(whoami)
  })()
  try {
    const { person, machine } = identity
    const first = { person, machine, name: identity.personName, phraseKept: true }
    await vi.waitFor(() => expect(told).toEqual([first]))
    // Half an emoji at the end: who cut it knows nothing of characters.
    await client.rename({ name: 'Grace \ud83d' })
    const renamed = { ...first, name: 'Grace \ufffd' }
    await vi.waitFor(() => expect(told).toEqual([first, renamed]))
    const foreign = client.revoke({ machine: THEIRS })
    await expect(foreign).rejects.toMatchObject({ code: 'MACHINE_UNKNOWN' })
    const phrase = `${'abandon '.repeat(23)}art`
    const { person: other } = await client.personOf({ phrase: ` ${phrase.toUpperCase()}\n` })
    expect(identity.person).toBe(person)
    const kept = identity.recoveryPhrase
    await expect(client.restore({ phrase })).rejects.toMatchObject({
      code: 'IDENTITY_PHRASE_KEPT',
      details: { person },
    })
    expect([identity.person, identity.recoveryPhrase]).toEqual([person, kept])
    await client.restore({ phrase, forgetPhrase: true })
    expect(identity.person).toBe(other)
    for (const name of await readdir(folder)) {
      expect(await readFile(join(folder, name), 'utf8'), name).not.toContain(kept)
    }
    // It is the same person's.
    await client.restore({ phrase })
    const restored = { ...renamed, person: identity.person }
    await vi.waitFor(() => expect(told).toEqual([first, renamed, restored]))
    expect(identity.person).not.toBe(person)
  } finally {
    await changes.return?.(undefined)
    await watching
    port1.close()
  }
})

test.each([
  ['hello world', 'A recovery phrase has 24 words; this has 2.'],
  [
    `${'abandon '.repeat(22)}abandin art`,
    'Word 23 is none that a recovery phrase is made of. Check its spelling.',
  ],
  ['abandon '.repeat(24), 'These words do not belong together: one is wrong, or their order is.'],
])('what is wrong with a phrase is said, and none of its words', (phrase, message) => {
  const details = { words: phrase.trim().split(' ').length }
  expect(() => personOf(phrase)).toThrow(
    expect.objectContaining({ code: 'IDENTITY_PHRASE_INVALID', message, details }) as Error,
  )
})

describe('the recovery phrase, once it is written down', () => {
  async function filesWith(text: string): Promise<string[]> {
    const names = await readdir(folder)
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
    return names.filter((_, at) => texts[at]?.includes(text))
  }

  it('is deleted from the disk, and the machine stays the person’s in its clouds', async () => {
    const identity = await Identity.open(folder)
    const { recoveryPhrase: phrase, person } = identity
    await identity.renamePerson('Ada')
    const { hash: attested } = identity.attestationFor(CLOUD)
    expect(await filesWith(phrase)).not.toEqual([])
    await identity.forgetPhrase(phrase.toUpperCase(), [CLOUD, OTHER_CLOUD])
    expect(await filesWith(phrase)).toEqual([])
    expect(identity.phraseKept).toBe(false)
    expect(() => identity.recoveryPhrase).toThrow(NEEDED)
    const again = await Identity.open(folder)
    expect([again.person, again.personName, again.machine]).toEqual([
      person,
      'Ada',
      identity.machine,
    ])
    expect(again.attestationFor(CLOUD).hash).toBe(attested)
    expect(again.attestationFor(OTHER_CLOUD).machine).toBe(identity.machine)
    expect(() => again.attestationFor(encodeKey(hash(Buffer.from('a third'))))).toThrow(NEEDED)
    expect(() => again.keysOf()).toThrow(NEEDED)
    expect(again.keysOf(phrase).person).toBe(person)
    expect(await filesWith(phrase)).toEqual([])
  })

  it('is deleted for its own words only', async () => {
    const identity = await Identity.open(folder)
    await expect(identity.forgetPhrase('one two', [])).rejects.toMatchObject({
      code: 'IDENTITY_PHRASE_INVALID',
    })
    await expect(identity.forgetPhrase(OTHER_PHRASE, [])).rejects.toMatchObject({
      code: 'IDENTITY_PHRASE_OTHER',
    })
    expect(identity.phraseKept).toBe(true)
  })

  it('attests this machine in one more cloud, and any other, and is not kept for that', async () => {
    const identity = await Identity.open(folder)
    const { recoveryPhrase: phrase, person, machine } = identity
    await identity.forgetPhrase(phrase, [CLOUD])
    const here = { machine, cloud: OTHER_CLOUD }
    await expect(identity.attest(here)).rejects.toMatchObject({ code: 'IDENTITY_PHRASE_NEEDED' })
    await expect(identity.attest({ ...here, phrase: OTHER_PHRASE })).rejects.toMatchObject({
      code: 'IDENTITY_PHRASE_OTHER',
    })
    await identity.attest({ ...here, phrase })
    const again = await Identity.open(folder)
    expect(again.attestationFor(OTHER_CLOUD)).toMatchObject({ person, machine })
    expect(again.attestationFor(CLOUD).person).toBe(person)
    expect(await filesWith(phrase)).toEqual([])
    const other = encodeKey(keyPair(new Uint8Array(32).fill(5)).publicKey)
    const attested = await again.attest({ machine: other, cloud: CLOUD, phrase }, 9e12)
    expect(openAttestation(attested.form, CLOUD)).toMatchObject({
      person,
      machine: other,
      sequence: 9e12 + 1,
    })
    expect(again.attestationFor(CLOUD).machine).toBe(machine)
  })

  it('is needed by a copy of the folder: without it another person begins', async () => {
    const identity = await Identity.open(folder)
    await identity.forgetPhrase(identity.recoveryPhrase, [CLOUD])
    const copy = await Identity.open(folder, { copied: true })
    expect(copy.person).not.toBe(identity.person)
    expect([copy.isBegun, copy.isPhraseMissing, copy.phraseKept]).toEqual([true, true, true])
    expect(copy.attestationFor(CLOUD)).toMatchObject({ person: copy.person, machine: copy.machine })
  })
})

describe('a machine that is attested by another one', () => {
  it('becomes that person’s, and keeps no phrase of its former one', async () => {
    const owner = await Identity.open(await mkdtemp(join(folder, 'owner-')))
    const machine = await Identity.open(await mkdtemp(join(folder, 'new-')))
    const { form } = await owner.attest({ machine: machine.machine, cloud: CLOUD })
    const { person: former } = machine
    const kept = expect.objectContaining({ code: 'IDENTITY_PHRASE_KEPT' }) as Error
    await expect(machine.accept(form, { present: CLOUD })).rejects.toEqual(kept)
    expect([machine.person, machine.phraseKept]).toEqual([former, true])
    await machine.accept(form, { present: CLOUD, forgetPhrase: true })
    expect(machine.person).toBe(owner.person)
    expect(machine.phraseKept).toBe(false)
    expect(machine.attestationFor(CLOUD).form).toEqual(form)
    const { form: more } = await owner.attest({ machine: machine.machine, cloud: OTHER_CLOUD })
    await machine.accept(more, { present: CLOUD })
    expect(machine.attestationFor(CLOUD).form).toEqual(form)
    expect(machine.attestationFor(OTHER_CLOUD).form).toEqual(more)
  })

  it('takes no attestation of another machine, of nobody, or a new person of another cloud', async () => {
    const owner = await Identity.open(await mkdtemp(join(folder, 'owner-')))
    const identity = await Identity.open(await mkdtemp(join(folder, 'new-')))
    const { machine, person } = identity
    const { form } = await owner.attest({ machine: owner.machine, cloud: CLOUD })
    const { form: elsewhere } = await owner.attest({ machine, cloud: OTHER_CLOUD })
    const unsigned = { ...elsewhere, signature: '00'.repeat(64) }
    const { secretKey } = owner.keysOf()
    const fields = { person: owner.person, machine, cloud: CLOUD, sequence: 1, expiresMs: 9 }
    // With it the machine could not even say who it is.
    const fat = signForm('attestation', { ...fields, padding: 'x'.repeat(16_000) }, secretKey)
    for (const refused of [form, elsewhere, unsigned, fat]) {
      const accepting = identity.accept(refused, { present: CLOUD, forgetPhrase: true })
      await expect(accepting).rejects.toMatchObject({
        code: 'IDENTITY_ATTESTATION_INVALID',
      })
    }
    expect(identity.person).toBe(person)
  })
})
