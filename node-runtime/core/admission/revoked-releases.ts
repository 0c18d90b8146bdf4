// Which releases the cloud's key took back: a set that only grows, the same on all machines that have heard
// all of it, whatever the order.
import type { SignedForm, VerifySignature } from '../forms/signed-form.ts'
import { openReleaseRevocation } from './release-form.ts'
import type { CloudKeys } from './release-form.ts'

/** The cloud's key may take back so many; it is the only one that can fill this. */
export const MAX_REVOKED = 256

export class RevokedReleases {
  readonly #forms = new Map<string, SignedForm>()

  /** The releases, by their public keys. */
  get releases(): ReadonlySet<string> {
    return new Set(this.#forms.keys())
  }

  get forms(): SignedForm[] {
    return [...this.#forms.values()]
  }

  /** Takes one in. `known`: nothing changed. `full`: there are as many as there may be. `forged`: it does not hold. */
  add(
    form: SignedForm,
    cloudKeys: CloudKeys,
    check?: VerifySignature,
  ): 'new' | 'known' | 'full' | 'forged' {
    const revocation = openReleaseRevocation(form, cloudKeys, check)
    if (revocation === null) return 'forged'
    if (this.#forms.has(revocation.release)) return 'known'
    if (this.#forms.size >= MAX_REVOKED) return 'full'
    this.#forms.set(revocation.release, form)
    return 'new'
  }
}
