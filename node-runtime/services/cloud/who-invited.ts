// Who invited whom, as far as both want it seen: what this machine's entry says of it, and what those of others show.
import type { ShownInvitation } from '../../contract/cloud.ts'
import { openInvitation } from '../../core/admission/admission-form.ts'
import { agreeingInviter, readShownInvitation } from '../../core/admission/shown-invitation.ts'
import type { ShownRules } from '../../core/admission/shown-invitation.ts'
import type { MachineEntry } from '../../core/forms/machine-form.ts'
import type { SignedForm } from '../../core/forms/signed-form.ts'
import type { OwnInvitation } from './admission.ts'
import type { Membership } from './membership.ts'
import type { Revocations } from './revocations.ts'

/** More is no list to read; machines that were met come first. */
const MAX_SHOWN = 200
/** Admissions whose signatures are looked at in one answer: about 20 ms; the others wait for the next. */
const CHECKED_AT_ONCE = 100

export interface WhoInvitedOptions {
  cloud: string
  /** Does the person of this machine want it seen? */
  on: () => boolean
  /** The admission of this machine's person. */
  own: () => OwnInvitation | null
  /** Null while it is not open. */
  membership: () => Pick<Membership, 'ownEntry' | 'entryOf' | 'entriesSince'> | null
  revocations: Pick<Revocations, 'isRevoked' | 'revokesAt'>
}

export class WhoInvited {
  readonly #options: WhoInvitedOptions
  readonly #checked = new WeakMap<SignedForm, boolean>()

  constructor(options: WhoInvitedOptions) {
    this.#options = options
  }

  /** What the own entry is to say. By whom its person came in, only once whom it names wants that seen. */
  get said(): Pick<MachineEntry, 'invitation' | 'showsInvited'> {
    const { on, own } = this.#options
    if (!on()) return {}
    const invitation = own()
    const isAgreed =
      invitation !== null && agreeingInviter(invitation.admission, this.#rules()) !== null
    return { showsInvited: true, ...(isAgreed ? { invitation: invitation.form } : {}) }
  }

  /** Has what is to be said become another than the own entry says? */
  get isOutdated(): boolean {
    const entry = this.#options.membership()?.ownEntry
    if (entry === undefined) return false
    const { invitation, showsInvited } = this.said
    return (
      invitation?.signature !== entry.invitation?.signature || showsInvited !== entry.showsInvited
    )
  }

  /** What this machine knows, those that it met first. */
  get shown(): ShownInvitation[] {
    const membership = this.#options.membership()
    if (membership === null) return []
    const rules = this.#rules()
    let left = CHECKED_AT_ONCE
    const holds = (form: SignedForm): boolean => {
      const known = this.#checked.get(form)
      if (known !== undefined || left === 0) return known ?? false
      left--
      const isSo = openInvitation(form, rules.cloud) !== null
      this.#checked.set(form, isSo)
      return isSo
    }
    const { ownEntry } = membership
    // Those that were met ever, then hearsay, which somebody may have invented.
    const entries = [ownEntry, ...membership.entriesSince(1), ...membership.entriesSince(0)]
    const shown = new Map<string, ShownInvitation>()
    for (const entry of new Set(entries)) {
      if (shown.size === MAX_SHOWN) break
      const read = readShownInvitation(entry, rules, holds)
      if (read === null) continue
      const { inviter, invited, sequence } = read
      // A person's other machines say the same.
      shown.set(`${inviter.person} ${invited.person}`, {
        inviter: whose(inviter),
        invited: whose(invited),
        atMs: sequence,
      })
    }
    return [...shown.values()]
  }

  #rules(): ShownRules {
    const { cloud, membership, revocations } = this.#options
    return { cloud, entryOf: (machine) => membership()?.entryOf(machine), machines: revocations }
  }
}

function whose({ person, machine, name }: MachineEntry): ShownInvitation['inviter'] {
  return { person, machine, name }
}
