// The keys of this machine and of the person it belongs to, in one file of the data folder.
import { pbkdf2Sync } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { generateMnemonic, validateMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import * as z from 'zod'
import { CloudError } from '../../contract/errors.ts'
import {
  displayNameSchema,
  keySchema,
  signedFormSchema,
  timeMsSchema,
} from '../../contract/values.ts'
import { domainBytes, encodeKey, fromHex, hash, keyPair, toHex } from '../../core/keys.ts'
import type { KeyPair } from '../../core/keys.ts'
import { fitsRecords, openAnyAttestation, signAttestation } from '../../core/forms/attestation.ts'
import type { SignedForm } from '../../core/forms/signed-form.ts'
import type { Attestation } from '../../core/forms/attestation.ts'
import { nameFromKey } from '../../core/names.ts'
import { SerialQueue } from '../../flow/serial-queue.ts'
import { newSeed } from '../../store/new-keys.ts'
import { forgetBackups, readJsonFile, writeJsonFile } from '../../store/json-file.ts'

const PHRASE_STRENGTH_BITS = 256
const PHRASE_WORDS = 24
const PERSON_DOMAIN = 'dharma/person/1'
/**
 * How long a machine may write in the person's name. Long, because renewing needs the phrase, which
 * the person may have put away; a lost machine is revoked, not waited out.
 */
const ATTESTATION_MS = 10 * 365 * 24 * 3_600_000

const fileSchema = z.object({
  /** Null once the person has written it down and had it forgotten. */
  phrase: z.string().nullable(),
  /** Whose machine this is, where there is no phrase to tell. */
  person: keySchema.optional(),
  /** What the person has signed for this machine, one for each cloud; where it is none, the phrase does. */
  attestations: z.array(signedFormSchema).default([]),
  machineSeed: z.string().regex(/^[0-9a-f]{64}$/),
  personName: displayNameSchema.nullable(),
  machineName: displayNameSchema.nullable(),
  /** When the person attested this machine, ms since 1970. Folders of 0.1 have none. */
  attestedMs: timeMsSchema.default(0),
})
type IdentityFile = z.infer<typeof fileSchema>

/**
 * A person's key pair. Source of the seed: BIP-39, no passphrase. Node's own PBKDF2 takes a twentieth
 * of the time of one in JavaScript, which would be felt at every start.
 */
function personKeyPair(phrase: string): KeyPair {
  const seed = pbkdf2Sync(phrase.normalize('NFKD'), 'mnemonic', 2048, 64, 'sha512')
  return keyPair(hash(domainBytes(PERSON_DOMAIN, toHex(seed))))
}

/**
 * The words as they are kept.
 * @throws CloudError IDENTITY_PHRASE_INVALID, which never repeats a word: they are secret
 */
function readPhrase(text: string): string {
  const words = text.trim().toLowerCase().split(/\s+/)
  const phrase = words.join(' ')
  if (validateMnemonic(phrase, wordlist)) return phrase
  throw new CloudError('IDENTITY_PHRASE_INVALID', faultOfPhrase(words), { words: words.length })
}

function faultOfPhrase(words: readonly string[]): string {
  if (words.length !== PHRASE_WORDS) {
    return `A recovery phrase has ${PHRASE_WORDS} words; this has ${words.length}.`
  }
  const unknown = words.findIndex((word) => !wordlist.includes(word))
  return unknown === -1
    ? 'These words do not belong together: one is wrong, or their order is.'
    : `Word ${unknown + 1} is none that a recovery phrase is made of. Check its spelling.`
}

/**
 * Whose phrase this is, by the key.
 * @throws CloudError IDENTITY_PHRASE_INVALID
 */
export function personOf(phrase: string): string {
  return encodeKey(personKeyPair(readPhrase(phrase)).publicKey)
}

interface OpenOptions {
  /**
   * The folder is a copy of one that may live on elsewhere: the person stays, the machine gets a key of
   * its own, for two that sign as one machine would contradict each other.
   */
  copied?: boolean
  /** Told when the file was damaged or gone and the one before was taken, with words for the person. */
  onFallback?: (words: string) => void
}

interface AcceptOptions {
  /** The cloud that the machine is in: a new person must be one there. */
  present: string
  /** May the phrase of this machine's present person go? */
  forgetPhrase?: boolean
  /** Is waited for once it is known that the attestation holds. */
  before?: (attestation: Attestation) => Promise<void>
}

/** The keys of a person whose phrase was given, for as long as it takes to sign. */
export interface PersonKeys {
  person: string
  secretKey: Uint8Array
}

export class Identity extends EventEmitter<{ changed: [] }> {
  readonly #path: string
  #file: IdentityFile
  /** Null once the phrase is forgotten. */
  #personKeys: PersonKeys | null
  #person: string
  readonly machineKeys: KeyPair
  /** Not undefined if there was none when this was opened: the person that was begun then. */
  readonly #begun: string | undefined
  readonly #updates = new SerialQueue()
  readonly #attestations = new Map<string, Attestation>()

  /** Had the folder an identity, which a new machine can't go on with for want of the phrase? */
  readonly isPhraseMissing: boolean

  private constructor(
    path: string,
    file: IdentityFile,
    { begins = false, phraseMissing = false } = {},
  ) {
    super()
    this.setMaxListeners(0)
    this.#path = path
    this.#file = file
    this.machineKeys = keyPair(fromHex(file.machineSeed))
    const { person, keys } = whose(file, path)
    this.#person = person
    this.#personKeys = keys
    this.#readAttestations()
    if (begins) this.#begun = this.person
    this.isPhraseMissing = phraseMissing
  }

  /**
   * Opens the identity of a data folder, or makes a new one. In place of a file that is damaged or gone
   * the one before is taken; since that may be of another machine, the machine gets a new key. A new key
   * without the phrase is nobody's: then a new person begins.
   * @throws CloudError DATA_DAMAGED
   */
  static async open(
    dataDir: string,
    { copied = false, onFallback }: OpenOptions = {},
  ): Promise<Identity> {
    const path = join(dataDir, 'identity.json')
    const fallbacks: string[] = []
    const known = await readJsonFile(path, fileSchema, {
      evenIfGone: true,
      onFallback: (words) => fallbacks.push(words),
    })
    const isOther = copied || fallbacks.length > 0
    const begins = known === null || (isOther && known.phrase === null)
    const fresh = { machineSeed: toHex(newSeed()), attestedMs: Date.now(), attestations: [] }
    let file: IdentityFile
    if (begins) {
      const phrase = generateMnemonic(wordlist, PHRASE_STRENGTH_BITS)
      file = { ...fresh, phrase, personName: null, machineName: null }
    } else if (copied) file = { ...known, ...fresh, machineName: null }
    else if (isOther) file = { ...known, ...fresh }
    else if (known.attestedMs === 0) file = { ...known, attestedMs: fresh.attestedMs }
    else return new Identity(path, known)
    await writeJsonFile(path, file)
    for (const words of fallbacks) onFallback?.(words)
    return new Identity(path, file, { begins, phraseMissing: begins && known !== null })
  }

  /** Was this person begun when the folder was opened, because it had no identity to go on with? */
  get isBegun(): boolean {
    return this.person === this.#begun
  }

  get machine(): string {
    return encodeKey(this.machineKeys.publicKey)
  }

  get person(): string {
    return this.#person
  }

  get personName(): string {
    return this.#file.personName ?? nameFromKey(this.person)
  }

  get machineName(): string {
    return this.#file.machineName ?? nameFromKey(this.machine)
  }

  /** Is the recovery phrase on this machine? */
  get phraseKept(): boolean {
    return this.#file.phrase !== null
  }

  /** @throws CloudError IDENTITY_PHRASE_NEEDED once it is forgotten */
  get recoveryPhrase(): string {
    const { phrase } = this.#file
    if (phrase !== null) return phrase
    throw new CloudError(
      'IDENTITY_PHRASE_NEEDED',
      'The recovery phrase is not on this machine any more: it was deleted once you had written it down.',
    )
  }

  /**
   * What the person of a phrase signs with; without one, of the phrase that is kept.
   * @throws CloudError IDENTITY_PHRASE_INVALID, IDENTITY_PHRASE_NEEDED
   */
  keysOf(phrase?: string): PersonKeys {
    if (phrase !== undefined) return keysOfPhrase(readPhrase(phrase))
    if (this.#personKeys !== null) return this.#personKeys
    throw new CloudError(
      'IDENTITY_PHRASE_NEEDED',
      'This needs your recovery phrase, which is not on this machine any more. Put in its words.',
    )
  }

  /**
   * The same of this machine's person.
   * @throws CloudError as `keysOf`; IDENTITY_PHRASE_OTHER
   */
  ownKeysOf(phrase?: string): PersonKeys {
    const keys = this.keysOf(phrase)
    if (keys.person === this.person) return keys
    throw new CloudError(
      'IDENTITY_PHRASE_OTHER',
      'These are the words of another person than this machine’s.',
    )
  }

  /**
   * The person's word that this machine writes in their name in a cloud. The same until either changes.
   * @throws CloudError IDENTITY_PHRASE_NEEDED if nobody has given it, and the phrase is forgotten
   */
  attestationFor(cloud: string): Attestation {
    let attestation = this.#attestations.get(cloud)
    if (attestation === undefined) {
      const { attestedMs } = this.#file
      attestation = this.#sign(this.keysOf(), { machine: this.machine, cloud, atMs: attestedMs })
      this.#attestations.set(cloud, attestation)
    }
    return attestation
  }

  /**
   * Attests a machine in a cloud, from now on. For this machine it holds when the promise resolves.
   * @param afterMs  the sequence is greater than this
   * @throws CloudError IDENTITY_PHRASE_INVALID, IDENTITY_PHRASE_NEEDED; IDENTITY_PHRASE_OTHER for this
   *   machine, if the phrase is not its person's
   */
  async attest(
    { machine, cloud, phrase }: { machine: string; cloud: string; phrase?: string | undefined },
    afterMs = 0,
  ): Promise<Attestation> {
    const isOwn = machine === this.machine
    const keys = isOwn ? this.ownKeysOf(phrase) : this.keysOf(phrase)
    const atMs = Math.max(Date.now(), afterMs + 1)
    const attestation = this.#sign(keys, { machine, cloud, atMs })
    if (!isOwn) return attestation
    const others = this.#file.attestations.filter((form) => cloudOf(form) !== cloud)
    await this.#update({ attestations: [...others, attestation.form] })
    return attestation
  }

  /**
   * Makes this machine the person's who has attested it. The phrase of another person goes, if it may.
   * @throws CloudError IDENTITY_ATTESTATION_INVALID, IDENTITY_PHRASE_KEPT
   */
  async accept(
    form: SignedForm,
    { present, forgetPhrase = false, before = async () => {} }: AcceptOptions,
  ): Promise<Attestation> {
    // One that no record may name would be of no use; a larger one would leave no room in what the machine says of itself.
    const attestation = fitsRecords(form) ? openAnyAttestation(form) : null
    const isSame = attestation?.person === this.person
    if (attestation === null) {
      throw new CloudError(
        'IDENTITY_ATTESTATION_INVALID',
        'This is not an attestation, or nobody has signed it. Copy all of it.',
      )
    }
    const refusal = refusalOf(attestation, this.machine, isSame ? null : present)
    if (refusal !== null) {
      throw new CloudError('IDENTITY_ATTESTATION_INVALID', refusal, {
        machine: this.machine,
        attested: attestation.machine,
        cloud: attestation.cloud,
      })
    }
    if (!isSame) this.#checkMayGo(forgetPhrase)
    const { person, cloud } = attestation
    await before(attestation)
    const others = isSame ? this.#file.attestations : []
    const attestations = [...others.filter((other) => cloudOf(other) !== cloud), form]
    if (isSame) await this.#update({ attestations })
    else {
      await this.#update({ phrase: null, person, attestations, personName: null })
      await forgetBackups(this.#path)
    }
    return attestation
  }

  /**
   * Deletes the phrase from this machine.
   * @param phrase  the words, as the person has them
   * @param clouds  in which this machine stays the person's
   * @throws CloudError IDENTITY_PHRASE_INVALID, IDENTITY_PHRASE_OTHER
   */
  async forgetPhrase(phrase: string, clouds: readonly string[]): Promise<void> {
    this.ownKeysOf(phrase)
    if (this.phraseKept) {
      const named = [...new Set([...clouds, ...this.#attestations.keys()])]
      const attestations = named.map((cloud) => this.attestationFor(cloud).form)
      await this.#update({ phrase: null, person: this.person, attestations })
    }
    // Again if that failed the last time.
    await forgetBackups(this.#path)
  }

  renamePerson(name: string): Promise<void> {
    return this.#update({ personName: name })
  }

  renameMachine(name: string): Promise<void> {
    return this.#update({ machineName: name })
  }

  /**
   * Makes this machine the phrase's person's. The phrase of another person goes, if it may.
   * @throws CloudError IDENTITY_PHRASE_INVALID, IDENTITY_PHRASE_KEPT
   */
  async restore(phrase: string, { forgetPhrase = false } = {}): Promise<void> {
    const words = readPhrase(phrase)
    const isSame = keysOfPhrase(words).person === this.person
    if (!isSame) this.#checkMayGo(forgetPhrase)
    await this.#update({ phrase: words, attestedMs: Date.now(), attestations: [] })
    if (!isSame) await forgetBackups(this.#path)
  }

  /** @throws CloudError IDENTITY_PHRASE_KEPT if there is one that nobody has let go */
  #checkMayGo(forgetPhrase: boolean): void {
    if (!this.phraseKept || forgetPhrase) return
    throw new CloudError(
      'IDENTITY_PHRASE_KEPT',
      'This machine would become another person’s, and the recovery phrase of its present person would be deleted from it. Write that down first, if it is of any use; then say that it may go.',
      { person: this.person },
    )
  }

  #sign(
    { person, secretKey }: PersonKeys,
    { machine, cloud, atMs }: { machine: string; cloud: string; atMs: number },
  ): Attestation {
    const statement = { person, machine, cloud, sequence: atMs, expiresMs: atMs + ATTESTATION_MS }
    return signAttestation(statement, secretKey)
  }

  #readAttestations(): void {
    this.#attestations.clear()
    for (const form of this.#file.attestations) {
      const attestation = openAnyAttestation(form)
      const { machine, person } = attestation ?? {}
      if (attestation === null || machine !== this.machine || person !== this.person) continue
      this.#attestations.set(attestation.cloud, attestation)
    }
  }

  /** One after the other, each from what the one before it left: none is lost. */
  #update(change: Partial<IdentityFile>): Promise<void> {
    return this.#updates.run(async () => {
      const file = { ...this.#file, ...change }
      if (file.phrase !== null) delete file.person
      await writeJsonFile(this.#path, file)
      this.#file = file
      const { person, keys } = whose(file, this.#path)
      this.#person = person
      this.#personKeys = keys
      this.#readAttestations()
      this.emit('changed')
    })
  }
}

function keysOfPhrase(phrase: string): PersonKeys {
  const { publicKey, secretKey } = personKeyPair(phrase)
  return { person: encodeKey(publicKey), secretKey }
}

/** @throws CloudError DATA_DAMAGED */
function whose(
  { phrase, person }: IdentityFile,
  path: string,
): { person: string; keys: PersonKeys | null } {
  if (phrase !== null) {
    const keys = keysOfPhrase(phrase)
    return { person: keys.person, keys }
  }
  if (person !== undefined) return { person, keys: null }
  throw new CloudError('DATA_DAMAGED', `The file ${path} does not say whose machine this is.`, {
    path,
  })
}

/** Why a machine can't take an attestation, in words; null if it can. */
function refusalOf(attestation: Attestation, machine: string, cloud: string | null): string | null {
  if (attestation.machine !== machine) {
    return 'This attests another machine. Attest this one, by the key that it shows.'
  }
  if (cloud !== null && attestation.cloud !== cloud) {
    return 'This attests the machine in another cloud than it is in. Join that cloud first.'
  }
  return null
}

function cloudOf(form: SignedForm): string | undefined {
  return openAnyAttestation(form)?.cloud
}
