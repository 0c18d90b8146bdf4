// Who invited whom, as all of a cloud may see it: said in the entries of both machines, signed by each, and true.
import type { MachineEntry } from '../forms/machine-form.ts'
import type { SignedForm, VerifySignature } from '../forms/signed-form.ts'
import type { RevokedMachines } from '../membership/revoked-machines.ts'
import { openInvitation } from './admission-form.ts'
import type { ByMachine } from './admission-form.ts'

export interface ShownInvitation {
  inviter: MachineEntry
  invited: MachineEntry
  /** When, ms since 1970, by the word of whose machine let the other in. */
  sequence: number
}

export interface ShownRules {
  cloud: string
  /** What is known of a machine. */
  entryOf: (machine: string) => MachineEntry | undefined
  machines: Pick<RevokedMachines, 'isRevoked' | 'revokesAt'>
}

/** What is said in a form, before its signatures are looked at. */
const UNCHECKED: VerifySignature = () => true

/** The entry of the machine that let somebody in, if its person wants that seen; null if not. */
export function agreeingInviter(
  { inviter, sequence }: ByMachine,
  { entryOf, machines }: ShownRules,
): MachineEntry | null {
  const entry = entryOf(inviter.machine)
  if (entry === undefined || entry.showsInvited !== true || entry.person !== inviter.person) {
    return null
  }
  const isLost = machines.isRevoked(entry.attestation) || machines.revokesAt(inviter, sequence)
  return isLost ? null : entry
}

/**
 * By whom the person of a machine came in, if both machines say that it may be seen and the admission holds; null
 * if not. Never throws.
 * @param holds  looks at the signatures of an admission; asked last, since that costs something
 */
export function readShownInvitation(
  invited: MachineEntry,
  rules: ShownRules,
  holds: (form: SignedForm) => boolean = (form) => openInvitation(form, rules.cloud) !== null,
): ShownInvitation | null {
  const { invitation: form, person, attestation } = invited
  if (form === undefined || rules.machines.isRevoked(attestation)) return null
  const admission = openInvitation(form, rules.cloud, UNCHECKED)
  if (admission === null || admission.person !== person) return null
  const inviter = agreeingInviter(admission, rules)
  if (inviter === null || inviter.person === person || !holds(form)) return null
  return { inviter, invited, sequence: admission.sequence }
}
