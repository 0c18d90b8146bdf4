import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { cloudIdOf, genesisBody } from '../../core/forms/genesis.ts'
import { keyOf, keysOf } from '../../testing/entries.ts'
import { silentLog } from '../../testing/silent-log.ts'
import { CloudAdmission } from './admission.ts'

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
