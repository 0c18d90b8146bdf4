// The releases of a cloud, on the machine of its owner: made, listed by name, and taken back.
import type { ReleaseFile, ReleaseInfo } from '../../contract/cloud.ts'
import { CloudError } from '../../contract/errors.ts'
import { keySchema } from '../../contract/values.ts'
import {
  isExpired,
  openRelease,
  signRelease,
  signReleaseRevocation,
} from '../../core/admission/release-form.ts'
import type { Release } from '../../core/admission/release-form.ts'
import type { SignedForm } from '../../core/forms/signed-form.ts'
import { encodeKey, toHex } from '../../core/keys.ts'
import { newKeyPair } from '../../store/new-keys.ts'
import { MAX_MADE } from './admission-file.ts'
import type { AdmissionFile } from './admission-file.ts'
import { MAX_REVOKED } from './revoked-release-news.ts'
import type { RevokedReleaseNews } from './revoked-release-news.ts'

interface OwnedReleasesOptions {
  cloud: string
  /** The key that speaks for the cloud and how that began, if this machine has both. */
  owner: () => { genesis: string; signer: string; secretKey: Uint8Array } | null
  file: AdmissionFile
  news: RevokedReleaseNews
  now: () => number
}

export class OwnedReleases {
  readonly #options: OwnedReleasesOptions

  constructor(options: OwnedReleasesOptions) {
    this.#options = options
  }

  /**
   * Makes one. What is secret of it is kept nowhere: who has the answer has the release.
   * @param expiresMs  ms since 1970; null: it does not expire
   * @throws CloudError NOT_OWNER, LIMIT_REACHED
   */
  async make(
    name: string,
    expiresMs: number | null,
  ): Promise<{ release: string; file: ReleaseFile }> {
    const { cloud, file, now } = this.#options
    const { genesis, signer, secretKey: cloudSecretKey } = this.#owner()
    const { made } = file.content
    if (made.length >= MAX_MADE) {
      throw new CloudError(
        'LIMIT_REACHED',
        `This machine has made ${MAX_MADE} releases, and no more are kept.`,
      )
    }
    const { publicKey, secretKey } = newKeyPair()
    const release = encodeKey(publicKey)
    const statement = { cloud, release, signer, name, sequence: now(), expiresMs }
    const form = signRelease(statement, cloudSecretKey)
    await file.change({ made: [...made, form] })
    return {
      release,
      file: { releaseFile: 1, genesis, release: form, secretKey: toHex(secretKey) },
    }
  }

  /**
   * Those that were made on this machine, the newest first; then those that are taken back of which nothing else is
   * known here.
   * @throws CloudError NOT_OWNER
   */
  list(): ReleaseInfo[] {
    this.#owner()
    const { news, now } = this.#options
    const made = this.#made().map((release): ReleaseInfo => {
      const { name, sequence, expiresMs } = release
      const isRevoked = news.releases.has(release.release)
      const state = isRevoked ? 'revoked' : isExpired(release, now()) ? 'expired' : 'valid'
      return { release: release.release, name, madeMs: sequence, expiresMs, state }
    })
    const known = new Set(made.map(({ release }) => release))
    const others = [...news.releases].filter((release) => !known.has(release))
    return [
      ...made.toReversed(),
      ...others.map((release) => ({
        release,
        name: null,
        madeMs: null,
        expiresMs: null,
        state: 'revoked' as const,
      })),
    ]
  }

  /**
   * Takes one back, and tells the others. Resolves, with its key, once that is on the disk.
   * @param named  its public key, or the name that it alone has
   * @throws CloudError NOT_OWNER, LIMIT_REACHED, RELEASE_UNKNOWN
   */
  async revoke(named: string): Promise<string> {
    const { cloud, news, now } = this.#options
    const { signer, secretKey } = this.#owner()
    const release = this.#find(named)
    const form = signReleaseRevocation({ cloud, release, signer, sequence: now() }, secretKey)
    const came = news.take(form, { cloud, keys: [signer] })
    if (came === 'full') {
      throw new CloudError(
        'LIMIT_REACHED',
        `A cloud can take back ${MAX_REVOKED} releases, and this one has. Let releases expire instead.`,
      )
    }
    if (came === 'new') await news.tell(form)
    return release
  }

  #made(): Release[] {
    const { cloud, file } = this.#options
    const keys = [this.#owner().signer]
    return file.content.made.flatMap((form: SignedForm) => openRelease(form, { cloud, keys }) ?? [])
  }

  #find(named: string): string {
    if (keySchema.safeParse(named).success) return named
    const found = this.#made().filter(({ name }) => name === named)
    const [only] = found
    if (only !== undefined && found.length === 1) return only.release
    const message =
      only === undefined
        ? `No release is called "${named}" of those that this machine has made.`
        : `${found.length} releases are called "${named}". Name the one by its key.`
    throw new CloudError('RELEASE_UNKNOWN', message, {
      name: named,
      releases: found.map(({ release }) => release),
    })
  }

  #owner(): { genesis: string; signer: string; secretKey: Uint8Array } {
    const owner = this.#options.owner()
    if (owner !== null) return owner
    throw new CloudError(
      'NOT_OWNER',
      'Only the machine that began the cloud has the key that speaks for it, and this one did not.',
    )
  }
}
