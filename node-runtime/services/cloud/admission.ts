// What lets this machine into its cloud, and whom it lets in itself. What holds decides `core/admission`.
import type { ReleaseFile } from '../../contract/cloud.ts'
import type { AdmissionReport } from '../../contract/connection.ts'
import { proveRelease } from '../../core/admission/release-form.ts'
import { admissionKindOf, faultOfPass } from '../../core/admission/pass.ts'
import type { AdmissionFault, Guest, Pass } from '../../core/admission/pass.ts'
import {
  namedIn,
  openInvitation,
  readChain,
  signAdmission,
} from '../../core/admission/admission-form.ts'
import type { AdmissionSigner, ByMachine } from '../../core/admission/admission-form.ts'
import { VainChecks } from '../../core/admission/vain-checks.ts'
import type { Attestation } from '../../core/forms/attestation.ts'
import { openGenesis } from '../../core/forms/genesis.ts'
import type { Attested } from '../../core/forms/revocation.ts'
import type { PlaceProof } from '../../core/rings/place.ts'
import type { Genesis } from '../../core/forms/genesis.ts'
import type { SignedForm } from '../../core/forms/signed-form.ts'
import { fromHex } from '../../core/keys.ts'
import { Tally } from '../../flow/tally.ts'
import type { Log } from '../../ports/log.ts'
import type { Admissions } from '../../swarm/doorkeeper.ts'
import type { Network } from '../../swarm/network.ts'
import { AdmissionFile } from './admission-file.ts'
import { whyNoInvitation } from './admission-words.ts'
import type { Broadcasts } from './broadcasts.ts'
import { DoorWork } from './door-work.ts'
import type { MeetingFault } from './meeting.ts'
import { OwnedReleases } from './owned-releases.ts'
import type { Revocations } from './revocations.ts'
import { RevokedReleaseNews } from './revoked-release-news.ts'

/** The owner's machines come in like all others. */
const OWN_RELEASE_NAME = 'The owner’s own'

/** What a person gets who is let in. */
export interface GivenAdmission {
  /** By which they are in from now on; null where the cloud asks for none. */
  chain: SignedForm[] | null
  /** Who let them in, where there is no chain. */
  invitation: SignedForm | null
}

/** By whom this machine's person was let in. */
export interface OwnInvitation {
  form: SignedForm
  admission: ByMachine
}

export interface AdmissionOptions {
  folder: string
  cloud: string
  machine: string
  person: () => string
  genesis: () => string | null
  /** Another machine told how the cloud began. */
  learned: (body: string) => void
  /** Of the build, or given; the one of the last time if null. */
  release: ReleaseFile | null
  /** The key that speaks for the cloud, if this machine has it. */
  ownerKey: AdmissionSigner | null
  /** With which it lets in others without that key. */
  member: () => Omit<AdmissionSigner, 'attestation'> & { attestation: Attestation }
  /** What persons have said of their machines. */
  revocations: Pick<Revocations, 'isRevoked' | 'revokesAt'>
  /** With which this machine's person has just been let in; that of the last time if null. */
  given: GivenAdmission | null
  /** This machine's place is known now. */
  placed: () => void
  /** Machines that turned this one away may let it in now. */
  passChanged: () => void
  /** A release was taken back: whoever runs it has to go. */
  askAllAgain: () => void
  /** What `report` says has changed. */
  changed: () => void
  now: () => number
  log: Log
}

export class CloudAdmission implements Admissions {
  readonly #options: AdmissionOptions
  readonly #file: AdmissionFile
  readonly #news: RevokedReleaseNews
  readonly #work: DoorWork
  readonly releases: OwnedReleases
  /** Heard from a machine, and perhaps not written down yet. */
  #told: string | null = null
  #genesis: Genesis | null = null
  /** The last that was opened, for its signatures take a while. */
  #invitation: { form: SignedForm; admission: ByMachine | null } | null = null
  #refusal: string | null = null
  readonly #refusals = new Tally()
  readonly #checks = new VainChecks()
  #closed = false

  private constructor(options: AdmissionOptions, file: AdmissionFile) {
    const { cloud, ownerKey, genesis, now, log } = options
    this.#options = options
    this.#file = file
    this.#news = new RevokedReleaseNews({
      keys: () => (this.genesis === null ? null : { cloud, keys: this.genesis.keys }),
      keep: (revocations) => file.change({ revocations }),
      grew: () => {
        if (this.#closed) return
        options.askAllAgain()
        options.changed()
      },
      nowMs: () => performance.now(),
      log,
    })
    this.#work = new DoorWork({
      nonce: () => file.content.nonce,
      found: (nonce) => file.change({ nonce }),
      done: () => {
        options.placed()
        options.passChanged()
        options.changed()
      },
      log,
    })
    this.releases = new OwnedReleases({
      cloud,
      owner: () => {
        const body = genesis()
        if (ownerKey === null || body === null) return null
        return { genesis: body, signer: ownerKey.publicKey, secretKey: ownerKey.secretKey }
      },
      file,
      news: this.#news,
      now,
    })
  }

  /** Begins the work, if the cloud asks for some and none is done yet; `report` says how it stands. */
  static async open(options: AdmissionOptions): Promise<CloudAdmission> {
    const file = await AdmissionFile.open(options.folder, options.log)
    const admission = new CloudAdmission(options, file)
    await admission.#begin()
    return admission
  }

  /** Tells linked machines of revoked releases, and hears of them; what is new goes to all. */
  attach(network: Network, broadcasts: Broadcasts): void {
    this.#news.attach(network, broadcasts)
  }

  /** How the cloud began; null while this machine has not heard. */
  get genesis(): Genesis | null {
    if (this.#genesis !== null) return this.#genesis
    const body = this.#options.genesis() ?? this.#told
    this.#genesis = body === null ? null : openGenesis(body, this.#options.cloud)
    // Before that nobody could tell whose word counts.
    if (this.#genesis !== null) {
      const { cloud } = this.#options
      const { keys } = this.#genesis
      for (const form of this.#file.content.revocations) this.#news.take(form, { cloud, keys })
    }
    return this.#genesis
  }

  /** Who let this machine's person in, back to the cloud's key; null if nobody did. */
  get chain(): readonly SignedForm[] | null {
    const { chain, next } = this.#file.content
    return next !== null && isFor(next, this.#options.person()) ? next : chain
  }

  get report(): AdmissionReport {
    const kind = this.#kind() ?? 'unknown'
    if (this.#work.working) return { kind, state: 'working', fault: null, hearsay: false }
    const own = this.#ownFault()
    const fault = own ?? this.#refusal
    if (fault === null) return { kind, state: 'in', fault, hearsay: false }
    const state = fault.endsWith('_MISSING') ? 'missing' : 'refused'
    return { kind, state, fault, hearsay: own === null }
  }

  pass(handshakeHash: Uint8Array): Pass | null {
    return this.#ownPass(handshakeHash)
  }

  faultOf(
    pass: Pass | null,
    guest: Guest & { address: string },
    told: string | null,
  ): AdmissionFault | null {
    return this.#checks.judge(guest.address, performance.now(), (check) =>
      faultOfPass(pass, guest, this.#rules(told), check),
    )
  }

  /** Does what a linked machine showed at the door let it in, by what is known now? Its signatures were checked. */
  stillHolds(pass: Pass | null, { person, machine, sequence }: Attested): boolean {
    const guest = { person, machine, sequence, handshakeHash: new Uint8Array() }
    return faultOfPass(pass, guest, this.#rules(null), () => true) === null
  }

  /** This machine's person has attested it anew: who turned it away is to be asked again. */
  attestedAnew(): void {
    this.#refusal = null
    this.#options.passChanged()
    this.#options.changed()
  }

  lacksPass(told: string | null): boolean {
    if (told !== null && this.genesis === null) this.#learn(told)
    return this.#mustShow()
  }

  /** Somebody says how the cloud began, before any machine was met; the text is the cloud's. */
  told(body: string): void {
    if (this.genesis === null) this.#learn(body)
  }

  refused(fault: string): void {
    // What work is asked the genesis says: this machine knows by itself whether it is done, and does it.
    if (fault === 'WORK_MISSING' || this.#refusal === fault) return
    this.#refusal = fault
    const times = this.#refusals.note(fault)
    if (times !== null) this.#options.log.warn('this machine was not let in', { fault, times })
    this.#options.changed()
  }

  /** Another machine answers on a link, which it does once it let this one in: whatever was said before. */
  admitted(): void {
    if (this.#refusal === null) return
    this.#refusal = null
    this.#options.changed()
  }

  /**
   * Lets a person in, or says why this machine can't: to the other one, and to its own person.
   */
  admit(person: string): GivenAdmission | { fault: MeetingFault; message: string } {
    const { cloud, member, now, ownerKey } = this.#options
    const kind = this.#kind()
    const own = this.#ownFault()
    const refuse = (fault: MeetingFault): { fault: MeetingFault; message: string } => ({
      fault,
      message: whyNoInvitation(kind, own, ownerKey !== null),
    })
    if (own === 'MACHINE_REVOKED') return refuse('not-in')
    const invitation = signAdmission({ cloud, person, sequence: now() }, member())
    if (kind === 'link' || kind === 'open') return { chain: null, invitation }
    if (kind !== 'invitation' || own !== null) return refuse('not-in')
    const chain = [invitation, ...(this.chain ?? [])]
    // Those before may have made theirs as long as there is room for.
    return this.#holds(chain, person) ? { chain, invitation: null } : refuse('too-deep')
  }

  #holds(chain: readonly SignedForm[], person: string): boolean {
    const { cloud } = this.#options
    return readChain(chain, { cloud, person, keys: this.genesis?.keys ?? [] }) !== null
  }

  /** Who let in this machine's person, who those, and so on, the nearest first; see `readChain`. */
  get invitedBy(): string[] {
    const { cloud, person } = this.#options
    const { genesis } = this
    const { chain } = this
    if (genesis === null) return []
    const { keys } = genesis
    const persons = readChain(chain ?? [], { cloud, person: person(), keys })
    if (persons !== null) return persons.slice(1)
    const { invitation } = this
    return invitation === null ? [] : [invitation.admission.inviter.person]
  }

  /** The admission of this machine's person by a machine of another's; null if there is none. */
  get invitation(): OwnInvitation | null {
    const { cloud, person } = this.#options
    const form = this.chain?.[0] ?? this.#file.content.invitation
    if (form === null) return null
    if (this.#invitation?.form !== form) {
      this.#invitation = { form, admission: openInvitation(form, cloud) }
    }
    const { admission } = this.#invitation
    return admission?.person === person() ? { form, admission } : null
  }

  /**
   * Somebody let this machine's person in. Resolves once that is on the disk; what does not hold does not take the
   * place of what does.
   */
  async keep({ chain, invitation }: GivenAdmission): Promise<void> {
    const { cloud, person } = this.#options
    const isOurs = invitation !== null && openInvitation(invitation, cloud)?.person === person()
    if (isOurs) await this.#file.change({ invitation })
    if (chain !== null) await this.keepChain(chain)
  }

  /**
   * The same of a chain alone, which holds for all machines of a person.
   * @param person  who is or will be this machine's: the chain counts from the moment at which they are
   */
  async keepChain(
    chain: readonly SignedForm[],
    person: string = this.#options.person(),
  ): Promise<void> {
    if (person !== this.#options.person()) {
      if (this.#holds(chain, person)) await this.#file.change({ next: [...chain] })
      return
    }
    if (this.#holds(this.chain ?? [], person) && !this.#holds(chain, person)) return
    await this.#file.change({ chain: [...chain], next: null })
    this.#refusal = null
    this.#options.passChanged()
    this.#options.changed()
  }

  get revokedReleases(): ReadonlySet<string> {
    return this.#news.releases
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#news.close()
    this.#work.close()
    await this.#file.close()
  }

  /** Who owns the cloud is in it by that; everybody else gets in by what they were given. */
  async #begin(): Promise<void> {
    const { cloud, release, given, ownerKey, person, now } = this.#options
    const kind = this.#kind()
    if (given !== null && given.chain !== null) {
      await this.#file.change({ chain: given.chain, next: null })
    }
    if (given !== null && given.invitation !== null) {
      await this.#file.change({ invitation: given.invitation })
    }
    if (release !== null) {
      const { release: form, secretKey } = release
      await this.#file.change({ release: { form, secretKey } })
    } else if (kind === 'release' && this.#file.content.release === null && ownerKey !== null) {
      const { file } = await this.releases.make(OWN_RELEASE_NAME, null)
      const { release: form, secretKey } = file
      await this.#file.change({ release: { form, secretKey } })
    }
    if (kind === 'invitation' && ownerKey !== null && this.#ownFault() !== null) {
      const form = signAdmission({ cloud, person: person(), sequence: now() }, ownerKey)
      await this.#file.change({ chain: [form], next: null })
    }
    this.#doWork()
  }

  #kind(): ReturnType<typeof admissionKindOf> {
    return admissionKindOf(this.genesis)
  }

  /** By what this machine's place on the rings can be checked; absent where its key is enough. */
  get place(): PlaceProof | undefined {
    const { nonce } = this.#file.content
    return this.#kind() === 'open' && nonce !== null ? { kind: 'work', proof: nonce } : undefined
  }

  /** How much work the cloud asks for; null if it is not open to all. */
  get workBits(): number | null {
    return this.#kind() === 'open' ? (this.genesis?.admission.work ?? 0) : null
  }

  /** Does the cloud want to see a pass? */
  #mustShow(): boolean {
    return this.#kind() !== 'link'
  }

  #rules(told: string | null): Parameters<typeof faultOfPass>[2] {
    const { cloud, now } = this.#options
    const genesis = this.genesis ?? (told === null ? null : openGenesis(told, cloud))
    return {
      cloud,
      genesis,
      revoked: this.#news.releases,
      machines: this.#options.revocations,
      nowMs: now(),
    }
  }

  #ownPass(handshakeHash: Uint8Array): Pass | null {
    const { machine } = this.#options
    switch (this.#kind()) {
      case 'open': {
        const { nonce } = this.#file.content
        return nonce === null ? null : { kind: 'work', nonce }
      }
      case 'invitation': {
        const { chain } = this
        return chain === null ? null : { kind: 'invitation', chain: [...chain] }
      }
      case 'release': {
        const { release } = this.#file.content
        if (release === null) return null
        const proof = proveRelease({ handshakeHash, machine }, fromHex(release.secretKey))
        return { kind: 'release', release: release.form, proof }
      }
      default:
        return null
    }
  }

  /** What others would say to the pass of this machine, as far as it knows itself. */
  #ownFault(): AdmissionFault | null {
    const { person, machine, sequence } = this.#options.member().attestation
    const handshakeHash = new Uint8Array()
    const pass = this.#ownPass(handshakeHash)
    return faultOfPass(pass, { person, machine, sequence, handshakeHash }, this.#rules(null))
  }

  #learn(body: string): void {
    this.#told = body
    this.#options.learned(body)
    this.#doWork()
    // Whom the cloud's id alone let in has to show what the cloud asks for.
    if (this.#mustShow()) this.#options.askAllAgain()
    this.#options.changed()
  }

  /** Does the work that the cloud asks for, if it is not done. */
  #doWork(): void {
    const { cloud, machine } = this.#options
    const bits = this.workBits
    if (bits !== null) this.#work.begin({ cloud, machine, bits })
  }
}

/** Does a chain begin with that person, by its words? */
function isFor(chain: readonly SignedForm[], person: string): boolean {
  return chain[0] !== undefined && namedIn(chain[0]) === person
}
