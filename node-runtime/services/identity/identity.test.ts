import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { mnemonicToSeedSync } from '@scure/bip39'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { identityContract } from '../../contract/identity.ts'
import type { Whoami } from '../../contract/identity.ts'
import vectors from '../../core/fixtures/forms-v1.json' with { type: 'json' }
import { openAttestation } from '../../core/forms/attestation.ts'
import { domainBytes, encodeKey, hash, keyPair, toHex } from '../../core/keys.ts'
import { createCallerCheck, noSessions } from '../../rpc/caller.ts'
import type { CallContext } from '../../rpc/caller.ts'
import { connect } from '../../rpc/client.ts'
import { createServer } from '../../rpc/server.ts'
import { createIdentityService } from './identity-service.ts'
import { Identity, personOf } from './identity.ts'

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
  await identity.restore(phrase)
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
    { identity: createIdentityService(identity) },
    {
      access: createCallerCheck(noSessions),
      onInternalError: (error) => expect.unreachable(String(error)),
    },
  )
  serve(port1, { caller: { kind: 'owner' } })
  const client = connect({ identity: identityContract }, port2).identity
  const changes = await client.watch({})
  const told: Whoami[] = []
  const watching = (async () => {
    for await (const whoami of changes) told.push(whoami)
  })()
  try {
    const { person, machine } = identity
    const first = { person, machine, name: identity.personName }
    await vi.waitFor(() => expect(told).toEqual([first]))
    // Half an emoji at the end: who cut it knows nothing of characters.
    await client.rename({ name: 'Grace \ud83d' })
    const renamed = { ...first, name: 'Grace \ufffd' }
    await vi.waitFor(() => expect(told).toEqual([first, renamed]))
    const phrase = `${'abandon '.repeat(23)}art`
    const { person: other } = await client.personOf({ phrase: ` ${phrase.toUpperCase()}\n` })
    expect(identity.person).toBe(person)
    await client.restore({ phrase })
    expect(identity.person).toBe(other)
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
