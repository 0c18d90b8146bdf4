import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyOf, keysOf, signTestEntry } from '../../testing/entries.ts'
import type { Genesis } from '../forms/genesis.ts'
import { signForm } from '../forms/signed-form.ts'
import type { SignedForm, VerifySignature } from '../forms/signed-form.ts'
import { domainBytes, hash, verify } from '../keys.ts'
import { formatVersion } from '../db/hybrid-clock.ts'
import { signRevocation } from '../forms/revocation.ts'
import type { RevocationStatement } from '../forms/revocation.ts'
import { RevokedMachines } from '../membership/revoked-machines.ts'
import { MAX_CHAIN, readChain, signAdmission } from './admission-form.ts'
import { faultOfPass, namesInviter, passSchema } from './pass.ts'
import type { DoorRules, Guest, Pass } from './pass.ts'
import { proveRelease, signRelease, signReleaseRevocation } from './release-form.ts'
import { MAX_REVOKED, RevokedReleases } from './revoked-releases.ts'
import { isWork, searchWork } from './work.ts'

const CLOUD = keyOf('a cloud')
const NOW_MS = 1_900_000_000_000
const DAY_MS = 86_400_000
const owner = keysOf('owner')
const handshakeHash = Buffer.alloc(64, 3)
const machine = keyOf('guest machine')
const person = keyOf('guest')
const guest: Guest = { machine, person, sequence: 1, handshakeHash }

function rules(admission: Genesis['admission'], more: Partial<DoorRules> = {}): DoorRules {
  const genesis = { admission, keys: [keyOf('owner')] }
  const machines = new RevokedMachines()
  return { cloud: CLOUD, genesis, revoked: new Set(), machines, nowMs: NOW_MS, ...more }
}

/** Somebody with a machine, who can let others in. */
function memberOf(name: string, cloud = CLOUD) {
  const keys = keysOf(`${name} machine`)
  // All that tests sign entries with is of one person; who is let in here must be that one.
  const { attestation } = signTestEntry({ keys, cloud })
  return { publicKey: keyOf(`${name} machine`), secretKey: keys.secretKey, attestation }
}
const founder = keyOf('person')
const asOwner = { publicKey: keyOf('owner'), secretKey: owner.secretKey, attestation: null }
const rootOf = (who: string, cloud = CLOUD): SignedForm =>
  signAdmission({ cloud, person: who, sequence: 1 }, asOwner)
const byFounder = (who: string, cloud = CLOUD): SignedForm =>
  signAdmission({ cloud, person: who, sequence: 1 }, memberOf('founder'))

describe('a cloud that is open', () => {
  const bits = 10
  const open = rules({ kind: 'open', work: bits })
  const nonce = searchWork({ cloud: CLOUD, machine, bits }, 0, 100_000)!

  it('lets in who did the work, for that machine and that cloud', () => {
    const pass: Pass = { kind: 'work', nonce }
    expect(faultOfPass(pass, guest, open)).toBeNull()
    expect(faultOfPass(pass, { ...guest, machine: keyOf('another') }, open)).toBe('WORK_INVALID')
    expect(faultOfPass(pass, guest, { ...open, cloud: keyOf('elsewhere') })).toBe('WORK_INVALID')
    expect(faultOfPass({ kind: 'work', nonce: 'z' }, guest, open)).toBe('WORK_INVALID')
    expect(faultOfPass(null, guest, open)).toBe('WORK_MISSING')
  })

  it('asks for as many zero bits as its genesis says', () => {
    const digest = hash(domainBytes('dharma/work/1', `${CLOUD}\n${machine}\n${nonce}`))
    const binary = [...digest].map((byte) => byte.toString(2).padStart(8, '0')).join('')
    const zeros = binary.indexOf('1')
    expect(isWork({ cloud: CLOUD, machine, bits: zeros }, nonce)).toBe(true)
    expect(isWork({ cloud: CLOUD, machine, bits: zeros + 1 }, nonce)).toBe(false)
  })

  it('is searched for piece by piece', () => {
    const task = { cloud: CLOUD, machine, bits }
    const at = parseInt(nonce, 36)
    expect(searchWork(task, 0, at)).toBeNull()
    expect(searchWork(task, at, 1)).toBe(nonce)
  })
})

describe('a cloud by invitation', () => {
  const closed = rules({ kind: 'invitation' })
  const shown = (...chain: SignedForm[]): Pass => ({ kind: 'invitation', chain })

  it('lets in whom its key let in, and whom they let in', () => {
    expect(faultOfPass(shown(rootOf(person)), guest, closed)).toBeNull()
    expect(faultOfPass(shown(byFounder(person), rootOf(founder)), guest, closed)).toBeNull()
    expect(
      readChain([byFounder(person), rootOf(founder)], {
        cloud: CLOUD,
        person,
        keys: [keyOf('owner')],
      }),
    ).toEqual([person, founder])
  })

  it('lets nobody else in', () => {
    const stranger = { ...asOwner, ...{ secretKey: keysOf('stranger').secretKey } }
    const forged = signAdmission({ cloud: CLOUD, person, sequence: 1 }, stranger)
    const own = { publicKey: keyOf('stranger'), secretKey: stranger.secretKey, attestation: null }
    const late = memberOf('founder')
    for (const [name, pass] of Object.entries({
      'somebody else’s': shown(rootOf(keyOf('another'))),
      'without the key at the end': shown(byFounder(person)),
      'by somebody who is not in': shown(byFounder(person), rootOf(keyOf('another'))),
      'of another cloud': shown(rootOf(person, keyOf('elsewhere'))),
      'of another cloud in between': shown(byFounder(person, keyOf('elsewhere')), rootOf(founder)),
      'not signed by the key': shown(forged),
      'signed by a key of its own': shown(
        signAdmission({ cloud: CLOUD, person, sequence: 1 }, own),
      ),
      'that goes on behind the key': shown(rootOf(person), rootOf(person)),
      'signed when the machine was no member’s any more': shown(
        signAdmission({ cloud: CLOUD, person, sequence: 4_000_000_000_001 }, late),
        rootOf(founder),
      ),
      'signed by another machine than the attested': shown(
        signAdmission(
          { cloud: CLOUD, person, sequence: 1 },
          { ...memberOf('founder'), publicKey: keyOf('stranger'), secretKey: own.secretKey },
        ),
        rootOf(founder),
      ),
      'by a machine that is one’s in another cloud': shown(
        signAdmission(
          { cloud: CLOUD, person, sequence: 1 },
          memberOf('founder', keyOf('elsewhere')),
        ),
        rootOf(founder),
      ),
      empty: { kind: 'invitation', chain: [] } as Pass,
    })) {
      expect(faultOfPass(pass, guest, closed), name).toBe('INVITATION_INVALID')
    }
    expect(faultOfPass(null, guest, closed)).toBe('INVITATION_MISSING')
    expect(faultOfPass({ kind: 'work', nonce: '1' }, guest, closed)).toBe('INVITATION_MISSING')
  })

  describe('whose machines are lost', () => {
    const { attestation } = memberOf('founder')
    const untilMs = 1_700_000_000_000
    const validUntil = formatVersion({ timeMs: untilMs, counter: 3 })
    const letInAt = (sequence: number): Pass =>
      shown(signAdmission({ cloud: CLOUD, person, sequence }, memberOf('founder')), rootOf(founder))
    /** What the door says to somebody whom a machine let in that is revoked. */
    const faultOf = (
      pass: Pass,
      said: Partial<RevocationStatement>,
      who: Guest = guest,
    ): ReturnType<typeof faultOfPass> => {
      const machines = new RevokedMachines()
      const statement = {
        person: founder,
        machine: attestation.machine,
        cloud: CLOUD,
        sequence: attestation.sequence,
        validUntil,
        ...said,
      }
      machines.take(signRevocation(statement, keysOf('person').secretKey))
      return faultOfPass(pass, who, { ...closed, machines })
    }

    it('keeps whom they let in before, as the revocation says, and nobody after', () => {
      expect(faultOf(letInAt(untilMs), {})).toBeNull()
      expect(faultOf(letInAt(untilMs + 1), {})).toBe('INVITER_REVOKED')
      expect(faultOf(letInAt(1), { validUntil: null })).toBe('INVITER_REVOKED')
    })

    it('wherever in the chain they are', () => {
      const between = memberOf('founder')
      const further = shown(
        signAdmission({ cloud: CLOUD, person, sequence: 1 }, memberOf('other')),
        signAdmission({ cloud: CLOUD, person: founder, sequence: untilMs + 1 }, between),
        rootOf(founder),
      )
      expect(faultOf(further, {})).toBe('INVITER_REVOKED')
      expect(faultOf(further, { machine: keyOf('another') })).toBeNull()
    })

    it('takes whom a machine lets in that was attested anew', () => {
      expect(faultOf(letInAt(untilMs + 1), { sequence: attestation.sequence - 1 })).toBeNull()
    })

    it('lets in none that is revoked itself, in a cloud of whatever kind, and says so', () => {
      const lost = { ...guest, person: founder, machine: attestation.machine, sequence: 1 }
      const own = shown(rootOf(founder))
      expect(faultOf(own, {}, lost)).toBe('MACHINE_REVOKED')
      expect(faultOf(own, {}, { ...lost, sequence: 2 })).toBeNull()
      const machines = { isRevoked: () => true, revokesAt: () => false }
      for (const kind of ['link', 'open', 'release', 'by-riddle']) {
        expect(faultOfPass(null, lost, rules({ kind }, { machines }))).toBe('MACHINE_REVOKED')
      }
    })

    it('is asked again only if it names the machine that is lost', () => {
      expect(namesInviter(letInAt(1), attestation.machine)).toBe(true)
      expect(namesInviter(letInAt(1), keyOf('another'))).toBe(false)
      expect(namesInviter(null, attestation.machine)).toBe(false)
    })
  })

  it('takes what a machine signs up to the last moment for which it is a member’s', () => {
    const member = memberOf('founder')
    const sequence = member.attestation.expiresMs
    const last = signAdmission({ cloud: CLOUD, person, sequence }, member)
    expect(faultOfPass(shown(last, rootOf(founder)), guest, closed)).toBeNull()
  })

  it('knows chains of a limited length', () => {
    const chain = (length: number): SignedForm[] => [
      ...Array.from({ length: length - 1 }, () => byFounder(founder)),
      rootOf(founder),
    ]
    const own = { ...guest, person: founder }
    expect(faultOfPass(shown(...chain(MAX_CHAIN)), own, closed)).toBeNull()
    expect(faultOfPass(shown(...chain(MAX_CHAIN + 1)), own, closed)).toBe('INVITATION_INVALID')
  })

  it('finds a chain that was made up at one signature', () => {
    const forged = { ...rootOf(founder), signature: '0'.repeat(128) }
    const chain = [...Array.from({ length: MAX_CHAIN - 1 }, () => byFounder(founder)), forged]
    let checks = 0
    const check: VerifySignature = (...args) => {
      checks++
      return verify(...args)
    }
    const own = { ...guest, person: founder }
    expect(faultOfPass(shown(...chain), own, closed, check)).toBe('INVITATION_INVALID')
    expect(checks).toBe(1)
  })

  it('and of a limited size, so that they fit into a greeting', () => {
    const more = (text: string) => ({ cloud: CLOUD, sequence: 1, more: text })
    const { publicKey, secretKey, attestation } = memberOf('founder')
    const long = (chars: number, rest = 0): Pass =>
      shown(
        signForm(
          'admission',
          { ...more('ä'.repeat(chars)), person, signer: publicKey, attestation: attestation.form },
          secretKey,
        ),
        signForm(
          'admission',
          { ...more('x'.repeat(rest)), person: founder, signer: keyOf('owner'), attestation: null },
          owner.secretKey,
        ),
      )
    // The bytes of UTF-8 count, and there are two in each of these.
    const pass = long(4_000)
    const bodies = pass.kind === 'invitation' ? pass.chain.map(({ body }) => body) : []
    const left = 20_000 - Buffer.byteLength(bodies.join(''))
    expect(faultOfPass(long(4_000, left), guest, closed)).toBeNull()
    expect(faultOfPass(long(4_000, left + 1), guest, closed)).toBe('INVITATION_INVALID')
  })
})

describe('a cloud of releases', () => {
  const keys = keysOf('release')
  const release = keyOf('release')
  const statement = { cloud: CLOUD, release, signer: keyOf('owner'), name: 'One', sequence: 1 }
  const form = signRelease({ ...statement, expiresMs: null }, owner.secretKey)
  const proof = proveRelease({ handshakeHash, machine }, keys.secretKey)
  const pass: Pass = { kind: 'release', release: form, proof }
  const builds = rules({ kind: 'release' })

  it('lets in who proves to run one, on this very connection', () => {
    expect(faultOfPass(pass, guest, builds)).toBeNull()
    const elsewhere = { ...guest, handshakeHash: Buffer.alloc(64, 4) }
    expect(faultOfPass(pass, elsewhere, builds)).toBe('RELEASE_INVALID')
    expect(faultOfPass(pass, { ...guest, machine: keyOf('another') }, builds)).toBe(
      'RELEASE_INVALID',
    )
    const guessed = proveRelease({ handshakeHash, machine }, keysOf('stranger').secretKey)
    expect(faultOfPass({ ...pass, proof: guessed }, guest, builds)).toBe('RELEASE_INVALID')
    expect(faultOfPass(null, guest, builds)).toBe('RELEASE_MISSING')
  })

  it('knows those only that its key signed, for it', () => {
    const signed = (change: object, secretKey: Uint8Array): Pass => ({
      kind: 'release',
      release: signRelease({ ...statement, expiresMs: null, ...change }, secretKey),
      proof,
    })
    const stranger = keysOf('stranger').secretKey
    expect(faultOfPass(signed({}, stranger), guest, builds)).toBe('RELEASE_INVALID')
    expect(faultOfPass(signed({ signer: keyOf('stranger') }, stranger), guest, builds)).toBe(
      'RELEASE_INVALID',
    )
    expect(faultOfPass(signed({ cloud: keyOf('x') }, owner.secretKey), guest, builds)).toBe(
      'RELEASE_INVALID',
    )
  })

  it('or one that names a key which is none', () => {
    const none = `${release.slice(0, -1)}9`
    const odd = signRelease({ ...statement, release: none, expiresMs: null }, owner.secretKey)
    expect(faultOfPass({ kind: 'release', release: odd, proof }, guest, builds)).toBe(
      'RELEASE_INVALID',
    )
  })

  it('lets in no longer what has expired, and gives clocks that are off two days', () => {
    const expiring = signRelease({ ...statement, expiresMs: NOW_MS }, owner.secretKey)
    const at = (nowMs: number) =>
      faultOfPass({ ...pass, release: expiring }, guest, rules({ kind: 'release' }, { nowMs }))
    expect(at(NOW_MS + 2 * DAY_MS)).toBeNull()
    expect(at(NOW_MS + 2 * DAY_MS + 1)).toBe('RELEASE_EXPIRED')
  })

  it('lets in no longer what its key took back', () => {
    const revocations = new RevokedReleases()
    const cloudKeys = { cloud: CLOUD, keys: [keyOf('owner')] }
    const back = { cloud: CLOUD, release, signer: keyOf('owner'), sequence: 2 }
    const forged = signReleaseRevocation(back, keysOf('stranger').secretKey)
    expect(revocations.add(forged, cloudKeys)).toBe('forged')
    const elsewhere = signReleaseRevocation({ ...back, cloud: keyOf('x') }, owner.secretKey)
    expect(revocations.add(elsewhere, cloudKeys)).toBe('forged')
    const own = { ...back, signer: keyOf('stranger') }
    const usurped = signReleaseRevocation(own, keysOf('stranger').secretKey)
    expect(revocations.add(usurped, cloudKeys)).toBe('forged')
    expect(revocations.releases.size).toBe(0)
    expect(revocations.add(signReleaseRevocation(back, owner.secretKey), cloudKeys)).toBe('new')
    expect(revocations.add(signReleaseRevocation(back, owner.secretKey), cloudKeys)).toBe('known')
    const { releases } = revocations
    expect(faultOfPass(pass, guest, { ...builds, revoked: releases })).toBe('RELEASE_REVOKED')
    for (let at = 1; at < MAX_REVOKED; at++) {
      const one = { ...back, release: keyOf(`release ${at}`) }
      expect(revocations.add(signReleaseRevocation(one, owner.secretKey), cloudKeys)).toBe('new')
    }
    const more = { ...back, release: keyOf('one more') }
    expect(revocations.add(signReleaseRevocation(more, owner.secretKey), cloudKeys)).toBe('full')
    expect(revocations.forms).toHaveLength(MAX_REVOKED)
  })
})

it('a cloud of before lets in who knows its id; one of a later kind nobody here', () => {
  expect(faultOfPass(null, guest, rules({ kind: 'link' }))).toBeNull()
  expect(faultOfPass(null, guest, rules({ kind: 'link' }, { genesis: null }))).toBeNull()
  expect(faultOfPass(null, guest, rules({ kind: 'by-riddle' }))).toBe('KIND_UNKNOWN')
})

describe('what is read as a pass', () => {
  const isRead = (shown: object): boolean => passSchema.safeParse(shown).success

  it('is work of 1 to 16 small letters and digits', () => {
    for (const nonce of ['0', 'z'.repeat(16)]) expect(isRead({ kind: 'work', nonce })).toBe(true)
    for (const nonce of ['', 'z'.repeat(17), 'A', '-1', '1\n', 7]) {
      expect(isRead({ kind: 'work', nonce }), `${nonce}`).toBe(false)
    }
  })

  it('a chain of 1 to 16 forms', () => {
    const chain = (length: number) => Array.from({ length }, () => rootOf(person))
    for (const length of [1, 2, MAX_CHAIN]) {
      expect(isRead({ kind: 'invitation', chain: chain(length) })).toBe(true)
    }
    for (const length of [0, MAX_CHAIN + 1]) {
      expect(isRead({ kind: 'invitation', chain: chain(length) })).toBe(false)
    }
  })

  it('a release with a signature', () => {
    const shown = (proof: string) => ({ kind: 'release', release: rootOf(person), proof })
    expect(isRead(shown('0f'.repeat(64)))).toBe(true)
    for (const proof of ['0'.repeat(127), '0'.repeat(129), `${'0'.repeat(127)}g`, '0']) {
      expect(isRead(shown(proof)), proof).toBe(false)
    }
  })

  it('and nothing of another kind', () => {
    expect(isRead({ kind: 'riddle', nonce: '1' })).toBe(false)
    expect(isRead({ nonce: '1' })).toBe(false)
  })
})

it('no pass that can be read makes the door throw', () => {
  const signedForm = fc.oneof(
    fc.record({ body: fc.oneof(fc.string(), fc.json()), signature: fc.constant('0'.repeat(128)) }),
    fc.constant(rootOf(person)),
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.record({ kind: fc.constant('work'), nonce: fc.stringMatching(/^[0-9a-z]{1,16}$/) }),
        fc.record({ kind: fc.constant('invitation'), chain: fc.array(signedForm) }),
        fc.record({
          kind: fc.constant('release'),
          release: signedForm,
          proof: fc.constant('0'.repeat(128)),
        }),
      ),
      fc.constantFrom('open', 'invitation', 'release'),
      (shown, kind) => {
        const parsed = passSchema.safeParse(shown)
        if (!parsed.success) return
        const admission = kind === 'open' ? { kind, work: 200 } : { kind }
        const fault = faultOfPass(parsed.data, guest, rules(admission))
        const isGood = kind === 'invitation' && readsAsRoot(parsed.data)
        expect(fault === null).toBe(isGood)
      },
    ),
  )
})

function readsAsRoot(pass: Pass): boolean {
  return (
    pass.kind === 'invitation' &&
    pass.chain.length === 1 &&
    pass.chain[0]?.body === rootOf(person).body
  )
}
