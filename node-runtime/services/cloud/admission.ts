// What lets this machine into its cloud, and whom it lets in itself. What holds decides `core/admission`; here
// are the file, the work, and the protocol by which revoked releases are told of.
import { join } from 'node:path'
import * as z from 'zod'
import type { AdmissionReport, ReleaseFile } from '../../contract/cloud.ts'
import { CloudError } from '../../contract/errors.ts'
import {
  proveRelease,
  signRelease,
  signReleaseRevocation,
} from '../../core/admission/release-form.ts'
import { admissionKindOf, faultOfPass } from '../../core/admission/pass.ts'
import type { AdmissionFault, Guest, Pass } from '../../core/admission/pass.ts'
import { MAX_CHAIN, readChain, signAdmission } from '../../core/admission/admission-form.ts'
import type { AdmissionSigner } from '../../core/admission/admission-form.ts'
import { MAX_REVOKED, RevokedReleases } from '../../core/admission/revoked-releases.ts'
import { VainChecks } from '../../core/admission/vain-checks.ts'
import { isWork, searchWork } from '../../core/admission/work.ts'
import type { Attestation } from '../../core/forms/attestation.ts'
import { openGenesis } from '../../core/forms/genesis.ts'
import type { Attested } from '../../core/forms/revocation.ts'
import type { PlaceProof } from '../../core/rings/place.ts'
import type { Genesis } from '../../core/forms/genesis.ts'
import { signedFormSchema } from '../../core/forms/signed-form.ts'
import type { SignedForm } from '../../core/forms/signed-form.ts'
import { encodeKey, fromHex, toHex } from '../../core/keys.ts'
import { nextTurn } from '../../flow/next-turn.ts'
import { SerialQueue } from '../../flow/serial-queue.ts'
import { Tally } from '../../flow/tally.ts'
import type { Log } from '../../ports/log.ts'
import { readJsonFile, writeJsonFile } from '../../store/json-file.ts'
import { newKeyPair } from '../../store/new-keys.ts'
import { jsonCodec } from '../../swarm/codec.ts'
import type { Admissions } from '../../swarm/doorkeeper.ts'
import type { Network, PeerInfo, Protocol } from '../../swarm/network.ts'
import { PeerFault } from '../../swarm/peer-fault.ts'
import type { Broadcasts } from './broadcasts.ts'
import type { MeetingFault } from './meeting.ts'
import type { Revocations } from './revocations.ts'

/** Hashes in one go: about 5 ms, so that calls do not wait for the work. */
const HASHES_AT_ONCE = 2_000
const REVOCATIONS_PER_MESSAGE = 64
/** A revocation takes 500. */
const MAX_MESSAGE_BYTES = 128_000

const fileSchema = z.object({
  nonce: z.string().nullable(),
  /** Of the build that this folder was opened with, or the owner's own. */
  release: z
    .object({ form: signedFormSchema, secretKey: z.string().regex(/^[0-9a-f]{128}$/) })
    .nullable(),
  /** Who let this machine's person in, back to the cloud's key. */
  chain: z.array(signedFormSchema).max(MAX_CHAIN).nullable(),
  revocations: z.array(signedFormSchema).max(MAX_REVOKED),
})
type AdmissionFile = z.infer<typeof fileSchema>

const messageSchema = z.object({
  revocations: z.array(signedFormSchema).max(REVOCATIONS_PER_MESSAGE),
})
type Message = z.infer<typeof messageSchema>

/** The owner's machines come in like all others. */
const OWN_RELEASE_NAME = 'The owner’s own'

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
  /** By which this machine's person has just been let in; the one of the last time if null. */
  chain: readonly SignedForm[] | null
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
  readonly #path: string
  #file: AdmissionFile
  readonly #revocations = new RevokedReleases()
  readonly #saves = new SerialQueue()
  #protocol: Protocol<Message> | null = null
  #broadcasts: Broadcasts | null = null
  #tellAll: ((body: string) => void) | null = null
  /** Heard from a machine, and perhaps not written down yet. */
  #told: string | null = null
  #genesis: Genesis | null = null
  #working = false
  #refusal: string | null = null
  readonly #refusals = new Tally()
  readonly #checks = new VainChecks()
  #closed = false

  private constructor(options: AdmissionOptions, path: string, file: AdmissionFile) {
    this.#options = options
    this.#path = path
    this.#file = file
  }

  /** Begins the work, if the cloud asks for some and none is done yet; `report` says how it stands. */
  static async open(options: AdmissionOptions): Promise<CloudAdmission> {
    const { folder, log } = options
    const path = join(folder, 'admission.json')
    const file = await readJsonFile(path, fileSchema, {
      evenIfGone: true,
      onFallback: (message) => log.warn(message),
    })
    const nothing = { nonce: null, release: null, chain: null, revocations: [] }
    const admission = new CloudAdmission(options, path, file ?? nothing)
    await admission.#begin()
    return admission
  }

  /** Tells linked machines of revoked releases, and hears of them; what is new goes to all. */
  attach(network: Network, broadcasts: Broadcasts): void {
    this.#broadcasts = broadcasts
    this.#tellAll = broadcasts.open('revoked-release', (body) => this.#heard(body))
    const protocol = network.openProtocol<Message>({
      name: 'dharma/revoked-releases/1',
      codec: jsonCodec(messageSchema, MAX_MESSAGE_BYTES),
      opened: ({ machine }) => this.#tell(protocol, machine, this.#revocations.forms),
      received: (peer, { revocations }) => this.#hear(peer, revocations),
    })
    this.#protocol = protocol
  }

  /** How the cloud began; null while this machine has not heard. */
  get genesis(): Genesis | null {
    if (this.#genesis !== null) return this.#genesis
    const body = this.#options.genesis() ?? this.#told
    this.#genesis = body === null ? null : openGenesis(body, this.#options.cloud)
    // Before that nobody could tell whose word counts.
    if (this.#genesis !== null)
      for (const form of this.#file.revocations) this.#takeRevocation(form)
    return this.#genesis
  }

  /** Who let this machine's person in, back to the cloud's key; null if nobody did. */
  get chain(): readonly SignedForm[] | null {
    return this.#file.chain
  }

  get report(): AdmissionReport {
    const kind = this.#kind() ?? 'unknown'
    if (this.#working) return { kind, state: 'working', fault: null }
    const fault = this.#ownFault() ?? this.#refusal
    if (fault === null) return { kind, state: 'in', fault }
    return { kind, state: fault.endsWith('_MISSING') ? 'missing' : 'refused', fault }
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
   * Lets a person in: with the chain by which they are, from now on; null where the cloud asks for none. Or says
   * why this machine can't.
   */
  admit(person: string): { chain: SignedForm[] | null } | { fault: MeetingFault } {
    const { cloud, member, now } = this.#options
    const kind = this.#kind()
    const fault = this.#ownFault()
    if (fault === 'MACHINE_REVOKED') return { fault: 'not-in' }
    if (kind === 'link' || kind === 'open') return { chain: null }
    if (kind !== 'invitation' || fault !== null) return { fault: 'not-in' }
    const own = this.#file.chain ?? []
    const chain = [signAdmission({ cloud, person, sequence: now() }, member()), ...own]
    // Those before may have made theirs as long as there is room for.
    return this.#holds(chain, person) ? { chain } : { fault: 'too-deep' }
  }

  #holds(chain: readonly SignedForm[], person: string): boolean {
    const { cloud } = this.#options
    return readChain(chain, { cloud, person, keys: this.genesis?.keys ?? [] }) !== null
  }

  /** Who let in this machine's person, who those, and so on, the nearest first; see `readChain`. */
  get invitedBy(): string[] {
    const { cloud, person } = this.#options
    const { genesis } = this
    const { chain } = this.#file
    if (genesis === null || chain === null) return []
    const { keys } = genesis
    return readChain(chain, { cloud, person: person(), keys })?.slice(1) ?? []
  }

  /**
   * Somebody let this machine's person in. Resolves once that is on the disk; what does not hold does not take the
   * place of what does.
   */
  async keepChain(chain: readonly SignedForm[]): Promise<void> {
    const person = this.#options.person()
    if (this.#holds(this.#file.chain ?? [], person) && !this.#holds(chain, person)) return
    await this.#change({ chain: [...chain] })
    this.#refusal = null
    this.#options.passChanged()
    this.#options.changed()
  }

  /**
   * A new release of this cloud. Nothing of it is kept here: who has the answer has the release.
   * @param expiresMs  ms since 1970; null: it does not expire
   * @throws CloudError NOT_OWNER
   */
  makeRelease(name: string, expiresMs: number | null): { release: string; file: ReleaseFile } {
    const { cloud, now } = this.#options
    const { genesis, signer, cloudSecretKey } = this.#owner()
    const { publicKey, secretKey } = newKeyPair()
    const release = encodeKey(publicKey)
    const statement = { cloud, release, signer, name, sequence: now(), expiresMs }
    const form = signRelease(statement, cloudSecretKey)
    return {
      release,
      file: { releaseFile: 1, genesis, release: form, secretKey: toHex(secretKey) },
    }
  }

  /**
   * Takes a release back, and tells the others. Resolves once that is on the disk.
   * @throws CloudError NOT_OWNER, LIMIT_REACHED
   */
  async revokeRelease(release: string): Promise<void> {
    const { cloud, now } = this.#options
    const { signer, cloudSecretKey } = this.#owner()
    const form = signReleaseRevocation({ cloud, release, signer, sequence: now() }, cloudSecretKey)
    const came = this.#takeRevocation(form)
    if (came === 'full') {
      throw new CloudError(
        'LIMIT_REACHED',
        `A cloud can take back ${MAX_REVOKED} releases, and this one has. Let releases expire instead.`,
      )
    }
    if (came === 'new') await this.#revocationsCame([form], null)
  }

  get revokedReleases(): ReadonlySet<string> {
    return this.#revocations.releases
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#protocol?.close()
    await this.#saves.run(async () => {})
  }

  /** Who owns the cloud is in it by that; everybody else gets in by what they were given. */
  async #begin(): Promise<void> {
    const { cloud, release, chain, ownerKey, person, now } = this.#options
    const kind = this.#kind()
    if (chain !== null) await this.#change({ chain: [...chain] })
    if (release !== null) {
      const { release: form, secretKey } = release
      await this.#change({ release: { form, secretKey } })
    } else if (kind === 'release' && this.#file.release === null && ownerKey !== null) {
      const { file } = this.makeRelease(OWN_RELEASE_NAME, null)
      const { release: form, secretKey } = file
      await this.#change({ release: { form, secretKey } })
    }
    if (kind === 'invitation' && ownerKey !== null && this.#ownFault() !== null) {
      const form = signAdmission({ cloud, person: person(), sequence: now() }, ownerKey)
      await this.#change({ chain: [form] })
    }
    this.#work()
  }

  #kind(): ReturnType<typeof admissionKindOf> {
    return admissionKindOf(this.genesis)
  }

  #owner(): { genesis: string; signer: string; cloudSecretKey: Uint8Array } {
    const { ownerKey, genesis } = this.#options
    const body = genesis()
    if (ownerKey === null || body === null) {
      throw new CloudError(
        'NOT_OWNER',
        'Only the machine that began the cloud has the key that speaks for it, and this one did not.',
      )
    }
    return { genesis: body, signer: ownerKey.publicKey, cloudSecretKey: ownerKey.secretKey }
  }

  /** By what this machine's place on the rings can be checked; absent where its key is enough. */
  get place(): PlaceProof | undefined {
    const { nonce } = this.#file
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
      revoked: this.#revocations.releases,
      machines: this.#options.revocations,
      nowMs: now(),
    }
  }

  #ownPass(handshakeHash: Uint8Array): Pass | null {
    const { machine } = this.#options
    switch (this.#kind()) {
      case 'open': {
        const { nonce } = this.#file
        return nonce === null ? null : { kind: 'work', nonce }
      }
      case 'invitation': {
        const { chain } = this.#file
        return chain === null ? null : { kind: 'invitation', chain }
      }
      case 'release': {
        const { release } = this.#file
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
    this.#work()
    // Whom the cloud's id alone let in has to show what the cloud asks for.
    if (this.#mustShow()) this.#options.askAllAgain()
    this.#options.changed()
  }

  /** Does the work that the cloud asks for, if it is not done. */
  #work(): void {
    const { cloud, machine, log } = this.#options
    const bits = this.workBits
    if (bits === null || this.#working) return
    const task = { cloud, machine, bits }
    const { nonce } = this.#file
    if (nonce !== null && isWork(task, nonce)) return
    this.#working = true
    this.#search(task).catch((error: unknown) => {
      this.#working = false
      log.error('the work that lets this machine in could not be done', { error })
    })
  }

  async #search(task: Parameters<typeof searchWork>[0]): Promise<void> {
    for (let from = 0; !this.#closed; from += HASHES_AT_ONCE) {
      const nonce = searchWork(task, from, HASHES_AT_ONCE)
      if (nonce !== null) {
        await this.#change({ nonce })
        this.#working = false
        this.#options.placed()
        this.#options.passChanged()
        this.#options.changed()
        return
      }
      await nextTurn()
    }
  }

  async #change(change: Partial<AdmissionFile>): Promise<void> {
    this.#file = { ...this.#file, ...change }
    await this.#saves.run(() => writeJsonFile(this.#path, this.#file))
  }

  #takeRevocation(form: SignedForm): ReturnType<RevokedReleases['add']> {
    const { cloud } = this.#options
    return this.#revocations.add(form, { cloud, keys: this.genesis?.keys ?? [] })
  }

  /** What all are told. True if it holds. */
  #heard(body: string): boolean {
    const form = readForm(body)
    if (form === null || JSON.stringify(form) !== body || this.genesis === null) return false
    const came = this.#takeRevocation(form)
    if (came === 'new') this.#noteRevocations([form], 'all')
    return came === 'new' || came === 'known'
  }

  #hear(peer: PeerInfo, forms: readonly SignedForm[]): void {
    // Without the genesis nobody can tell whose word counts; it is told again with the next link.
    if (this.genesis === null) return
    const news = forms.filter((form) => {
      const came = this.#takeRevocation(form)
      if (came === 'forged') throw new PeerFault('it told of a revocation that is forged')
      return came === 'new'
    })
    if (news.length > 0) this.#noteRevocations(news, peer.machine)
  }

  #noteRevocations(news: readonly SignedForm[], from: string | null): void {
    this.#revocationsCame(news, from).catch((error: unknown) => {
      this.#options.log.error('revoked releases could not be written down', { error })
    })
  }

  /** @param from  a machine that told it, or `all` if it was told to all; null if it is this one's own */
  async #revocationsCame(news: readonly SignedForm[], from: string | null): Promise<void> {
    if (from !== 'all') for (const form of news) this.#tellAll?.(JSON.stringify(form))
    const protocol = this.#protocol
    if (protocol !== null) {
      for (const { machine } of protocol.peers()) {
        const hears = machine === from || this.#broadcasts?.reaches(machine) === true
        if (!hears) this.#tell(protocol, machine, news)
      }
    }
    await this.#change({ revocations: this.#revocations.forms })
    if (this.#closed) return
    this.#options.askAllAgain()
    this.#options.changed()
  }

  #tell(protocol: Protocol<Message>, machine: string, forms: readonly SignedForm[]): void {
    for (let at = 0; at < forms.length; at += REVOCATIONS_PER_MESSAGE) {
      protocol.send(machine, { revocations: forms.slice(at, at + REVOCATIONS_PER_MESSAGE) })
    }
  }
}

function readForm(text: string): SignedForm | null {
  try {
    const form = signedFormSchema.safeParse(JSON.parse(text))
    return form.success ? form.data : null
  } catch {
    // Not JSON: no form.
    return null
  }
}
