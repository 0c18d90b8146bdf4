import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mnemonicToSeedSync } from '@scure/bip39'
import { expect, test } from 'vitest'
import { domainBytes, encodeKey, hash, keyPair, toHex } from '../../core/keys.ts'
import { Identity } from './identity.ts'

test('the person is derived from the phrase as BIP-39 says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dharma-identity-'))
  try {
    const identity = await Identity.open(folder)
    const seed = toHex(mnemonicToSeedSync(identity.recoveryPhrase))
    const { publicKey } = keyPair(hash(domainBytes('dharma/person/1', seed)))
    expect(identity.person).toBe(encodeKey(publicKey))
    expect((await Identity.open(folder)).person).toBe(identity.person)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
