import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyOf, keysOf, signTestEntry } from '../../testing/entries.ts'
import { formatVersion } from '../db/hybrid-clock.ts'
import { openMachineForm } from '../forms/machine-form.ts'
import type { MachineEntry } from '../forms/machine-form.ts'
import { signRevocation } from '../forms/revocation.ts'
import type { SignedForm } from '../forms/signed-form.ts'
import { RevokedMachines } from '../membership/revoked-machines.ts'
import { signAdmission } from './admission-form.ts'
import { readShownInvitation } from './shown-invitation.ts'
import type { ShownInvitation } from './shown-invitation.ts'

const CLOUD = keyOf('a cloud')
const AT_MS = 1_000

/** The entry of the one machine that a person has. */
function entryOf(person: string, more: object, cloud = CLOUD): MachineEntry {
  return signTestEntry({ keys: keysOf(`${person} machine`), person, name: person, cloud, more })
}

const ada = entryOf('ada', { showsInvited: true })
const silentAda = entryOf('ada', {})

function admissionOf(person: string, by: MachineEntry, signer = 'ada machine'): SignedForm {
  const { machine, cloud, attestation } = by
  return signAdmission(
    { cloud, person: keyOf(person), sequence: AT_MS },
    { publicKey: machine, secretKey: keysOf(signer).secretKey, attestation },
  )
}

const byAda = admissionOf('ben', ada)
const ben = entryOf('ben', { invitation: byAda })

function revocationOf(person: string, validUntil: string | null = null) {
  const machine = keyOf(`${person} machine`)
  return signRevocation(
    { person: keyOf(person), machine, cloud: CLOUD, sequence: 5, validUntil },
    keysOf(person).secretKey,
  )
}

function shown(
  invited: MachineEntry,
  known: readonly MachineEntry[] = [ada],
  machines = new RevokedMachines(),
): ShownInvitation | null {
  const find = (machine: string) => known.find((entry) => entry.machine === machine)
  return readShownInvitation(invited, { cloud: CLOUD, entryOf: find, machines })
}

describe('who invited whom', () => {
  it('is shown where both say so', () => {
    expect(shown(ben)).toEqual({ inviter: ada, invited: ben, sequence: AT_MS })
  })

  it('is not where one of them alone does', () => {
    expect(shown(ben, [silentAda])).toBeNull()
    expect(shown(ben, [entryOf('ada', { showsInvited: false })])).toBeNull()
    expect(shown(ben, [])).toBeNull()
    expect(shown(entryOf('ben', {}))).toBeNull()
  })

  it('is not where it was made up', () => {
    const eve = (invitation: SignedForm): MachineEntry => entryOf('eve', { invitation })
    expect(shown(eve(admissionOf('eve', ada, 'eve machine'))), 'signed by herself').toBeNull()
    expect(shown(eve(byAda)), 'the admission of somebody else').toBeNull()
    const body = byAda.body.replaceAll(keyOf('ben'), keyOf('eve'))
    expect(shown(eve({ ...byAda, body })), 'with her own name in it').toBeNull()
    const elsewhere = entryOf('ada', { showsInvited: true }, keyOf('another cloud'))
    expect(shown(eve(admissionOf('eve', elsewhere))), 'of another cloud').toBeNull()
    const asOwner = signAdmission(
      { cloud: CLOUD, person: keyOf('eve'), sequence: AT_MS },
      { publicKey: ada.machine, secretKey: keysOf('ada machine').secretKey, attestation: null },
    )
    expect(shown(eve(asOwner)), 'by no person').toBeNull()
  })

  it('is not of a person with themselves', () => {
    expect(shown(entryOf('ada', { invitation: admissionOf('ada', ada), showsInvited: true }))).toBe(
      null,
    )
  })

  it('is not where the inviting machine has become another person’s', () => {
    const sold = signTestEntry({
      keys: keysOf('ada machine'),
      person: 'carl',
      cloud: CLOUD,
      more: { showsInvited: true },
    })
    expect(shown(ben, [sold])).toBeNull()
  })

  it('is not of machines that were revoked, nor of what one did after', () => {
    const revoked = (person: string, validUntil: string | null): RevokedMachines => {
      const machines = new RevokedMachines()
      machines.take(revocationOf(person, validUntil))
      return machines
    }
    const until = (timeMs: number): string => formatVersion({ timeMs, counter: 0xffff })
    expect(shown(ben, [ada], revoked('ada', until(AT_MS)))).toBeNull()
    expect(shown(ben, [ada], revoked('ben', until(AT_MS)))).toBeNull()
    // Found again, and attested anew: what it did before it was lost is true.
    const again = signTestEntry({
      keys: keysOf('ada machine'),
      person: 'ada',
      cloud: CLOUD,
      attested: 6,
      more: { showsInvited: true },
    })
    expect(shown(ben, [again], revoked('ada', until(AT_MS)))).not.toBeNull()
    expect(shown(ben, [again], revoked('ada', until(AT_MS - 1)))).toBeNull()
    expect(shown(ben, [again], revoked('ada', null))).toBeNull()
  })

  it('costs no look at a signature before all else fits', () => {
    let looks = 0
    const rules = { cloud: CLOUD, machines: new RevokedMachines() }
    const holds = (): boolean => {
      looks++
      return true
    }
    expect(readShownInvitation(ben, { ...rules, entryOf: () => silentAda }, holds)).toBeNull()
    expect(looks).toBe(0)
    expect(readShownInvitation(ben, { ...rules, entryOf: () => ada }, holds)).not.toBeNull()
    expect(looks).toBe(1)
  })

  it('is read of whatever an entry says, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
        const invitation = { ...byAda, body }
        expect(shown({ ...ben, invitation })).toBeNull()
      }),
    )
  })
})

describe('an entry that says by whom its person came in', () => {
  it('holds with one field more, passes machines that do not know it, and has room for no more', () => {
    const later = entryOf('ben', { invitation: byAda, later: { since: '0.9' } })
    expect(openMachineForm(later.form, CLOUD)).toMatchObject({
      invitation: byAda,
      form: later.form,
    })
    // Others pass on entries of up to 4,096 characters.
    const ordinary = { addresses: [{ host: '192.0.2.1', port: 49_737 }], listedUntilMs: AT_MS }
    expect(entryOf('ben', { ...ordinary, invitation: byAda }).form.body.length).toBeLessThan(3_000)
    const fits = { ...byAda, body: byAda.body.padEnd(1_800) }
    expect(openMachineForm(entryOf('ben', { invitation: fits }).form, CLOUD)).not.toBeNull()
    const long = { ...byAda, body: byAda.body.padEnd(1_801) }
    expect(openMachineForm(entryOf('ben', { invitation: long }).form, CLOUD)).toBeNull()
    for (const showsInvited of ['yes', 1, null]) {
      expect(openMachineForm(entryOf('ada', { showsInvited }).form, CLOUD)).toBeNull()
    }
  })
})
